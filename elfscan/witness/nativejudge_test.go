package witness

import (
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// TestNativeTruths looks for traces that are not what they say: of servers that did not serve, and
// of calls that the architecture does not have.
func TestNativeTruths(t *testing.T) {
	count := map[string]int{"amd64": 48, "arm64": 10} // at least
	for goarch, name := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		arch := syscalls.ByName(name)
		list := nativeTruths(t, goarch)
		if len(list) < count[goarch] {
			t.Errorf("%s: %d traces, want %d", goarch, len(list), count[goarch])
		}
		for _, p := range list {
			for _, call := range p.Syscalls {
				if _, ok := arch.Number(call); !ok {
					t.Errorf("%s %s: %s has no call %s", goarch, p.Name, arch.Name, call)
				}
			}
			if !slices.Contains(nativeServers, p.Name) || p.Name == "sqlite3" {
				continue
			}
			for _, part := range []string{"epoll_ctl", "accept", "listen"} {
				if !slices.ContainsFunc(p.Syscalls, func(call string) bool { return strings.HasPrefix(call, part) }) {
					t.Errorf("%s %s: a server without %s: %v", goarch, p.Name, part, p.Syscalls)
				}
			}
		}
	}
	for _, e := range nativeEnforcedPrograms {
		if !slices.Contains(recorded("amd64", e.name).Syscalls, e.drop) {
			t.Errorf("%s: %s, which the twin lacks, is not in the trace", e.name, e.drop)
		}
	}
}

// TestNativeJudge is about the figures of the tables, and the twin of the tests that ask for missed
// calls: a condition counts only where a library was opened.
func TestNativeJudge(t *testing.T) {
	p := nativeTruth{Name: "p", Syscalls: []string{"read", "write", "openat", "connect"}, Opened: []string{"libnss_x.so.2"}}
	res := &elfscan.Result{
		Modules: []elfscan.Module{{Path: "/bin/p"}, {Path: "/lib/libnss_x.so.2", Opened: true}},
		Needs: []elfscan.Need{
			{Name: "read", Class: finding.Required}, {Name: "write", Class: finding.Startup}, {Name: "brk", Class: finding.Startup},
			{Name: "connect", Class: finding.Conditional, Condition: "the program aborts, or libnss_x.so.2" + conditionOpened + "dlopen)"},
			{Name: "openat", Class: finding.Conditional, Condition: "the program aborts"},
		},
	}
	r := p.judge(res)
	if r.truth != 4 || r.found != 3 || r.sure != 3 || r.cond != 2 || len(r.missed) != 1 || !strings.HasPrefix(r.missed[0], "openat ") {
		t.Errorf("%+v", r)
	}
	if r.precision != 0.75 || r.recall != 0.75 || r.f1 != 0.75 {
		t.Errorf("precision %v, recall %v, F1 %v, want 0.75 each", r.precision, r.recall, r.f1)
	}
	if got := strings.Join(p.allowed(res), " "); got != "brk connect read write" {
		t.Errorf("allowed: %s", got)
	}
	p.Opened = nil
	if r := p.judge(res); len(r.missed) != 2 || r.found != 2 {
		t.Errorf("nothing was opened: %+v", r)
	}
}
