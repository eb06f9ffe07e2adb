package kernels

import (
	"errors"
	"fmt"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
)

// An evaluator computes what a stack returns for a call as its filters see it.
type evaluator func(filterStack, *filter.Data) filter.Action

// ours is the evaluator that is tested.
func (b abi) ours(s filterStack, d *filter.Data) filter.Action {
	if len(s) == 1 {
		return simulate.Run(s[0], d, b.order())
	}
	a, _ := simulate.Stack(s).Run(d, b.order())
	return a
}

// expect is what becomes of a call with a number that no kernel has when its filters return a.
func (b abi) expect(a filter.Action) outcome {
	e := simulate.System{}.Effect(a)
	switch e.Kind {
	case simulate.Fails:
		if errno := outcome(e.Errno); a.Base() == filter.Errno {
			return returned | errno
		}
		return returned | outcome(b.enosys()) // nobody to ask
	case simulate.Signal:
		if b.threads() {
			return trapped | trappedNr | outcome(a.Data())
		}
	case simulate.KillsThread:
		if b.threads() {
			return diedThread
		}
	case simulate.Runs:
		return returned | outcome(b.enosys())
	}
	return diedProcess | outcome(b.sigsys())
}

// A tally is what a comparison counted.
type tally struct {
	Pairs, Filters, Stacks, Programs, Accepted, Strict int
	Kinds                                              map[outcome]int // of calls under filters
	Wrong                                              int
	First                                              []string // the first wrong ones
}

func (t *tally) note(g *group, got, want outcome, format string, args ...any) {
	if got == want {
		return
	}
	if t.Wrong++; len(t.First) < 5 {
		t.First = append(t.First, fmt.Sprintf("%s: the kernel says %v, we say %v: %s", g.What, got, want, fmt.Sprintf(format, args...)))
	}
}

// compare holds the answers against what eval and the validator say.
func (b abi) compare(groups []group, answers []outcome, ip uint64, eval evaluator) *tally {
	t := &tally{Kinds: make(map[outcome]int)}
	for i := range groups {
		g := &groups[i]
		got := answers[g.slot : g.slot+g.answers()]
		switch g.Kind {
		case underFilters:
			b.comparePairs(t, g, got, ip, eval)
		case verdicts:
			for j, p := range g.Programs {
				want := returned
				var verr *filter.VerifyError
				if errors.As(p.Verify(), &verr) {
					want |= outcome(verr.Errno)
				} else {
					t.Accepted++
				}
				t.Programs++
				t.note(g, got[j], want, "%v", p[:min(len(p), 60)])
			}
		case strictMode:
			for j, d := range g.Calls {
				t.Strict++
				want := diedProcess | sigkill
				if simulate.Strict(b.arch(), d.Nr) {
					if want = got[j]; want == diedProcess|sigkill {
						want = exited
					}
				}
				t.note(g, got[j], want, "number %d", d.Nr)
			}
		}
	}
	return t
}

func (b abi) comparePairs(t *tally, g *group, got []outcome, ip uint64, eval evaluator) {
	if t.Filters++; len(g.Programs) > 1 {
		t.Stacks++
	}
	for j, p := range g.Programs {
		t.note(g, got[j], returned, "attaching %v", p)
	}
	told := false
	for j, d := range g.Calls {
		d.IP = ip
		d = b.seen(d)
		a := eval(g.Programs, &d)
		t.Pairs++
		t.Kinds[got[len(g.Programs)+j].kind()]++
		t.note(g, got[len(g.Programs)+j], b.expect(a), "%v: %v on %#x", a, g.Programs, d)
		told = told || a.Effect().Base() == filter.Trap
	}
	if told && b.threads() {
		t.note(g, got[len(got)-1], outcome(b.arch().Audit), "si_arch of SIGSYS")
	}
}
