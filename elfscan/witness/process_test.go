package witness

import (
	"path"
	"runtime"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
)

// A Go program with C libraries or a loader is read with all that its process maps: nothing of its
// trace is missing, and nothing is out of sight but what it starts.
func TestProcesses(t *testing.T) {
	needLinux(t)
	if runtime.GOARCH != "amd64" {
		t.Skipf("the traces are of programs for amd64 and this machine's libraries for %s", runtime.GOARCH)
	}
	withC := own("httpd", "httpd-cgo", "amd64")
	withC.Cgo = true
	for _, c := range []struct {
		program
		modules string // the files that must be there, by the beginnings of their names
	}{
		{withC, "httpd-cgo libc.so ld-linux"},
		{own("httpd", "httpd-pie", "amd64", pie...), "httpd-pie ld-linux"},
		{own("hello", "hello-pie", "amd64", pie...), "hello-pie ld-linux"},
	} {
		t.Run(c.Name, func(t *testing.T) {
			if c.Cgo {
				needTool(t, "gcc")
			}
			res := scan(t, build(t, c.program))
			if len(res.Modules) == 0 {
				t.Skip("no glibc on this machine")
			}
			for i, name := range strings.Fields(c.modules) {
				if i >= len(res.Modules) || !strings.HasPrefix(path.Base(res.Modules[i].Path), name) {
					t.Fatalf("%s maps %+v, want %s", c.Name, res.Modules, c.modules)
				}
			}
			tr := trace{}
			for _, name := range readTruth(t, c.Name).Syscalls {
				tr[name]++
			}
			if miss := missed(res, tr); len(miss) > 0 {
				t.Errorf("traced but not in the scan: %s", strings.Join(miss, ", "))
			}
			for _, u := range res.Unresolved {
				t.Errorf("unresolved: %s %#x: %s", u.Function, u.Address, u.Reason)
			}
			for _, g := range res.Gaps {
				if g.Kind == elfscan.GapLoader || g.Kind == elfscan.GapMissing {
					t.Errorf("%s: %s", g.Kind, g.Detail)
				}
			}
			t.Logf("%s: truth %d, not conditional %d (%s)", c.Name, len(tr), len(certain(res)), classes(res))
		})
	}
}
