package flow

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// Value is what a register or stack slot can hold at one point of a function: constants, what the
// function's caller passed in, what memory at a fixed address holds, an address in the function's
// own stack frame, or anything (unknown). The kinds can be joined, except that a stack address
// joined with anything else is unknown.
type Value struct {
	Unknown bool
	Stack   bool  // the address entrySP+Off
	Off     int64 // of a stack address; else what was added to Params, Cells and Derefs
	Consts  []uint64
	Params  ParamSet
	Cells   []uint64 // 8-byte variables in writable memory
	Derefs  []Deref  // 8 bytes behind a pointer
	Cut     Cut      // what happened to Params, Cells and Derefs on the way, after Off was added
	Ors     []uint64 // and then: one of these constants was ORed in; nil for none
	Table   Table    // beside Unknown: an entry of this jump table
	Byte    bool     // beside Unknown: the low byte is one of Consts
	Terms   Terms    // beside Unknown: the OR of these
}

// ParamSet is a set of entry parameters: bit r of the first word for register r, bit j of the
// second for the stack argument at entrySP + Convention.StackArg + 4*j.
type ParamSet [2]uint64

// Empty reports whether p has no parameter.
func (p ParamSet) Empty() bool { return p[0]|p[1] == 0 }

// Has reports whether p has the parameter that a Deref calls i.
func (p ParamSet) Has(i uint8) bool { return p[i>>6]>>(i&63)&1 != 0 }

func (p *ParamSet) add(q *ParamSet) {
	p[0] |= q[0]
	p[1] |= q[1]
}

// Deref is the memory Off bytes behind a pointer: behind the one in the variable at Cell or, if
// that is 0, behind the one that the function got as a parameter.
type Deref struct {
	Cell  uint64
	Param uint8 // register number; 64+j for the stack argument of ParamSet's bit j
	Off   int64
}

func (d Deref) compare(e Deref) int {
	return cmp.Or(cmp.Compare(d.Cell, e.Cell), cmp.Compare(d.Param, e.Param), cmp.Compare(d.Off, e.Off))
}

// maxDerefs bounds the pointers behind which one value is.
const maxDerefs = 8

// Cut says that a value was narrowed after it was read.
type Cut uint8

// The kinds of Cut.
const (
	CutNone Cut = iota
	CutZero     // low 32 bits, zero-extended
	CutSign     // low 32 bits, sign-extended
)

func (c Cut) apply(v uint64) uint64 {
	switch c {
	case CutZero:
		return v & 0xffffffff
	case CutSign:
		return uint64(int64(int32(v)))
	}
	return v
}

// MaxConsts bounds the constants of one value and the work of combining two; beyond it a value is
// unknown.
const MaxConsts = 64

// ValueID names an interned value. 0 is unknown.
type ValueID uint32

// Unknown is the value of which nothing is known.
const Unknown ValueID = 0

// Values interns values, so that states are small, equality is cheap and joins are remembered.
type Values struct {
	all   []Value
	ids   map[string]ValueID
	joins map[uint64]ValueID // by both
	key   []byte

	// Pointers makes sums of a parameter or variable and a constant, and what lies behind them,
	// values of their own. It is set before the first function is followed.
	Pointers bool

	// For speed: values by their only content, and results.
	consts  map[uint64]ValueID                 // Consts with this one element
	stack   map[int64]ValueID                  // addresses in the frame
	results [isa.OpStop + 1]map[uint64]ValueID // of operations, by kind and operands
	params  [2][64]ValueID                     // Params with this one element
	halves  [64]ValueID                        // the low 4 bytes of stack arguments
	engine  *flow                              // buffers for the next function

	shared map[[MaxRegs]ValueID]*[MaxRegs]ValueID // see share
}

