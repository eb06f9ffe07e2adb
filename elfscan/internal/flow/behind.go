package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// Behind is a store to memory behind a pointer that the function got as a parameter or read from a
// variable.
type Behind struct {
	At     uint64
	Params ParamSet
	Cells  []uint64
	Off    int64 // from where the pointer points
	Size   uint8 // bytes; 0 if it may be all of what lies there
}

// maxBehind bounds the stores behind pointers that are told one by one.
const maxBehind = 256

// loadBehind reads size bytes at v, which is derived from parameters or variables.
func (f *flow) loadBehind(v Value, size uint8) ValueID {
	if v.Unknown || v.Cut != CutNone || v.Ors != nil || len(v.Derefs) > 0 || size != 8 && size != 4 {
		return Unknown
	}
	id := f.vs.Intern(Value{Derefs: derefs(&v)})
	for _, c := range v.Consts {
		id = f.vs.Join(id, loadFixed(f.p, f.vs, c, size))
	}
	if size == 4 {
		id = f.vs.Narrow(id)
	}
	return id
}

// derefs lists what lies behind the parameters and variables of v.
func derefs(v *Value) []Deref {
	var ds []Deref
	for word, set := range v.Params {
		for i := range 64 {
			if set>>i&1 != 0 {
				ds = append(ds, Deref{Param: uint8(64*word + i), Off: v.Off})
			}
		}
	}
	for _, c := range v.Cells {
		ds = append(ds, Deref{Cell: c, Off: v.Off})
	}
	return ds
}

// storeBehind notes a store of size bytes at v. If that is no pointer that is followed, it may point
// to what was taken of the frame.
func (f *flow) storeBehind(s *state, v *Value, size uint8, pc uint64) {
	if !f.conv.Ordered {
		return
	}
	if v.Unknown || len(v.Cells)+len(v.Derefs) > 0 {
		f.killEscaped(s)
	}
	if v.Params.Empty() && len(v.Cells) == 0 {
		return
	}
	if v.Unknown || v.Cut != CutNone || v.Ors != nil {
		size = 0
	}
	if len(f.out.Behind) == maxBehind {
		f.losePointer(&Value{Params: v.Params, Cells: v.Cells}, f.vs.Get(Unknown))
		return
	}
	b := Behind{At: pc, Params: v.Params, Cells: v.Cells, Off: v.Off, Size: size}
	for i := range f.out.Behind {
		o := &f.out.Behind[i]
		if o.Off == b.Off && o.Size == b.Size && o.Params == b.Params && slices.Equal(o.Cells, b.Cells) {
			return
		}
	}
	f.out.Behind = append(f.out.Behind, b)
}

// losePointer notes that the parameters and variables of v go where they are not followed, unless
// kept still has them: beside Unknown they stand for a pointer to anywhere behind them.
func (f *flow) losePointer(v, kept *Value) {
	if v.Cut != CutNone || v.Ors != nil {
		return // a number
	}
	for i := range v.Params {
		f.out.Lost[i] |= v.Params[i] &^ kept.Params[i]
	}
	for _, c := range v.Cells {
		if !slices.Contains(kept.Cells, c) && !slices.Contains(f.out.Cells, c) {
			f.out.Cells = append(f.out.Cells, c)
		}
	}
}

// giveBack notes the parameters that a function returns: to its caller that is another name for what it
// passed. Functions without a result look as if they did so too.
func (f *flow) giveBack(id ValueID) {
	v := f.vs.Get(id)
	if v.Cut != CutNone || v.Ors != nil {
		return
	}
	f.out.Returned.add(&v.Params)
}

// loseBase notes the address in the frame that an operand with an index starts from.
func (f *flow) loseBase(s *state, o isa.Operand) {
	for _, r := range [2]isa.Reg{o.Reg, o.Index} {
		if r != isa.NoReg {
			f.lose(s, s.regs[r])
			f.takeAround(s, s.regs[r])
		}
	}
}

// killEscaped forgets what others may write to of the frame.
func (f *flow) killEscaped(s *state) {
	if s.low < f.conv.StackArg {
		i := len(s.slots)
		for i > 0 && s.slots[i-1].Off >= f.conv.StackArg {
			i--
		}
		from := i
		for from > 0 && s.slots[from-1].Off+int64(s.slots[from-1].Size) > s.low {
			from--
		}
		s.slots = slices.Delete(s.slots, from, i)
	}
	if s.lowArg < noneTaken {
		at := max(s.lowArg, f.conv.StackArg)
		f.killSlots(s, at, f.conv.StackArg+4*OutSlots-at)
	}
}

// dropBelow forgets what lies below the stack pointer, where the callee had its frame.
func (f *flow) dropBelow(s *state) {
	sp := f.vs.Get(s.regs[f.m.SP])
	if !sp.Stack {
		return
	}
	i := 0
	for i < len(s.slots) && s.slots[i].Off < sp.Off && s.slots[i].Off < f.conv.StackArg {
		i++
	}
	s.slots = slices.Delete(s.slots, 0, i)
}

// moveStack computes the stack pointer. Rounding it down makes room of unknown size below the
// frame, of which only matters that it lies below; what is taken from it by an unknown amount is not
// followed.
func (f *flow) moveStack(kind isa.OpKind, a, b ValueID) ValueID {
	v := f.vs.Get(a)
	mask, ok := f.vs.IsConst(b)
	if kind == isa.OpAnd && v.Stack && ok && len(mask) == 1 && int64(mask[0]) < 0 && int64(mask[0]) > -1<<16 {
		at := v.Off - f.conv.StackArg // a multiple of 16 lies at 0
		return f.vs.StackAddr(at&int64(mask[0]) + f.conv.StackArg)
	}
	return f.vs.Binary(kind, a, b)
}

// tableEntry reads memory at an index from an address that is known: an entry of a jump table, if it
// is used as one.
func (f *flow) tableEntry(s *state, o isa.Operand) ValueID {
	if o.Size == 0 || o.Size > 8 {
		return Unknown
	}
	id := f.address(s, o)
	if id != Unknown {
		return f.load(s, id, o.Size)
	}
	base := uint64(o.Value)
	known := o.Reg == isa.NoReg
	for _, r := range [2]isa.Reg{o.Reg, o.Index} {
		if r == isa.NoReg || r == o.Index && o.Scale > 1 {
			continue
		}
		if c, ok := f.vs.IsConst(s.regs[r]); ok && len(c) == 1 {
			base, known = base+c[0], true
		}
	}
	if !known || f.p.Changes(base) {
		return Unknown
	}
	return f.vs.Intern(Value{Unknown: true, Table: Table{Addr: base, Size: o.Size}})
}
