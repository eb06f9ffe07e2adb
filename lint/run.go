package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// Run judges a profile, and the programs of the input under it. The error says why the profile
// cannot be judged: that the runtime would refuse it, or that its filter cannot be loaded.
//
// The result depends on the input alone, and so does its order.
func Run(in Input) (*Result, error) {
	if in.Profile == nil {
		return nil, errors.New("no profile to judge")
	}
	for _, u := range in.Usage {
		if u.Arch == nil {
			return nil, fmt.Errorf("usage of %s: no architecture", u.Program)
		}
	}
	p := &Pass{Input: in}
	if in.Profile.Unread() && len(in.Usage) == 0 {
		return p.textOnly(), nil
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	p.judgeUsage()
	p.judgeRuntime()
	slices.SortStableFunc(p.calls, func(a, b *call) int {
		return cmp.Or(cmp.Compare(p.archOrder(a.abi.Arch), p.archOrder(b.abi.Arch)), cmp.Compare(a.nr, b.nr))
	})
	p.findUnused()
	for _, c := range Checks() { // in order: PC820 says what those before it could not
		if c.Run == nil || c.NeedsBinary && len(in.Usage) == 0 {
			continue
		}
		p.check = c
		c.Run(p)
	}
	return p.result(), nil
}

// textOnly judges what is written where the rules are not known: a container whose profile was not read, or
// a profile whose base was not.
func (p *Pass) textOnly() *Result {
	for _, c := range Checks() {
		if c.TextOnly {
			p.check = c
			c.Run(p)
		}
	}
	return p.result()
}

// resolve sets Hosts and ABIs.
func (p *Pass) resolve() error {
	asked := p.arches()
	byHost := make(map[*syscalls.Arch]*Host)
	for _, a := range asked {
		native := hostOf(a)
		if byHost[native] != nil {
			continue
		}
		h, err := newHost(p.Input.Profile, p.target(a))
		if err != nil {
			return err
		}
		byHost[native] = h
		p.Hosts = append(p.Hosts, h)
	}
	// Without a wish, whatever the filter answers for is judged: a runtime may add the native ABI.
	if len(p.Input.Arches) == 0 && len(p.Input.Usage) == 0 {
		asked = nil
		for _, h := range p.Hosts {
			for _, a := range h.Resolved.Arches {
				if hostOf(a) == hostOf(h.Native.Arch) {
					asked = append(asked, a)
				}
			}
			if h.Resolved.Disabled {
				asked = append(asked, h.Native.Arch)
			}
		}
	}
	for _, a := range asked {
		abi, err := byHost[hostOf(a)].abi(a)
		if err != nil {
			return err
		}
		p.ABIs = append(p.ABIs, abi)
	}
	if raw := p.Input.Profile.Format == profile.Raw; raw && len(p.Input.Arches) == 0 && len(p.Input.Usage) == 0 {
		p.leaveClosed()
	}
	return nil
}

// leaveClosed leaves out the ABIs that a compiled filter asks for in order to close them, as libseccomp's
// do with x32, unless it closes all.
func (p *Pass) leaveClosed() {
	closed := func(a *ABI) bool {
		return !slices.ContainsFunc(a.Syscalls(), func(s syscalls.Syscall) bool {
			regions, err := a.Answer(s.Nr)
			return err != nil || slices.ContainsFunc(regions, func(r simulate.Region) bool { return opens(r.Action) })
		})
	}
	left := slices.DeleteFunc(slices.Clone(p.ABIs), closed)
	if len(left) == 0 {
		return
	}
	p.ABIs = left
	for _, h := range p.Hosts {
		h.Resolved.Arches = slices.DeleteFunc(h.Resolved.Arches, func(a *syscalls.Arch) bool {
			return !slices.ContainsFunc(left, func(abi *ABI) bool { return abi.Arch == a })
		})
	}
}

// arches returns the ABIs to judge as the input asks for them, each once.
func (p *Pass) arches() []*syscalls.Arch {
	var out []*syscalls.Arch
	add := func(a *syscalls.Arch) {
		if a != nil && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	for _, a := range p.Input.Arches {
		add(a)
	}
	for _, u := range p.Input.Usage {
		add(u.Arch)
	}
	if len(out) > 0 {
		return out
	}
	named := p.Input.Profile.Architectures
	for _, m := range p.Input.Profile.ArchMap {
		named = append(append(slices.Clip(named), m.Arch), m.Sub...)
	}
	for _, n := range named {
		if a, err := syscalls.Lookup(n.Text); err == nil {
			add(a)
		}
	}
	if len(out) == 0 {
		add(p.Input.Target.ABI)
	}
	if len(out) == 0 {
		add(p.Input.Profile.HomeArch())
	}
	return out
}

// target returns the input's target for the host of an ABI.
func (p *Pass) target(abi *syscalls.Arch) profile.Target {
	t := p.Input.Profile.DefaultTarget(abi)
	if p.Input.Target.Runtime != "" {
		host := t.Host
		t = p.Input.Target
		t.ABI, t.Host = abi, host
	}
	return t
}

// find returns the judged ABI of an architecture.
func (p *Pass) find(a *syscalls.Arch) *ABI {
	for _, abi := range p.ABIs {
		if abi.Arch == a {
			return abi
		}
	}
	return nil // not reached: resolve judges the ABI of every usage
}

// judgeRuntime adds what the target's runtime calls after it has loaded the filter, in the ABI of
// the host.
func (p *Pass) judgeRuntime() {
	for _, h := range p.Hosts {
		for _, s := range profile.StartCalls(h.Target) {
			if nr, ok := h.Native.Number(s.Name); ok {
				p.call(h.Native, nr).judgeStart(h.Target.Runtime, s)
			}
		}
	}
}

// judgeUsage adds what the programs need.
func (p *Pass) judgeUsage() {
	for _, u := range p.Input.Usage {
		abi := p.find(u.Arch)
		for i := range u.Needs {
			n := &u.Needs[i]
			sites := n.Sites
			if len(sites) == 0 {
				sites = []Site{{Class: n.Class, Condition: n.Condition, Args: n.Args, Path: n.Path, Always: n.Always}}
			}
			c := p.call(abi, n.Nr)
			for _, s := range sites {
				c.judge(u.Program, s)
			}
		}
	}
}

// x32Suffix marks calls of x32 among those of x86_64.
const x32Suffix = " (x32)"

// call returns the call of a number, which it adds if it is new.
func (p *Pass) call(abi *ABI, nr int32) *call {
	key := callKey{abi, nr}
	if c := p.byNumber[key]; c != nil {
		return c
	}
	c := &call{abi: abi, nr: nr}
	c.name, c.named = abi.NameOf(nr)
	if !c.named {
		c.name = fmt.Sprintf("call number %d", nr)
		if x32 := syscalls.ByName("x32"); abi.Audit == x32.Audit {
			if name, ok := x32.NameOf(nr); ok {
				c.name, c.named = name+x32Suffix, true
			}
		}
	}
	if p.byNumber == nil {
		p.byNumber = make(map[callKey]*call)
	}
	p.byNumber[key] = c
	p.calls = append(p.calls, c)
	return c
}

// findUnused lists the calls that are open on the ABI of a program and that nothing needs.
func (p *Pass) findUnused() {
	for _, abi := range p.ABIs {
		if !abi.Enforced() || !slices.ContainsFunc(p.Input.Usage, func(u Usage) bool { return u.Arch == abi.Arch }) {
			continue
		}
		for _, s := range abi.Syscalls() {
			if p.byNumber[callKey{abi, s.Nr}] != nil {
				continue
			}
			if o, ok := p.openness(abi, s); ok {
				p.unused = append(p.unused, o)
			}
		}
	}
}

// openness describes a call that is open for some arguments.
func (p *Pass) openness(abi *ABI, s syscalls.Syscall) (Outcome, bool) {
	show, found := p.ask(abi, s.Name, anyArgs)
	o := Outcome{Arch: abi.Arch, Nr: s.Nr, Name: s.Name, Outcome: Unused, Action: show.action}
	regions, err := abi.Answer(s.Nr)
	switch {
	case err != nil:
		o.When = "too complex to tell"
	case slices.ContainsFunc(regions, func(r simulate.Region) bool { return !opens(r.Action) }):
		o.When = conditions(regions, opens)
	}
	return o, found == open
}

// result puts together what the checks and the judgement found.
func (p *Pass) result() *Result {
	r := &Result{Input: p.Input, Findings: p.join(p.findings)}
	for _, h := range p.Hosts {
		r.Hosts = append(r.Hosts, h.Resolved)
	}
	if len(r.Hosts) > 0 {
		r.Resolved = r.Hosts[0]
	}
	for _, c := range p.calls {
		r.Outcomes = append(r.Outcomes, c.result())
	}
	r.Outcomes = append(r.Outcomes, p.unused...)
	slices.SortStableFunc(r.Outcomes, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(p.archOrder(a.Arch), p.archOrder(b.Arch)), cmp.Compare(a.Nr, b.Nr))
	})
	for _, u := range p.Input.Usage {
		if !u.Complete {
			r.Incomplete = append(r.Incomplete, u.Program)
		}
		one := p.judged(u)
		r.Programs = append(r.Programs, one)
		switch {
		case one.Verdict == VerdictDenied || r.Verdict == "",
			one.Verdict == VerdictUnknown && r.Verdict == VerdictOK:
			r.Verdict = one.Verdict
		}
	}
	return r
}