// NewValues returns an empty set, which knows Unknown only.
func NewValues() *Values {
	vs := &Values{ids: map[string]ValueID{}, joins: map[uint64]ValueID{}, consts: map[uint64]ValueID{},
		stack:  map[int64]ValueID{},
		shared: map[[MaxRegs]ValueID]*[MaxRegs]ValueID{}}
	vs.Intern(Value{Unknown: true})
	for i := range vs.results {
		vs.results[i] = map[uint64]ValueID{}
	}
	return vs
}

// Get returns the value that id names. It must not be changed, and moves when others are added.
func (vs *Values) Get(id ValueID) *Value { return &vs.all[id] }

// Intern returns the name of v, whose sets are ascending and without repetition.
func (vs *Values) Intern(v Value) ValueID {
	if v.Unknown && v.Stack || len(v.Consts) > MaxConsts || len(v.Cells) > MaxConsts || len(v.Derefs) > maxDerefs {
		v = Value{Unknown: true}
	}
	if !v.Derived() {
		v.Cut, v.Ors = CutNone, nil
		if !v.Stack {
			v.Off = 0
		}
	}
	if len(v.Ors) > MaxConsts {
		v = Value{Unknown: true}
	}
	k := vs.key[:0]
	flags := byte(v.Cut) << 2
	if v.Unknown {
		flags |= 1
	}
	if v.Stack {
		flags |= 2
	}
	k = append(k, flags)
	k = binary.LittleEndian.AppendUint64(k, uint64(v.Off))
	k = binary.LittleEndian.AppendUint64(k, v.Params[0])
	k = binary.LittleEndian.AppendUint64(k, v.Params[1])
	k = append(k, byte(len(v.Consts)))
	for _, c := range v.Consts {
		k = binary.LittleEndian.AppendUint64(k, c)
	}
	k = append(k, byte(len(v.Cells)))
	for _, c := range v.Cells {
		k = binary.LittleEndian.AppendUint64(k, c)
	}
	for _, c := range v.Ors {
		k = binary.LittleEndian.AppendUint64(k, c)
	}
	if len(v.Derefs) > 0 || v.Table.Size != 0 || v.Byte || v.Terms.some() {
		k = v.appendRest(append(k, 0xff)) // an odd number of bytes: no constant of Ors
	}
	vs.key = k
	if id, ok := vs.ids[string(k)]; ok {
		return id
	}
	id := ValueID(len(vs.all))
	vs.all = append(vs.all, v)
	vs.ids[string(k)] = id
	return id
}

func (v *Value) appendRest(k []byte) []byte {
	for _, d := range v.Derefs {
		k = binary.LittleEndian.AppendUint64(k, d.Cell)
		k = binary.LittleEndian.AppendUint64(k, uint64(d.Off))
		k = append(k, d.Param)
	}
	k = strconv.AppendBool(k, v.Byte)
	if v.Terms.some() { // 8 bytes; a table has more
		k = binary.LittleEndian.AppendUint32(k, uint32(v.Terms[0]))
		k = binary.LittleEndian.AppendUint32(k, uint32(v.Terms[1]))
	}
	if t := v.Table; t.Size != 0 {
		k = binary.LittleEndian.AppendUint64(k, t.Addr)
		k = binary.LittleEndian.AppendUint64(k, t.Base)
		k = append(k, t.Size, t.Shift)
		k = strconv.AppendBool(k, t.Signed)
		k = strconv.AppendBool(k, t.Based)
	}
	return k
}

// Constant is the value c.
func (vs *Values) Constant(c uint64) ValueID {
	id, ok := vs.consts[c]
	if !ok {
		id = vs.Intern(Value{Consts: []uint64{c}})
		vs.consts[c] = id
	}
	return id
}

// StackAddr is the address off bytes above the stack pointer at entry.
func (vs *Values) StackAddr(off int64) ValueID {
	id, ok := vs.stack[off]
	if !ok {
		id = vs.Intern(Value{Stack: true, Off: off})
		vs.stack[off] = id
	}
	return id
}

// Cell is what the variable at addr holds.
func (vs *Values) Cell(addr uint64) ValueID { return vs.Intern(Value{Cells: []uint64{addr}}) }

