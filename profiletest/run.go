package profiletest

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// Run asks the profile about every expectation. The error says why nothing could be asked: the
// profile cannot be read, a target would not load it, or an expectation is about calls that do not
// exist where it is asked. It is a *FileError.
func (f *File) Run() (*Result, error) {
	s, err := openSubject(f.Profile, filepath.Dir(f.Name))
	if err != nil {
		return nil, f.fault(f.profileLine, f.profileColumn, err)
	}
	r := newRunner(f, s)
	for _, e := range f.expectations {
		for _, c := range e.calls {
			if err := r.expect(e, c); err != nil {
				return nil, err
			}
		}
	}
	return r.finish(), nil
}

// A runner asks one subject about expectations.
type runner struct {
	file    *File
	subject *subject
	result  *Result
	decided map[*profile.Rule]map[string]bool // the syscalls for which a rule decided some call
	asked   map[*expectation]*asked
}

// asked is where an expectation is asked.
type asked struct {
	settings []setting
	explicit bool // it names the architectures itself
}

func newRunner(f *File, s *subject) *runner {
	return &runner{f, s, &Result{File: f.Name, Profile: s.name, Format: s.format()}, make(map[*profile.Rule]map[string]bool), make(map[*expectation]*asked)}
}

// expect asks about one word of an expectation in all its settings and counts it.
func (r *runner) expect(e *expectation, c *calls) error {
	failure, err := r.ask(e, c)
	if err != nil {
		return err
	}
	switch {
	case failure == nil:
		r.result.Passed++
		return nil
	case failure.Unknown:
		r.result.Unknown++
	default:
		r.result.Failed++
	}
	r.result.Failures = append(r.result.Failures, *failure)
	return nil
}

// ask returns nil if the expectation holds.
func (r *runner) ask(e *expectation, c *calls) (*Failure, error) {
	where, err := r.settings(e)
	if err != nil {
		return nil, err
	}
	failure := &Failure{Line: c.line, Column: c.column, Expected: e.text(c), Unknown: true}
	some := false
	var logged []string
	past := ""
	var lacking []string
	for _, set := range where.settings {
		numbers, err := r.numbers(c, set)
		if err != nil && (where.explicit || !errors.Is(err, errAbsent)) {
			return nil, r.file.fault(c.line, c.column, err)
		}
		if len(numbers) == 0 {
			lacking = append(lacking, set.arch.Name)
			continue
		}
		some = true
		l, log, err := r.askIn(e, c, set, numbers, failure)
		if err != nil {
			return nil, err
		}
		where := fmt.Sprintf("%s (%s)", l.arch.Name, l.target.Runtime)
		if log {
			logged = append(logged, where)
		}
		if past == "" && len(failure.Cases) == 0 {
			if past = l.past(e, c, numbers); past != "" {
				past += " on " + where
			}
		}
	}
	if len(logged) > 0 {
		r.note(e, c, "the answer is LOG on "+strings.Join(logged, ", ")+": the call runs, and is logged")
	}
	if past != "" && len(failure.Cases) == 0 {
		r.note(e, c, past)
	}
	switch {
	case !some:
		return nil, r.file.fault(c.line, c.column, fmt.Errorf("%s is about no call on %s", c.text, strings.Join(slices.Compact(lacking), ", ")))
	case len(failure.Cases) == 0:
		return nil, nil
	}
	// What is known to be wrong comes before what is not known.
	slices.SortStableFunc(failure.Cases, func(a, b Case) int { return rank(a.Err) - rank(b.Err) })
	return failure, nil
}

// note adds a line about an expectation that holds.
func (r *runner) note(e *expectation, c *calls, text string) {
	if c.line > 0 {
		text = fmt.Sprintf("%d:%d: %s: %s", c.line, c.column, e.text(c), text)
	} else {
		text = e.text(c) + ": " + text
	}
	r.result.Notes = append(r.result.Notes, text)
}

