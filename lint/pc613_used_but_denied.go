package lint

import (
	"cmp"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC613", Name: "used-but-denied", Severity: finding.Error,
	Title: "the program needs a call that the filter denies",
	Why: "The call fails, or kills the thread or the process, where the program counts on it. The finding carries the path " +
		"from an entry point to the call.",
	When: "An error for calls of the program itself (required), of its start (startup), and between fork and exec (child), " +
		"and for a denied signal return. A warning for calls that are only made under a condition (conditional) or where " +
		"the vDSO has no answer (vdso), and for restart_syscall. Information if the caller lives with the answer, by the " +
		"catalogue: the Go runtime falls back when it gets an error number, but not when it is killed; or if the target's " +
		"kernel does not have the call any more. A warning if the answer is ENOSYS, all who are known to make the call " +
		"fall back then (clone3: glibc and Rust's standard library), and the caller has no name.",
	Wrong: "A scan sees what a binary can call, and not every path is taken in every run; a path that a configuration rules " +
		"out is reported all the same.",
	Remedy: "Allow the call, or build the program without what needs it; `profcheck why BINARY SYSCALL` shows what that is.",
	Sources: []string{
		"https://docs.kernel.org/userspace-api/seccomp_filter.html",
		"https://github.com/golang/go/issues/30753",
	},
	NeedsBinary: true,
	Run: func(p *Pass) {
		var occasions []string // in the order of their first call
		joined := map[string][]denial{}
		for _, c := range p.calls {
			if !c.abi.Covered { // PC406 has said it for all calls
				continue
			}
			for _, s := range c.shares(Denied) {
				key := c.abi.Name + " " + s.told(c)
				if d := s.demand; d.class == finding.Conditional && d.condition != "" && d.tolerated == "" && !d.excused() {
					// What is only called on one occasion is one thing to decide on.
					key = c.abi.Name + " " + occasion(s.programs, "", d.class, d.condition)
				}
				if joined[key] == nil {
					occasions = append(occasions, key)
				}
				joined[key] = append(joined[key], denial{c, s})
			}
		}
		for _, key := range occasions {
			if denials := joined[key]; len(denials) > 1 {
				p.Report(p.deniedTogether(denials))
			} else {
				p.Report(p.denied(denials[0]))
			}
		}
	},
})

// denial is a call that is denied to some programs.
type denial struct {
	call *call
	to   share
}

// denied is the finding on one call.
func (p *Pass) denied(d denial) finding.Finding {
	c, to := d.call, d.to.demand
	f := finding.Finding{
		Severity: d.to.severity, Arch: c.abi.Name, Syscalls: []string{c.name}, Path: to.path,
		Message: d.to.told(c) + ", and the filter answers " + answered(to.action),
		Remedy:  p.allow(c, c.name+d.to.args),
		Pos:     p.deniedBy(c),
	}
	if p.fromC(d) {
		f.Remedy += "; a C library makes the call, and built with CGO_ENABLED=0 the program may do without"
	}
	switch {
	case to.tolerated != "":
		f.Message += "; " + to.tolerated
		f.Remedy = ""
	case to.excused():
		f.Message += "; " + to.fallback.Who + " then " + to.fallback.Instead + ", and nothing shows that another makes the call"
		f.Remedy = "nothing if that is so" + p.place(": ", d.to.programs[0], c)
	case to.fallback != nil:
		f.Remedy = "do without when the answer is ENOSYS, as " + to.fallback.Who + " do, who then " + to.fallback.Instead + ", or allow " + c.name
	}
	return f
}