// archOrder returns the place of an architecture among the judged ones; the ABI of the runtime, which
// need not be one of them, comes last.
func (p *Pass) archOrder(a *syscalls.Arch) int {
	for i, abi := range p.ABIs {
		if abi.Arch == a {
			return i
		}
	}
	return len(p.ABIs)
}

// join makes one finding of those that differ in nothing but the ABI, and sorts: the gravest first,
// then by check and place.
func (p *Pass) join(findings []finding.Finding) []finding.Finding {
	type key struct {
		check, message, syscalls string
		severity                 finding.Severity
		pos                      finding.Pos
	}
	var out []finding.Finding
	arches := make(map[key][]string)
	for _, f := range findings {
		k := key{f.Check, f.Message, strings.Join(f.Syscalls, " "), f.Severity, f.Pos}
		if arches[k] == nil {
			out = append(out, f)
		}
		if !slices.Contains(arches[k], f.Arch) {
			arches[k] = append(arches[k], f.Arch)
		}
	}
	for i := range out {
		f := &out[i]
		k := key{f.Check, f.Message, strings.Join(f.Syscalls, " "), f.Severity, f.Pos}
		if f.Arch != "" {
			f.Arches = arches[k]
		}
		if others := arches[k][1:]; len(others) > 0 {
			if len(others)+1 == len(p.ABIs) {
				f.Arch = ""
			} else {
				f.Message += fmt.Sprintf(" (also on %s)", list(others, len(others)))
			}
		}
	}
	slices.SortStableFunc(out, Order)
	return out
}

// Order is the order of findings about one profile: the gravest first, then by check and place.
func Order(a, b finding.Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		strings.Compare(a.Check, b.Check),
		cmp.Compare(a.Pos.Line, b.Pos.Line),
		cmp.Compare(a.Pos.Column, b.Pos.Column),
	)
}