func rank(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

// settings lists where an expectation is asked.
func (r *runner) settings(e *expectation) (*asked, error) {
	if known := r.asked[e]; known != nil {
		return known, nil
	}
	f, out := r.file, &asked{explicit: len(e.arches) > 0}
	targets, arches, caps, kernel := e.targets, e.arches, e.caps, e.kernel
	if len(targets) == 0 {
		targets = f.targets
	}
	if len(targets) == 0 {
		targets = []place[string]{{}}
	}
	if len(arches) == 0 {
		arches = f.arches
	}
	if len(arches) == 0 {
		for _, a := range r.subject.arches() {
			arches = append(arches, place[*syscalls.Arch]{value: a})
		}
	}
	if !e.capsSet {
		caps = f.caps
	}
	if kernel == (syscalls.Kernel{}) {
		kernel = f.kernel
	}
	if r.subject.profile == nil && (len(caps) > 0 || targets[0].value != "" && (len(targets) > 1 || targets[0].value != profile.RuntimeKernel)) {
		return nil, f.fault(e.line, e.column, errors.New("a compiled filter is the same for all targets and capabilities"))
	}
	for _, t := range targets {
		for _, a := range arches {
			set := setting{a.value, t.value, caps, kernel}
			if _, err := r.subject.load(set); err != nil {
				line, column := f.profileLine, f.profileColumn
				if t.line > 0 {
					line, column = t.line, t.column
				}
				return nil, f.fault(line, column, err)
			}
			out.settings = append(out.settings, set)
		}
	}
	r.asked[e] = out
	return out, nil
}

// errAbsent is wrapped if an ABI lacks a call.
var errAbsent = errors.New("does not exist on")

// numbers lists the syscall numbers that the calls are about in a setting, as ranges.
func (r *runner) numbers(c *calls, set setting) ([]span[uint32], error) {
	switch {
	case c.name != "":
		nr, ok := set.arch.Number(c.name)
		if !ok {
			return nil, fmt.Errorf("%s %w %s", c.name, errAbsent, set.arch.Name)
		}
		return []span[uint32]{{uint32(nr), uint32(nr)}}, nil
	case c.group == wordRest:
		return r.rest(set), nil
	case c.group != "":
		return groupNumbers(c.group, set.arch), nil
	}
	for _, nr := range []int32{c.from, c.to} {
		if owner := syscalls.ByAudit(set.arch.Audit, nr); owner != set.arch {
			return nil, fmt.Errorf("number %d, which is one of %s, %w %s", nr, owner.Name, errAbsent, set.arch.Name)
		}
	}
	return []span[uint32]{{uint32(c.from), uint32(c.to)}}, nil
}

// rest lists the syscalls of an ABI that no expectation names in this setting.
func (r *runner) rest(set setting) []span[uint32] {
	named := make(map[int32]bool)
	for _, e := range r.file.expectations {
		where, err := r.settings(e)
		if err != nil || !slices.ContainsFunc(where.settings, set.equal) {
			continue // an error is reported where the expectation is asked
		}
		for _, c := range e.calls {
			if nr, ok := set.arch.Number(c.name); ok {
				named[nr] = true
			} else if c.name == "" && c.group == "" && c.from == c.to {
				named[c.from] = true
			}
		}
	}
	var out []span[uint32]
	for _, call := range set.arch.Syscalls() {
		if !named[call.Nr] {
			out = append(out, span[uint32]{uint32(call.Nr), uint32(call.Nr)})
		}
	}
	return out
}

func (s setting) equal(o setting) bool {
	return s.arch == o.arch && s.target == o.target && s.kernel == o.kernel &&
		slices.EqualFunc(s.caps, o.caps, func(a, b place[string]) bool { return a.value == b.value })
}

// askIn asks in one setting and adds what is wrong to the failure; logged if LOG was taken for ALLOW.
func (r *runner) askIn(e *expectation, c *calls, set setting, numbers []span[uint32], failure *Failure) (l *loaded, logged bool, err error) {
	if l, err = r.subject.load(set); err != nil {
		return nil, false, r.file.fault(c.line, c.column, err)
	}
	var conds []bound
	for _, cond := range c.conditions {
		b, err := cond.bind(set.arch, c.name)
		if err != nil {
			return nil, false, r.file.fault(c.line, c.column, err)
		}
		conds = append(conds, b)
	}
	for _, n := range numbers {
		answers, err := l.all(n, set.arch, conds)
		if err != nil {
			failure.add(l.undecided(n, err))
			continue
		}
		for _, a := range answers {
			if !e.accepts(a.action) {
				failure.Unknown = false
				failure.add(l.explain(a))
			} else if a.action.Effect().Base() == filter.Log && len(e.with) == 0 {
				logged = true
			}
		}
		for _, k := range l.conflicts(n, conds) {
			if !e.accepts(k.First.Action) || k.Second == nil || !e.accepts(k.Second.Action) {
				failure.add(l.undecided(span[uint32]{uint32(k.Nr), uint32(k.Nr)}, fmt.Errorf("%w: %s", errUndecided, k.Why())))
			}
		}
		r.cover(l, n, conds, answers)
	}
	return l, logged, nil
}

// conflicts returns the conflicts of the profile among calls that fulfil the conditions.
func (l *loaded) conflicts(n span[uint32], conds []bound) (out []profile.Conflict) {
	if l.resolved == nil {
		return nil
	}
	for _, k := range l.resolved.Conflicts {
		if k.Arch != l.arch || uint32(k.Nr) < n.from || uint32(k.Nr) > n.to {
			continue
		}
		if k.Kind == profile.ConflictOrdered { // which calls it is about depends on libseccomp
			out = append(out, k)
			continue
		}
		// The conflict comes with one call; arguments that neither rule asks about can be any.
		args, asked := k.Args, [6]bool{}
		for _, rule := range []*profile.ResolvedRule{k.First, k.Second} {
			if rule != nil {
				for _, c := range rule.Conds {
					asked[c.Arg] = true
				}
			}
		}
		for i := range conds {
			if list := conds[i].constants(l.arch); len(list) > 0 && !asked[conds[i].arg] {
				args[conds[i].arg] = list[0]
			}
		}
		if allHold(conds, &args) {
			out = append(out, k)
		}
	}
	return out
}

func (f *Failure) add(c Case) {
	if len(f.Cases) == MaxCases {
		f.More++
		return
	}
	f.Cases = append(f.Cases, c)
}

// explain describes an answer.
func (l *loaded) explain(a answer) Case {
	c := Case{Arch: l.arch, Target: l.target, Call: a.witness, To: int32(a.to), Action: a.action, When: a.when, Program: l.program}
	c.Syscall, _ = l.arch.NameOf(a.witness.Nr)
	c.Trace = simulate.Trace(l.program, &a.witness, l.order).Trace
	c.Rule, c.Reason = l.decider(&a.witness)
	return c
}

func (l *loaded) undecided(n span[uint32], err error) Case {
	c := Case{Arch: l.arch, Target: l.target, To: int32(n.to), Err: err}
	c.Call.Nr = int32(n.from)
	c.Syscall, _ = l.arch.NameOf(c.Call.Nr)
	return c
}

// RunVectors asks the profile, a built-in's name or a path, about every row of a vector table. The
// error says why nothing could be asked; it is a *VectorError if the table is to blame.
func RunVectors(table string, r io.Reader, profile string, options ...Option) (*Result, error) {
	vectors, err := ReadVectors(table, r)
	if err != nil {
		return nil, err
	}
	s, err := openSubject(profile, "")
	if err != nil {
		return nil, err
	}
	return s.vectors(table, vectors, options)
}
