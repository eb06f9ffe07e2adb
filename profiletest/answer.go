package profiletest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// An answer is one of those that a filter gives to a call, whatever its arguments are.
type answer struct {
	action  filter.Action
	witness filter.Data // a call that gets it
	to      uint32      // the last of the numbers from that of the witness on that get it
	when    string      // the condition on the call, "" for always
}

// errUndecided is wrapped where nobody can tell what the filter answers.
var errUndecided = errors.New("cannot be proved")

// answers returns all that the filter can answer to a syscall whose arguments fulfil the conditions,
// each with a witness that a run confirms.
func (c *compiled) answers(arch *syscalls.Arch, nr int32, conds []bound) ([]answer, error) {
	if c.gaveUp >= maxUndecided {
		return nil, fmt.Errorf("%w: the filter was too complex %d times before", errUndecided, c.gaveUp)
	}
	var args [6][]uint64
	var rest []bound
	for i := range conds {
		list := conds[i].constants(arch)
		if a := conds[i].arg; list != nil && args[a] == nil {
			args[a] = list
		} else {
			rest = append(rest, conds[i])
		}
	}
	marker, err := c.marker(arch, nr, args)
	if err != nil {
		return nil, err
	}
	guarded := guard(c.program, rest, marker, c.order)
	regions, err := simulate.Outcomes(guarded, arch, nr, args)
	if err != nil {
		return nil, c.undecided(err)
	}
	var out []answer
	for _, r := range regions {
		if len(rest) > 0 && r.Action == marker {
			continue
		}
		d, err := r.Witness(arch, args)
		if errors.Is(err, simulate.ErrEmpty) {
			continue
		}
		if err != nil {
			return nil, c.undecided(err)
		}
		d.Nr, d.Arch = nr, arch.Audit
		if got := simulate.Run(c.program, &d, c.order); got != r.Action || !allHold(conds, &d.Args) {
			return nil, fmt.Errorf("%w: a run gives %v where the proof has %v", errUndecided, got, r.Action)
		}
		out = append(out, answer{r.Action, d, uint32(nr), when(r)})
	}
	return out, nil
}

func allHold(conds []bound, args *[6]uint64) bool {
	return !slices.ContainsFunc(conds, func(b bound) bool { return !b.holds(args) })
}

// when writes the conditions of a region.
func when(r simulate.Region) string {
	text := ""
	for i, c := range r.When {
		if i > 0 {
			text += " and "
		}
		text += c.String()
	}
	return text
}

// marker returns a value that the filter never answers to the call.
func (c *compiled) marker(arch *syscalls.Arch, nr int32, args [6][]uint64) (filter.Action, error) {
	if c.returns == nil {
		c.returns = make(map[filter.Action]bool)
		for _, in := range c.program {
			c.returns[filter.KillThread] = true // a division by 0
			if in.Code == filter.OpRetK {
				c.returns[filter.Action(in.K)] = true
			}
			c.computes = c.computes || in.Code == filter.OpRetA
		}
	}
	marker := filter.Action(0x00010000) // an action that the kernel does not know
	for c.returns[marker] {
		marker++
	}
	if !c.computes {
		return marker, nil
	}
	regions, err := simulate.Outcomes(c.program, arch, nr, args)
	if err != nil {
		return 0, c.undecided(err)
	}
	for slices.ContainsFunc(regions, func(r simulate.Region) bool { return r.Action == marker }) || c.returns[marker] {
		marker++
	}
	return marker, nil
}

// maxUndecided bounds how often a filter is asked about that is too complex, as that takes long.
const maxUndecided = 8

// undecided counts and wraps an error of simulate.
func (c *compiled) undecided(err error) error {
	c.gaveUp++
	return fmt.Errorf("%w: %w", errUndecided, err)
}

// maxProofs bounds the proofs that coverage asks for, per filter.
const maxProofs = 1 << 9

// reach notes the instructions that calls reach whose arguments fulfil the conditions: those that
// ran for the witnesses, and others that a proof finds a call for. An instruction that a program may
// reach is asked about by putting the marker in its place.
func (c *compiled) reach(arch *syscalls.Arch, nr int32, conds []bound, answers []answer) {
	for i := range answers {
		c.traced(&answers[i].witness)
	}
	for pc, may := range c.mayReach(arch, nr) {
		if !may || c.reached[pc] {
			continue
		}
		if c.proofs++; c.proofs > maxProofs {
			return // not known to be reached
		}
		marker, err := c.marker(arch, nr, [6][]uint64{})
		if err != nil {
			return // not known to be reached
		}
		other := &compiled{program: slices.Clone(c.program), order: c.order}
		other.program[pc] = filter.Return(marker)
		list, err := other.answers(arch, nr, conds)
		if err != nil {
			c.proofs += maxProofs / maxUndecided // takes as long as many others
			continue
		}
		for _, a := range list {
			if a.action == marker {
				c.traced(&a.witness)
			}
		}
	}
}

