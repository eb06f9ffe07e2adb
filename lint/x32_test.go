package lint

import (
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// A program for x86_64 can call by the numbers of x32, which the same kernel may serve.
func TestX32Numbers(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	u := usage(arch, small...)
	u.Needs = append(u.Needs, Need{Nr: 0x40000000 + 39, Class: finding.Required}, Need{Nr: 0x40000000 + 5000, Class: finding.Required})
	r, err := Run(Input{Profile: builtin(t, "docker-default"), Usage: []Usage{u}})
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[int32]string)
	for _, o := range r.Outcomes {
		names[o.Nr] = o.Name
	}
	if names[0x40000000+39] != "getpid (x32)" || names[0x40000000+5000] != "" {
		t.Errorf("%q, %q", names[0x40000000+39], names[0x40000000+5000])
	}
}
