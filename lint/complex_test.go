package lint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// ruleFor makes a rule that allows calls under conditions.
func ruleFor(names []string, args ...string) string {
	return fmt.Sprintf(`{"names": ["%s"], "action": "SCMP_ACT_ALLOW", "args": [%s]}`, strings.Join(names, `", "`), strings.Join(args, ", "))
}

func compare(index int, op string, value, two uint64) string {
	return fmt.Sprintf(`{"index": %d, "value": %d, "valueTwo": %d, "op": "SCMP_CMP_%s"}`, index, value, two, op)
}

// tangle makes rules for a call that look at all arguments but the first: 6 to the power of 20 ways, on
// which Outcomes gives up. No rule is for zeros.
func tangle(rng *rand.Rand, name string) (rules []string) {
	for _, bit := range rng.Perm(64)[:20] { // a bit of its own, so that no rule settles another
		var args []string
		for i := range 5 {
			args = append(args, compare(i+1, "MASKED_EQ", 1<<bit, 1<<bit))
		}
		rules = append(rules, ruleFor([]string{name}, args...))
	}
	return rules
}

// judgeRules lints an allowlist of rules for x86_64 and the kernel.
func judgeRules(t *testing.T, u []Usage, rules ...string) *Result {
	t.Helper()
	p, err := profile.Parse("made.json", fmt.Appendf(nil,
		`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [%s]}`, strings.Join(rules, ",\n")))
	if err != nil {
		t.Fatal(err)
	}
	target := p.DefaultTarget(syscalls.ByName("x86_64"))
	target.Runtime, target.Caps = profile.RuntimeKernel, nil
	r, err := Run(Input{Profile: p, Target: target, Usage: u})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told lists the findings by severity, check and calls.
func told(r *Result) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %s %s", f.Severity, f.Check, strings.Join(f.Syscalls, "+")))
	}
	return strings.Join(out, "; ")
}

// A witness is solved and not guessed: hundreds of constants in the filter, or a number of which both
// halves matter, hide nothing.
func TestOpenAmongManyConstants(t *testing.T) {
	var names []string
	for _, r := range builtin(t, "docker-default").Rules {
		if len(r.Args) == 0 && len(r.Includes.Caps) == 0 {
			for _, n := range r.Names {
				names = append(names, n.Text)
			}
		}
	}
	plain := judgeRules(t, nil, ruleFor(names))
	for _, v := range []uint64{5, 0x7fff123412345678} {
		r := judgeRules(t, nil, ruleFor(names), ruleFor([]string{"bpf", "open_by_handle_at"}, compare(2, "EQ", v, 0)))
		confirm(t, r)
		for _, check := range []string{"PC714", "PC718"} {
			i := slices.IndexFunc(r.Findings, func(f finding.Finding) bool { return f.Check == check })
			if i < 0 || r.Findings[i].Witness == nil || r.Findings[i].Witness.Args[2] != v {
				t.Errorf("%#x: no %s: %s", v, check, told(r))
			}
			if strings.Contains(told(plain), check) {
				t.Errorf("%s without the rule: %s", check, told(plain))
			}
		}
	}
}

// What cannot be told is neither open nor closed: it is said once, and no check takes a side.
func TestTooComplex(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	even, odd := compare(0, "MASKED_EQ", 1, 0), compare(0, "MASKED_EQ", 1, 1)
	ends := ruleFor([]string{"exit", "exit_group", "rt_sigreturn"})
	none := []string{"exit", "rt_sigreturn"}
	bpf, exit := tangle(rng, "bpf"), tangle(rng, "exit_group")
	mount, clone := tangle(rng, "mount"), tangle(rng, "clone")
	both := func(name string) []string {
		return []string{ruleFor([]string{name}, even), ruleFor([]string{name}, odd)}
	}
	for _, c := range []struct {
		name  string
		rules []string
		want  string
	}{
		{"a dangerous call", append(bpf, ends), "warning PC820 bpf"},
		{"a call of the core", append(exit, ruleFor(none)), "warning PC820 exit_group"},
		{"both", slices.Concat(bpf, exit, []string{ruleFor(none)}), "warning PC820 bpf+exit_group"},
		// The rules for both halves cover all calls, and plain arguments show it.
		{"both open", slices.Concat(bpf, exit, both("bpf"), both("exit_group"), []string{ruleFor(none)}), "error PC714 bpf"},
		{"the rest of the core", exit, "error PC601 exit+rt_sigreturn; warning PC820 exit_group"},
		// mount may be open, so that the newer calls are no way around it.
		{"old and new calls", append(mount, ends, ruleFor([]string{"move_mount", "fsmount"})),
			"warning PC711 move_mount+fsmount; warning PC820 mount"},
		{"old closed", []string{ends, ruleFor([]string{"move_mount", "fsmount"})}, "error PC711 move_mount+fsmount"},
		// The same with clone, which may allow CLONE_NEWUSER.
		{"clone", append(clone, ends, ruleFor([]string{"unshare"})), "warning PC710 unshare; warning PC820 clone"},
		{"clone masked", []string{ends, ruleFor([]string{"unshare"}), ruleFor([]string{"clone"}, compare(0, "MASKED_EQ", 0x7e020000, 0))},
			"error PC710 unshare"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := judgeRules(t, nil, c.rules...)
			confirm(t, r)
			if got := told(r); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// With a program: a call that it needs is PC614's, one that it does not need is not counted as
// unused but said to be unclear, and the runtime's start is not called denied.
func TestTooComplexForProgram(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	rng := rand.New(rand.NewPCG(3, 4))
	rules := append(append(tangle(rng, "bpf"), tangle(rng, "write")...), ruleFor([]string{"read", "getpid"}))
	r := judgeRules(t, []Usage{usage(arch, "read", "write")}, rules...)
	if got, want := told(r), "warning PC614 write; warning PC820 bpf; info PC612 getpid"; got != want || r.Verdict != VerdictUnknown {
		t.Errorf("verdict %s\ngot  %s\nwant %s", r.Verdict, got, want)
	}
	p, err := profile.Parse("made.json", fmt.Appendf(nil,
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [%s]}`, strings.ReplaceAll(strings.Join(tangle(rng, "execve"), ","), "ALLOW", "ERRNO")))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = Run(Input{Profile: p, Usage: []Usage{usage(arch, "read")}}); err != nil {
		t.Fatal(err)
	}
	if got := told(r); !strings.Contains(got, "PC820 execve;") || strings.Contains(got, "PC603") {
		t.Error(got)
	}
}