// deniedTogether is the finding on several calls that are made on the same occasion.
func (p *Pass) deniedTogether(denials []denial) finding.Finding {
	c, first := denials[0].call, denials[0].to
	f := finding.Finding{Severity: first.severity, Arch: c.abi.Name, Path: first.demand.path, Pos: p.whole()}
	for _, d := range denials {
		if !slices.Contains(f.Syscalls, d.call.name) {
			f.Syscalls = append(f.Syscalls, d.call.name)
		}
	}
	byDanger(f.Syscalls)
	f.Message = occasion(first.programs, list(f.Syscalls, len(f.Syscalls)), first.demand.class, first.demand.condition) + ", and the filter denies them"
	f.Remedy = "nothing if that does not happen; else allow them, as far as the container may do that"
	return f
}

// fromC reports whether all who get the denial are Go programs, and the call is one of their C
// libraries. The loader does not count: Go without cgo has it, too, where it is built as a PIE.
func (p *Pass) fromC(what denial) bool {
	some := false
	for i := range what.call.demands {
		d := &what.call.demands[i]
		if d.outcome != Denied || d.class == finding.Runtime || !what.to.of(d) {
			continue
		}
		if len(d.path) == 0 || !slices.ContainsFunc(p.Input.Usage, func(u Usage) bool { return u.Program == d.program && u.Kind == "go" }) {
			return false
		}
		if m := d.path[len(d.path)-1].Module; m == "" || strings.HasPrefix(m, "ld-") {
			return false
		}
		some = true
	}
	return some
}

// grave is the rank from which the remedy for a denied call is first of all to do without it.
const grave = 76

// allow says how to open a call, of which what says as much as the filter looks at: with the
// capability under which a rule opens it, next to a sibling that is open, or plainly; and what it
// costs if the call is a dangerous one.
func (p *Pass) allow(c *call, what string) string {
	text := "allow " + what
	if caps := p.opening(c); caps != "" {
		return "grant the container " + caps + " if it is to do this, or " + text
	}
	if d := catalog.DangerOf(c.name); d != nil && d.Rank >= grave {
		return text + " only if the program cannot do without it: it " + d.Why
	}
	var siblings []string
	for _, s := range catalog.Siblings(c.name) {
		if _, found := c.abi.reach(s, anyArgs); found == open {
			siblings = append(siblings, s)
		}
	}
	if siblings != nil {
		text += " as the profile allows " + nearest(c.name, siblings)
	}
	return text
}

// opening returns the capabilities for which rules open the call: "CAP_SYS_ADMIN or CAP_BPF". It is
// empty if there are none, or if the container has them and the call is denied all the same.
func (p *Pass) opening(c *call) string {
	var ways []string
	for i := range p.Input.Profile.Rules {
		r := &p.Input.Profile.Rules[i]
		if len(r.Includes.Caps) == 0 || !opens(r.Action.Value(r.ErrnoRet)) ||
			!slices.ContainsFunc(r.Names, func(n profile.Name) bool { return n.Text == c.name }) {
			continue
		}
		var all []string // of one rule, the container needs all
		for _, n := range r.Includes.Caps {
			if !c.abi.granted([]string{n.Text}) {
				all = append(all, n.Text)
			}
		}
		if way := strings.Join(all, " and "); way == "" {
			return ""
		} else if !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	// The one that permits nearly everything is the last resort.
	slices.SortStableFunc(ways, func(a, b string) int {
		return cmp.Compare(strings.Count(a, mightiest), strings.Count(b, mightiest))
	})
	return strings.Join(ways, " or ")
}

const mightiest = "CAP_SYS_ADMIN"

// place is the command that shows where a program makes the call, behind the given words; "" if
// there is none.
func (p *Pass) place(words, program string, c *call) string {
	for _, u := range p.Input.Usage {
		if u.Program == program && u.Why != nil && c.named && !strings.HasSuffix(c.name, x32Suffix) {
			return words + u.Why(c.name)
		}
	}
	return ""
}

// deniedBy returns the place of a rule that denies the call, the profile as a whole if it is the
// default action.
func (p *Pass) deniedBy(c *call) finding.Pos {
	for _, r := range c.abi.Host.Resolved.Rules {
		if r.Name == c.name && !opens(r.Action) {
			return place(r.Pos)
		}
	}
	return p.whole()
}