// RegParam is what register r holds at entry.
func (vs *Values) RegParam(r isa.Reg) ValueID {
	if vs.params[0][r] == Unknown {
		vs.params[0][r] = vs.Intern(Value{Params: ParamSet{1 << r}})
	}
	return vs.params[0][r]
}

// StackParam is the stack argument that begins j 4-byte words above the first.
func (vs *Values) StackParam(j int64) ValueID {
	if j < 0 || j >= 64 {
		return Unknown
	}
	if vs.params[1][j] == Unknown {
		vs.params[1][j] = vs.Intern(Value{Params: ParamSet{0, 1 << j}})
	}
	return vs.params[1][j]
}

// IsConst returns the constants of id if it can hold nothing else.
func (vs *Values) IsConst(id ValueID) ([]uint64, bool) {
	v := vs.Get(id)
	if v.Unknown || v.Stack || v.Derived() {
		return nil, false
	}
	return v.Consts, true
}

// Join returns a value that can hold what a or b can.
func (vs *Values) Join(a, b ValueID) ValueID {
	if a == b {
		return a
	}
	if a == Unknown || b == Unknown {
		// Constants beside unknown are kept for numbers: they are real even if not all.
		a, b = max(a, b), Unknown
	}
	if a > b {
		a, b = b, a
	}
	if id, ok := vs.joins[pair(a, b)]; ok {
		return id
	}
	x, y := *vs.Get(a), *vs.Get(b)
	var v Value
	switch {
	case x.Stack || y.Stack:
		v.Unknown = true
	case (x.Cut != y.Cut || x.Off != y.Off) && x.Derived() && y.Derived():
		v = Value{Unknown: true, Consts: Union(x.Consts, y.Consts)}
		if vs.Pointers { // whose they are is not forgotten
			v.Params, v.Cells = ParamSet{x.Params[0] | y.Params[0], x.Params[1] | y.Params[1]}, Union(x.Cells, y.Cells)
		}
	default:
		v = Value{Unknown: x.Unknown || y.Unknown, Consts: Union(x.Consts, y.Consts), Cells: Union(x.Cells, y.Cells),
			Params: ParamSet{x.Params[0] | y.Params[0], x.Params[1] | y.Params[1]}, Cut: max(x.Cut, y.Cut), Off: x.Off | y.Off, // one is 0, or both are the same
			Derefs: unionDerefs(x.Derefs, y.Derefs)}
		if x.Ors != nil || y.Ors != nil {
			v.Ors = Union(x.masks(), y.masks())
		}
	}
	id := vs.Intern(v)
	vs.joins[pair(a, b)] = id
	return id
}

// Derived reports whether v depends on parameters or variables, or on what lies behind them.
func (v *Value) Derived() bool { return !v.Params.Empty() || len(v.Cells)|len(v.Derefs) != 0 }

// masks returns the constants that may have been ORed to what v is derived from.
func (v *Value) masks() []uint64 {
	if v.Ors == nil && v.Derived() {
		return []uint64{0}
	}
	return v.Ors
}

// Union joins two ascending sets; it may return one of them.
func Union(a, b []uint64) []uint64 {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	u := append(slices.Clone(a), b...)
	slices.Sort(u)
	return slices.Compact(u)
}

// widen returns a value that holds all that id can, and of which there are few. What pointers it can
// hold is not forgotten.
func (vs *Values) widen(id ValueID) ValueID {
	if v := vs.Get(id); vs.Pointers && (!v.Params.Empty() || len(v.Cells) > 0) && v.Cut == CutNone && v.Ors == nil {
		return vs.Intern(Value{Unknown: true, Params: v.Params, Cells: v.Cells})
	}
	return Unknown
}

// pair is a key for both.
func pair(a, b ValueID) uint64 { return uint64(a)<<32 | uint64(b) }

func unionDerefs(a, b []Deref) []Deref {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	u := append(slices.Clone(a), b...)
	slices.SortFunc(u, Deref.compare)
	return slices.Compact(u)
}