// traced notes what runs for a call.
func (c *compiled) traced(d *filter.Data) {
	for _, s := range simulate.Trace(c.program, d, c.order).Trace {
		c.reached[s.PC] = true
	}
}

// mayReach marks the instructions that a call of this number may run, whatever its arguments are: it
// follows jumps on number and token, and takes both ways elsewhere. Nothing that can run is missing.
func (c *compiled) mayReach(arch *syscalls.Arch, nr int32) []bool {
	const unknown = -1
	p := c.program
	seen := make([]bool, len(p))
	holds := make([]int64, len(p)) // what A holds before an instruction; unknown if it may differ
	visit := func(pc int, a int64) {
		switch {
		case pc >= len(p):
		case !seen[pc]:
			seen[pc], holds[pc] = true, a
		case holds[pc] != a:
			holds[pc] = unknown
		}
	}
	visit(0, 0)
	for pc, in := range p { // jumps only go forward, so all ways to an instruction were seen before it
		if !seen[pc] {
			continue
		}
		a := holds[pc]
		switch in.Code {
		case filter.OpRetK, filter.OpRetA:
			continue
		case filter.OpJa:
			visit(pc+1+int(in.K), a)
			continue
		case filter.OpLdAbs:
			a = unknown
			if in.K == filter.OffsetNr {
				a = int64(uint32(nr))
			} else if in.K == filter.OffsetArch {
				a = int64(arch.Audit)
			}
		default:
			if in.Code&7 == filter.ClassJmp {
				taken, known := jumps(in, a)
				if !known || taken {
					visit(pc+1+int(in.Jt), a)
				}
				if !known || !taken {
					visit(pc+1+int(in.Jf), a)
				}
				continue
			}
			if class := in.Code & 7; class == filter.ClassLd || class == filter.ClassAlu || in.Code == filter.OpTxa {
				a = unknown
			}
		}
		visit(pc+1, a)
	}
	return seen
}

// jumps tells whether a conditional jump is taken, if A is known; -1 is not.
func jumps(in filter.Insn, a int64) (taken, known bool) {
	if a < 0 || in.Code&filter.SrcX != 0 {
		return false, false
	}
	v := uint32(a)
	switch in.Code {
	case filter.OpJeqK:
		return v == in.K, true
	case filter.OpJgtK:
		return v > in.K, true
	case filter.OpJgeK:
		return v >= in.K, true
	}
	return v&in.K != 0, true
}

// stubAction is what runc's stub answers: ENOSYS by its generic number.
const stubAction = filter.Errno | 38

// decider finds the rule that decides a call, nil if it is none, and says in one line what does.
func (l *loaded) decider(d *filter.Data) (*profile.ResolvedRule, string) {
	r := l.resolved
	if r == nil {
		return nil, "the filter"
	}
	if r.Disabled {
		return nil, "no filter: the profile turns seccomp off"
	}
	action := r.Meaning(l.arch, d.Nr, d.Args)
	owner := syscalls.ByAudit(d.Arch, d.Nr)
	if limit, ok := r.Stub[l.arch.Name]; ok && owner == l.arch && uint32(d.Nr) > uint32(limit) && action == stubAction {
		return nil, fmt.Sprintf("the stub that the runtime puts in front: the largest number that the profile names is %d", limit)
	}
	if !slices.Contains(r.Arches, l.arch) {
		return nil, "the filter does not know the ABI"
	}
	name, _ := l.arch.NameOf(d.Nr)
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.Name == name && rule.Action == action && l.matches(rule, &d.Args) {
			return rule, ruleText(rule)
		}
	}
	if action == r.Default {
		return nil, "the default action"
	}
	return nil, "the filter, by no single rule"
}

func (l *loaded) matches(rule *profile.ResolvedRule, args *[6]uint64) bool {
	for _, c := range rule.Conds {
		if !c.Holds(args[c.Arg], l.arch.PointerBits) {
			return false
		}
	}
	return true
}

// ruleText says where a rule is and under which condition it holds.
func ruleText(rule *profile.ResolvedRule) string {
	text := fmt.Sprintf("syscalls[%d] at %s", rule.Source.Index, rule.Pos)
	for i, c := range rule.Conds {
		if i == 0 {
			text += ", because "
		} else {
			text += " && "
		}
		text += c.String()
	}
	return text
}
