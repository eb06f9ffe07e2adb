package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/finding"
)

// crossLibs is where the libraries of Debian's cross compiler lie.
const crossLibs = "/usr/aarch64-linux-gnu/lib"

var qemuCall = regexp.MustCompile(`(?m)^\d+ ([a-z_0-9]+)\(`)

// TestTracedARM64: what qemu sees small programs for arm64 do is needed.
func TestTracedARM64(t *testing.T) {
	gcc, err := exec.LookPath("aarch64-linux-gnu-gcc")
	if err != nil {
		lack(t, "needs aarch64-linux-gnu-gcc")
	}
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		lack(t, "needs qemu-aarch64-static")
	}
	for name, source := range map[string]string{
		"empty":   "int main(void) { return 0; }",
		"stdio":   "#include <stdio.h>\nint main(void) { FILE *f = fopen(\"/etc/passwd\", \"r\"); char b[9]; fgets(b, 9, f); puts(b); return fclose(f); }",
		"threads": plain["affinity"].source,
		"setuid":  "#include <unistd.h>\nint main(void) { return setuid(getuid()); }",
		"syscall": "#include <unistd.h>\n#include <sys/syscall.h>\nstatic long w(long n) { return syscall(n, 0, 0); }\nint main(int c, char **v) { return w(c > 1 ? SYS_getppid : SYS_getpgid) < 0; }",
	} {
		for _, static := range []bool{false, true} {
			kind := map[bool]string{false: "dynamic", true: "static"}[static]
			t.Run(name+"/"+kind, func(t *testing.T) {
				root := crossRoot(t)
				file := filepath.Join(root, "p.c")
				if err := os.WriteFile(file, []byte("#define _GNU_SOURCE\n"+source), 0o600); err != nil {
					t.Fatal(err)
				}
				args := []string{"-O1", "-w", "-pthread", "-o", filepath.Join(root, "p"), file}
				if static {
					args = append(args, "-static")
				}
				if msg, err := exec.Command(gcc, args...).CombinedOutput(); err != nil {
					lack(t, "gcc: "+string(msg))
				}
				log, _ := exec.Command(qemu, "-L", root, "-strace", filepath.Join(root, "p")).CombinedOutput()
				calls := qemuCall.FindAllStringSubmatch(string(log), -1)
				if len(calls) < 5 {
					lack(t, "qemu says too little: "+string(log))
				}
				r, err := loader.NewRoot(root)
				if err != nil {
					t.Fatal(err)
				}
				c, err := r.Load("/p")
				if err != nil {
					t.Fatal(err)
				}
				res := Analyse(c, facts, Options{})
				var done []string
				for _, call := range calls {
					if slices.Contains(done, call[1]) {
						continue
					}
					done = append(done, call[1])
					if n := needOf(res, call[1]); n == nil {
						t.Errorf("%s is made and not found", call[1])
					} else if n.Class == finding.Conditional {
						t.Errorf("%s is made and conditional: %s", call[1], n.Condition)
					}
				}
				for _, u := range res.Unresolved {
					t.Errorf("unresolved: %s", u.Reason)
				}
			})
		}
	}
}

// crossRoot is a root with the loader and the libc of the cross compiler.
func crossRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ld-linux-aarch64.so.1", "libc.so.6"} {
		b, err := os.ReadFile(filepath.Join(crossLibs, name))
		if err != nil {
			lack(t, "needs the libraries of the cross compiler: "+err.Error())
		}
		if err := os.WriteFile(filepath.Join(root, "lib", name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
