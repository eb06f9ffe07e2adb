package flow

import "github.com/profcheck/profcheck/elfscan/internal/isa"

// Table is a jump table as compilers of C lay it out, while the address in an entry of it is being
// computed: the entry is read, extended, shifted and added to a base.
type Table struct {
	Addr   uint64
	Base   uint64 // what is added, once Based
	Size   uint8  // bytes of an entry; 0 for no table
	Shift  uint8  // bits
	Signed bool
	Based  bool
}

// leads reports whether what t describes is the address of code.
func (t Table) leads() bool { return t.Based || t.Size == 8 }

// tableArith is Binary where one side is an entry of a jump table.
func (vs *Values) tableArith(kind isa.OpKind, x, y Value) ValueID {
	if kind == isa.OpAdd && y.Table.Size != 0 {
		x, y = y, x
	}
	if y.Table.Size != 0 || x.Table.Based || !y.plain() || len(y.Consts) != 1 {
		return Unknown
	}
	t, n := x.Table, y.Consts[0]
	switch {
	case kind == isa.OpAdd && t.Size < 8:
		t.Base, t.Based = n, true
	case kind == isa.OpShl && n < 4 && t.Size < 4 && t.Shift == 0:
		t.Shift = uint8(n)
	default:
		return Unknown
	}
	return vs.Intern(Value{Unknown: true, Table: t})
}

// target returns where entry i leads.
func (t Table) target(p Program, i int) (uint64, bool) {
	b := p.Bytes(t.Addr+uint64(i)*uint64(t.Size), uint64(t.Size))
	if b == nil {
		return 0, false
	}
	var w uint64
	for k, c := range b {
		w |= uint64(c) << (8 * k)
	}
	if t.Size == 8 {
		return w, true
	}
	if t.Signed {
		shift := 64 - 8*uint(t.Size)
		w = uint64(int64(w<<shift) >> shift)
	}
	return t.Base + w<<t.Shift, true
}
