package lint

import (
	"fmt"
	"iter"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// call is one system call that something needs on one ABI.
type call struct {
	abi     *ABI
	nr      int32
	name    string // "call number 500" if no table names it
	named   bool
	demands []demand
}

// demand is one place that makes a call, with the filter's answer there.
type demand struct {
	program   string
	class     finding.Class
	condition string
	path      finding.Path
	args      [6][]uint64 // constants; nil: unknown
	verdict
	tolerated string              // why the caller lives with every denial that it can get; "" if it does not
	fallback  *catalog.Fallback   // who lives with the denial, if the caller is one of these; nil if nobody is known
	nameless  bool                // nothing tells whether the caller is
	start     *profile.StartCall  // for class runtime: what the runtime makes of an answer
	effect    profile.StartEffect // the gravest of these
}

// verdict sums up what the filter can answer.
type verdict struct {
	outcome string        // Allowed, Denied or Depends
	action  filter.Action // the gravest answer
	when    string        // for Depends: when the call runs
	logged  bool          // it may run with LOG
	notify  bool          // a listener may decide
	err     error         // the filter is beyond the simulator; outcome is Depends
}

// runs reports whether the call is made under this action.
func runs(a filter.Action) bool { return a.Base() == filter.Allow || a.Base() == filter.Log }

// opens reports whether the call can be made under this action.
func opens(a filter.Action) bool { return runs(a) || a.Base() == filter.UserNotif }

// graver reports whether action a wins over b (kernel/seccomp.c seccomp_run_filters).
func graver(a, b filter.Action) bool { return int32(a.Effect().Base()) < int32(b.Effect().Base()) }

// sum judges the regions of one question.
func sum(regions []simulate.Region, err error) verdict {
	if err != nil {
		return verdict{outcome: Depends, action: filter.KillProcess, err: err}
	}
	v := verdict{action: filter.Allow}
	var yes, no bool
	for i, r := range regions {
		switch r.Action.Base() {
		case filter.Log:
			v.logged, yes = true, true
		case filter.Allow:
			yes = true
		case filter.UserNotif:
			v.notify = true
		default:
			no = true
		}
		if i == 0 || graver(r.Action, v.action) {
			v.action = r.Action
		}
	}
	switch {
	case no && !yes && !v.notify:
		v.outcome = Denied
	case no || v.notify:
		v.outcome = Depends
		v.when = conditions(regions, runs)
	default:
		v.outcome = Allowed
	}
	return v
}

// maxConditions bounds the alternatives that are spelt out.
const maxConditions = 6

// conditions renders the regions whose action satisfies want, "" if one of them has no condition.
func conditions(regions []simulate.Region, want func(filter.Action) bool) string {
	var parts []string
	more := 0
	for _, r := range regions {
		switch {
		case !want(r.Action):
			continue
		case len(r.When) == 0:
			return ""
		case len(parts) == maxConditions:
			more++
			continue
		}
		terms := make([]string, len(r.When))
		for i, c := range r.When {
			terms[i] = c.String()
		}
		parts = append(parts, strings.Join(terms, " && "))
	}
	text := strings.Join(parts, " or ")
	if more > 0 {
		text += " or " + count(more, "further case")
	}
	return text
}

// judge asks the filter about one site.
func (c *call) judge(program string, s Site) {
	regions, err := c.abi.AnswerFor(c.nr, s.Args)
	d := demand{program: program, class: s.Class, condition: s.Condition, path: s.Path, args: s.Args, verdict: sum(regions, err)}
	if d.outcome != Allowed && err == nil {
		d.tolerated = c.gone(regions)
		if d.tolerated == "" {
			d.tolerated = tolerance(c.name, regions, s.Always)
		}
	}
	if d.outcome == Denied && d.tolerated == "" && d.action.Base() == filter.Errno && len(regions) == 1 {
		d.fallback = catalog.FallbackOf(c.name, d.action.Errno())
		d.nameless = nameless(s.Path)
	}
	c.demands = append(c.demands, d)
}

// judgeStart asks the filter about a call of the runtime's start.
func (c *call) judgeStart(runtime string, start profile.StartCall) {
	regions, err := c.abi.Answer(c.nr)
	d := demand{program: runtime, class: finding.Runtime, condition: start.Why, start: &start, verdict: sum(regions, err)}
	for _, r := range regions {
		d.effect = max(d.effect, start.Effect(r.Action))
	}
	if d.outcome != Allowed && d.effect == profile.Starts {
		d.fallBack(c.abi)
	}
	switch {
	case err != nil, d.outcome == Depends && d.effect == profile.NoStart:
		d.effect = profile.MayFail // the arguments of these calls are not known
	case d.outcome != Allowed && d.effect == profile.Starts:
		d.tolerated = runtime + " goes on without it"
	}
	c.demands = append(c.demands, d)
}

// fallBack asks the filter about what the runtime calls instead of a call that gets an error: if it
// cannot do that either, the error is not tolerated.
func (d *demand) fallBack(abi *ABI) {
	for _, name := range d.start.Fallback {
		nr, ok := abi.Number(name)
		if !ok {
			continue
		}
		regions, err := abi.Answer(nr)
		switch v := sum(regions, err); v.outcome {
		case Denied:
			d.effect = profile.NoStart
			d.condition += fmt.Sprintf("; %s, which it calls instead, is denied, too", name)
			return
		case Depends:
			d.effect = profile.MayFail
		}
	}
}

// tolerance returns why the caller lives with every answer that keeps the call from running, "" if
// there is one that it minds. The functions are those that are on every way to the call.
func tolerance(name string, regions []simulate.Region, functions []string) string {
	why := ""
	for _, r := range regions {
		if runs(r.Action) {
			continue
		}
		if r.Action.Base() != filter.Errno {
			return ""
		}
		t := catalog.Tolerated(name, r.Action.Errno(), functions)
		if t == nil {
			return ""
		}
		why = t.Why
	}
	return why
}

// gone returns why a denial changes nothing if the kernel of the target has the call no more, "" if it has.
func (c *call) gone(regions []simulate.Region) string {
	first, removed := syscalls.RemovedIn(c.name)
	if !removed || c.abi.Host.Target.Kernel.Less(first) {
		return ""
	}
	for _, r := range regions {
		if !runs(r.Action) && (r.Action.Base() != filter.Errno || r.Action.Errno() == 0) {
			return ""
		}
	}
	return "Linux does not have the call since " + first.String() + ", and answers ENOSYS whatever the profile says"
}

// nameless reports whether the caller at the end of a path cannot be told by its name: the function
// that makes the call, or that passes its number to syscall, has none, or one of Rust's standard library.
func nameless(path finding.Path) bool {
	i := len(path) - 1
	if i > 0 && path[i].Function == "syscall" {
		i--
	}
	if i < 0 {
		return false
	}
	f := path[i].Function
	return strings.HasPrefix(f, "sub_") || strings.HasPrefix(strings.TrimPrefix(f, "<"), "std::sys::")
}

// excused reports whether the caller most likely lives with the denial.
func (d *demand) excused() bool { return d.fallback != nil && d.nameless }

// severity says how grave the answer to this demand is, false if it is fine.
func (d *demand) severity(name string) (finding.Severity, bool) {
	switch {
	case d.outcome == Allowed:
		return 0, false
	case d.tolerated != "":
		return finding.Info, true
	case d.excused(), d.outcome == Depends, d.start != nil && d.effect == profile.MayFail:
		return finding.Warning, true
	}
	return cost(d.class, name), true
}

// worst returns the demand that matters most, nil if there is none.
func (c *call) worst(runtime bool) *demand {
	return c.gravest(func(d *demand) bool { return (d.class == finding.Runtime) == runtime })
}

// gravest returns the wanted demand that matters most, nil if there is none.
func (c *call) gravest(want func(*demand) bool) *demand {
	var best *demand
	for i := range c.demands {
		d := &c.demands[i]
		if !want(d) {
			continue
		}
		if best == nil || c.before(d, best) {
			best = d
		}
	}
	return best
}

// before orders demands: the gravest answer first, then the class that counts most.
func (c *call) before(a, b *demand) bool {
	sa, badA := a.severity(c.name)
	sb, badB := b.severity(c.name)
	switch {
	case badA != badB:
		return badA
	case sa != sb:
		return sa > sb
	case a.outcome != b.outcome:
		return a.outcome == Denied
	}
	return classRank(a.class) < classRank(b.class)
}

// programs lists who makes demands, each once, in the order of the usages.
func (c *call) programs(want func(*demand) bool) []string {
	var out []string
	for i := range c.demands {
		d := &c.demands[i]
		if (len(out) == 0 || out[len(out)-1] != d.program) && want(d) {
			out = append(out, d.program)
		}
	}
	return out
}

// needed yields for each judged ABI the names of the calls with such a demand, the riskiest first.
func (p *Pass) needed(want func(*demand) bool) iter.Seq2[*ABI, []string] {
	return func(yield func(*ABI, []string) bool) {
		for _, abi := range p.ABIs {
			var names []string
			for _, c := range p.calls {
				if c.abi == abi && len(c.programs(want)) > 0 {
					names = append(names, c.name)
				}
			}
			byDanger(names)
			if names != nil && !yield(abi, names) {
				return
			}
		}
	}
}

// result sums up a call for the outcomes.
func (c *call) result() Outcome {
	d := c.worst(false)
	if r := c.worst(true); d == nil || r != nil && c.before(r, d) {
		d = r
	}
	o := Outcome{
		Arch: c.abi.Arch, Nr: c.nr, Class: d.class, Outcome: d.outcome, Action: d.action,
		When: d.when, Tolerated: d.tolerated, Path: d.path, Programs: c.programs(func(*demand) bool { return true }),
	}
	if c.named {
		o.Name = c.name
	}
	return o
}
