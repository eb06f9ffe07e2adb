//go:build linux

package witness

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// TestNoAuxv is the pair of the condition that no auxiliary vector is at hand: without one the
// runtime probes for the page size and reads the clock by syscalls; with one it does not.
func TestNoAuxv(t *testing.T) {
	eachRelease(t, func(t *testing.T, release string) {
		p := own("hello", "hello", "amd64")
		p.Toolchain = release
		bin := build(t, p)
		without, hidden := traceNoAuxv(t, bin)
		if hidden == 0 {
			t.Errorf("%s was not asked for: %s", auxvPath, strings.Join(without.names(), " "))
		}
		calls := []string{"mincore", "munmap", "clock_gettime"}
		for _, name := range calls {
			if without[name] == 0 {
				t.Errorf("without a vector: %s not seen: %s", name, strings.Join(without.names(), " "))
			}
		}
		with := watch(t, "amd64", helloWork, bin)
		if with["mincore"] > 0 {
			t.Errorf("with a vector: mincore was called")
		}
		res := scan(t, bin)
		if miss := missed(res, without, condAuxv, underStrace); len(miss) > 0 {
			t.Errorf("without a vector: traced but not in the scan: %s", strings.Join(miss, ", "))
		}
		if n := needs(res)["mincore"]; n == nil || n.Class != finding.Conditional || n.Condition != condAuxv {
			t.Errorf("mincore: %v, want conditional %q", n, condAuxv)
		}
	})
}

// TestCircumstances is about the conditions that a program meets by what happens to it: the same
// binary is run twice, and must make the calls the one time only.
func TestCircumstances(t *testing.T) {
	list := []struct {
		name, condition, call string
		met, not              func(t testing.TB, bin string) (*exec.Cmd, func() trace)
	}{
		{
			"restart", condRestart, "restart_syscall",
			func(t testing.TB, bin string) (*exec.Cmd, func() trace) { return strace(t, bin, "stop") },
			func(t testing.TB, bin string) (*exec.Cmd, func() trace) { return strace(t, bin, "leave") },
		},
		{
			// The first three calls of fcntl are the runtime's, which does not bear an error.
			"dupfd", condDupfd, "dup",
			func(t testing.TB, bin string) (*exec.Cmd, func() trace) {
				return straceWith(t, []string{"-e", "inject=fcntl:error=EINVAL:when=4+"}, bin)
			},
			func(t testing.TB, bin string) (*exec.Cmd, func() trace) { return strace(t, bin) },
		},
	}
	eachRelease(t, func(t *testing.T, release string) {
		for _, c := range list {
			t.Run(c.name, func(t *testing.T) {
				p := folder("conditions", c.name)
				p.Toolchain = release
				bin := build(t, p)
				n := needs(scan(t, bin))[c.call]
				if n == nil || n.Class != finding.Conditional || n.Condition != c.condition {
					t.Errorf("%s: %v, want conditional %q", c.call, n, c.condition)
				}
				if tr := runTraced(t, c.met, bin); tr[c.call] == 0 {
					t.Errorf("met: %s was not called: %s", c.call, strings.Join(tr.names(), " "))
				} else if miss := missed(scan(t, bin), tr, c.condition, underStrace); len(miss) > 0 {
					t.Errorf("met: traced but not in the scan: %s", strings.Join(miss, ", "))
				}
				if tr := runTraced(t, c.not, bin); tr[c.call] > 0 {
					t.Errorf("not met: %s was called", c.call)
				}
			})
		}
	})
}

// runTraced runs a command to its end and returns its trace.
func runTraced(t *testing.T, traced func(testing.TB, string) (*exec.Cmd, func() trace), bin string) trace {
	t.Helper()
	cmd, read := traced(t, bin)
	if _, err := finish(cmd, 0); err != nil {
		t.Fatal(err)
	}
	return read()
}
