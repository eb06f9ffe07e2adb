package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// Subst says in terms of a caller what id, a value of the function that c calls, is at c.
func (vs *Values) Subst(p Program, conv *Convention, id ValueID, c *Call) ValueID {
	v := *vs.Get(id)
	if v.Terms.some() {
		return vs.Binary(isa.OpOr, vs.Subst(p, conv, v.Terms[0], c), vs.Subst(p, conv, v.Terms[1], c))
	}
	if v.Params.Empty() && len(v.Derefs) == 0 {
		return id
	}
	rest := v
	rest.Params, rest.Derefs = ParamSet{}, nil
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
	for j := range int64(64) {
		if v.Params[1]>>j&1 != 0 {
			// A parameter that was read as 4 bytes is cut; its neighbour does not matter.
			add(c.stackWord(conv, j, v.Cut != CutNone))
		}
	}
	for _, d := range v.Derefs {
		if d.Cell != 0 {
			rest.Derefs = append(rest.Derefs, d)
			continue
		}
		size := uint8(8)
		if v.Cut != CutNone {
			size = 4
		}
		add(vs.Content(p, c.argument(conv, d.Param), d.Off, size, c.Frame))
	}
	if rest.Unknown || len(rest.Consts)+len(rest.Cells)+len(rest.Derefs) > 0 {
		if x := vs.Intern(rest); first {
			out = x
		} else {
			out = vs.Join(out, x)
		}
	}
	return out
}

// argument returns what c passes as the parameter that a Deref names.
func (c *Call) argument(conv *Convention, param uint8) ValueID {
	if param < 64 {
		return c.Regs[param]
	}
	return c.stackWord(conv, int64(param)-64, false)
}

// stackWord returns what c passes in the j-th 4-byte word of the stack arguments: 4 bytes if narrow,
// else 8.
func (c *Call) stackWord(conv *Convention, j int64, narrow bool) ValueID {
	push := conv.Machine.CallPush
	if c.Kind == isa.OpJump || c.Kind == isa.OpJumpInd || c.Kind == isa.OpBranch {
		push = 0
	}
	switch k := (conv.StackArg-push)/4 + j; {
	case k >= OutSlots:
		return Unknown
	case narrow:
		return Word(c.Stack4, k)
	case k%2 != 0:
		return Unknown
	default:
		return Word(c.Stack8, k/2)
	}
}

// Content says what size bytes, 8 or 4, hold that lie off bytes behind the pointer ptr. frame is
// what is known of the frame that ptr may point into.
//
// That holds as long as nobody writes there in between, see Keeper.
func (vs *Values) Content(p Program, ptr ValueID, off int64, size uint8, frame []Slot) ValueID {
	v := *vs.Get(ptr)
	switch {
	case v.Unknown || len(v.Derefs) > 0 || v.Cut != CutNone || v.Ors != nil:
		return Unknown
	case v.Stack:
		for _, s := range frame {
			if s.Off == v.Off+off && s.Size >= size {
				return s.ID
			}
		}
		return Unknown
	}
	out, first := Unknown, true
	for _, c := range v.Consts {
		if x := loadFixed(p, vs, c+uint64(off), size); first {
			out, first = x, false
		} else {
			out = vs.Join(out, x)
		}
	}
	v.Off += off
	if ds := derefs(&v); len(ds) > 0 {
		if x := vs.Intern(Value{Derefs: ds}); first {
			out = x
		} else {
			out = vs.Join(out, x)
		}
	}
	return out
}

// Aliases lists the other parameters through which the function that c calls gets at the memory at
// d, in the frame of the caller. Keeper must answer for each of them. What an address means lies where
// it points and above, unless strict, when it may be the end of it.
func (vs *Values) Aliases(conv *Convention, d Deref, c *Call, strict bool) []Deref {
	ptr := *vs.Get(c.argument(conv, d.Param))
	if d.Cell != 0 || !ptr.Stack {
		return nil
	}
	var out []Deref
	for _, r := range conv.Params {
		if v := vs.Get(c.Regs[r]); v.Stack && uint8(r) != d.Param && (strict || v.Off < ptr.Off+d.Off+8) {
			out = append(out, Deref{Param: uint8(r), Off: ptr.Off + d.Off - v.Off})
		}
	}
	for k, id := range c.Stack8 {
		j := 2*int64(k) - (conv.StackArg-conv.Machine.CallPush)/4
		if v := vs.Get(id); v.Stack && j >= 0 && uint8(64+j) != d.Param && (strict || v.Off < ptr.Off+d.Off+8) {
			out = append(out, Deref{Param: uint8(64 + j), Off: ptr.Off + d.Off - v.Off})
		}
	}
	return out
}

// InFrame returns where the memory at d, of the function that c calls, lies in the frame of the caller,
// if it does.
func (vs *Values) InFrame(conv *Convention, d Deref, c *Call) (int64, bool) {
	if d.Cell != 0 {
		return 0, false
	}
	ptr := vs.Get(c.argument(conv, d.Param))
	return ptr.Off + d.Off, ptr.Stack
}
