package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// Subst says in terms of a caller what id, a value of the function that c calls, is at c.
func (vs *Values) Subst(conv *Convention, id ValueID, c *Call) ValueID {
	v := *vs.Get(id)
	if v.Params.Empty() {
		return id
	}
	rest := v
	rest.Params = ParamSet{}
	out, first := Unknown, true
	add := func(x ValueID) {
		if x = vs.Adapt(&v, x); first {
			out, first = x, false
		} else {
			out = vs.Join(out, x)
		}
	}
	for reg := range conv.Machine.Regs {
		if v.Params[0]>>reg&1 != 0 {
			add(c.Regs[reg])
		}
	}
	push := conv.Machine.CallPush
	if c.Kind == isa.OpJump || c.Kind == isa.OpJumpInd || c.Kind == isa.OpBranch {
		push = 0
	}
	for j := range int64(64) {
		if v.Params[1]>>j&1 == 0 {
			continue
		}
		// A parameter that was read as 4 bytes is cut; its neighbour does not matter.
		k := (conv.StackArg-push)/4 + j
		switch {
		case k >= OutSlots:
			add(Unknown)
		case v.Cut != CutNone:
			add(Word(c.Stack4, k))
		case k%2 != 0:
			add(Unknown)
		default:
			add(Word(c.Stack8, k/2))
		}
	}
	if rest.Unknown || len(rest.Consts) > 0 || len(rest.Cells) > 0 {
		out = vs.Join(out, vs.Intern(rest))
	}
	return out
}
