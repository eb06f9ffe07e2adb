package profiletest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/profiletest"
)

// What the package's documentation shows, on a profile that everybody has.
func TestExample(t *testing.T) {
	p := profiletest.Open(t, "docker-default", profiletest.Target("docker", "podman"), profiletest.Arch("x86_64", "arm64"))
	p.Allow("read", "write", "socket(2)", "clone(clone_flags & 0x7e020000 == 0)")
	p.Deny("mount", "reboot").With("EPERM")
	p.Deny("clone3").With("ENOSYS")
	p.Deny("unnamed")
}

func ExampleFile_Run() {
	f, err := profiletest.Parse("seccomp_test.yaml", []byte(`
profile: docker-default
arches: x86_64
expect:
  - allow: [read, write]
  - deny: clone
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := f.Run()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d passed, %d failed\n", r.Passed, r.Failed)
	for _, failure := range r.Failures {
		c := failure.Cases[0]
		fmt.Printf("line %d: expected %s, found %v if %s\n", failure.Line, failure.Expected, c.Action, c.When)
	}
	// Output:
	// 2 passed, 1 failed
	// line 6: expected deny clone, found ALLOW if arg0 & 0x7e020000 == 0
}

func ExampleParse() {
	_, err := profiletest.Parse("seccomp_test.yaml", []byte("profile: docker-default\nexpect:\n  - allow: [read, wirte]\n"))
	fmt.Println(err)
	// Output: seccomp_test.yaml:3:19: unknown syscall "wirte": did you mean write?
}

func ExampleRunVectors() {
	const table = "x86_64\t0xc000003e\tread\t0\t0\t0\t0\t0\t0\t0\tALLOW\n" +
		"x86_64\t0xc000003e\tsocket\t41\t0x28\t0\t0\t0\t0\t0\tALLOW\n"
	r, err := profiletest.RunVectors("calls.tsv", strings.NewReader(table), "docker-default")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d passed, %d failed\n", r.Passed, r.Failed)
	fmt.Println(r.Failures[0].Line, r.Failures[0].Expected, "found", profiletest.Answer(r.Failures[0].Cases[0].Action))
	// Output:
	// 1 passed, 1 failed
	// 2 ALLOW for socket(0x28) found ERRNO(1) EPERM
}
