package flow

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"os"
	"slices"
	"sort"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
	"github.com/profcheck/profcheck/syscalls"
)

// object is one ELF file as a Program: functions by frames and symbols, relative relocations
// applied.
type object struct {
	m     *module.Module
	conv  *Convention
	arch  *syscalls.Arch
	vs    *Values
	funcs []module.Frame // ascending, without gaps in a segment
	names map[uint64]string
	sums  map[uint64]*Summary
	calls map[uint64][]uint64 // direct calls and jumps: starts of the functions that make them, by target
	users map[uint64][]uint64 // functions that load a fixed address
	taken map[uint64]bool     // addresses that code forms or data holds
	sites map[uint64]int      // syscall instructions of a function
	stops map[uint64]bool
}

func openObject(t testing.TB, path string) *object {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	m, err := module.Open(path, data)
	if err != nil {
		t.Fatal(err)
	}
	o := &object{m: m, vs: NewValues(), names: map[uint64]string{}, sums: map[uint64]*Summary{}, calls: map[uint64][]uint64{},
		users: map[uint64][]uint64{}, taken: map[uint64]bool{}, sites: map[uint64]int{}, stops: map[uint64]bool{}}
	o.vs.Pointers = true
	machine := isa.AMD64
	if m.Machine == elf.EM_AARCH64 {
		machine = isa.ARM64
	}
	o.conv, o.arch = C(machine), syscalls.ByName(machine.Name)
	o.relocate()
	o.bounds()
	o.scan()
	return o
}

func (o *object) relocate() {
	for i := range o.m.Segments { // aliases the file, which may be shared
		s := &o.m.Segments[i]
		s.Data = slices.Clone(s.Data)
	}
	for _, r := range o.m.Relocs {
		v := r.Addend
		switch r.Kind {
		case module.RelocRelative:
		case module.RelocSymbol, module.RelocJumpSlot:
			if int(r.Symbol) >= len(o.m.Symbols) {
				continue
			}
			if v += o.m.Symbols[r.Symbol].Addr; !o.m.Symbols[r.Symbol].Defined {
				v += 1<<40 + uint64(r.Symbol)<<20 // in another file
			}
		default:
			continue
		}
		if b := o.Bytes(r.Addr, 8); b != nil {
			binary.LittleEndian.PutUint64(b, v)
			o.taken[v] = true
		}
	}
}

// bounds takes functions from frames and symbols; each ends where the next begins.
func (o *object) bounds() {
	var starts []uint64
	for _, f := range o.m.Frames {
		starts = append(starts, f.Start)
	}
	for _, syms := range [][]module.Symbol{o.m.Symbols, o.m.Locals} {
		for _, s := range syms {
			if s.Defined && (s.Type == elf.STT_FUNC || s.Type == elf.STT_GNU_IFUNC) {
				starts = append(starts, s.Addr)
				o.names[s.Addr] = s.Name
			}
		}
	}
	if len(o.m.Frames) < 100 && len(o.m.Locals) == 0 { // stripped, and musl describes none: take what is called, or whose address is formed
		for i := range o.m.Segments {
			if s := &o.m.Segments[i]; s.Exec {
				for _, r := range o.conv.Machine.Scan(s.Data, s.Addr, nil) {
					if to := o.segment(r.Target); to != nil && to.Exec && (r.Kind == isa.RefCall || r.Kind == isa.RefAddr) {
						starts = append(starts, r.Target)
					}
				}
			}
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	for i, s := range starts {
		seg := o.segment(s)
		if seg == nil || !seg.Exec {
			continue
		}
		end := seg.Addr + uint64(len(seg.Data))
		if i+1 < len(starts) {
			end = min(end, starts[i+1])
		}
		o.funcs = append(o.funcs, module.Frame{Start: s, End: end})
	}
}

func (o *object) scan() {
	var refs []isa.Ref
	for _, f := range o.funcs {
		refs = o.conv.Machine.Scan(o.Bytes(f.Start, f.End-f.Start), f.Start, refs[:0])
		for _, r := range refs {
			switch r.Kind {
			case isa.RefCall, isa.RefJump:
				o.calls[r.Target] = append(o.calls[r.Target], f.Start)
			case isa.RefLoad:
				o.users[r.Target] = append(o.users[r.Target], f.Start)
			case isa.RefAddr:
				o.taken[r.Target] = true
			case isa.RefSyscall, isa.RefInt80:
				o.sites[f.Start]++
			}
		}
	}
}

func (o *object) segment(addr uint64) *module.Segment {
	for i := range o.m.Segments {
		if s := &o.m.Segments[i]; addr-s.Addr < s.Size {
			return s
		}
	}
	return nil
}

func (o *object) find(addr uint64) (module.Frame, bool) {
	i := sort.Search(len(o.funcs), func(i int) bool { return o.funcs[i].Start > addr }) - 1
	if i < 0 || addr >= o.funcs[i].End {
		return module.Frame{}, false
	}
	return o.funcs[i], true
}

func (o *object) fn(start uint64) Func {
	f, _ := o.find(start)
	return Func{Start: f.Start, Code: o.Bytes(f.Start, f.End-f.Start)}
}

func (o *object) summary(start uint64) (*Summary, bool) {
	if s, ok := o.sums[start]; ok {
		return s, true
	}
	if f, ok := o.find(start); !ok || f.Start != start {
		return nil, false
	}
	s := Analyse(o, o.vs, o.conv, o.fn(start))
	o.sums[start] = s
	return s, true
}

func (o *object) Bytes(addr, n uint64) []byte {
	s := o.segment(addr)
	if s == nil || addr-s.Addr > uint64(len(s.Data)) || n > uint64(len(s.Data))-(addr-s.Addr) {
		return nil
	}
	return s.Data[addr-s.Addr:][:n]
}

func (o *object) Word(addr uint64) (uint64, bool) {
	if b := o.Bytes(addr, 8); b != nil {
		return binary.LittleEndian.Uint64(b), true
	}
	s := o.segment(addr)
	return 0, s != nil && addr-s.Addr >= uint64(len(s.Data)) && s.Size-(addr-s.Addr) >= 8
}

func (o *object) Changes(addr uint64) bool {
	s := o.segment(addr)
	if s == nil || !s.Write {
		return false
	}
	for _, r := range o.m.Relro {
		if addr-r.Addr < r.Size {
			return false
		}
	}
	return true
}

func (o *object) Stops(target uint64) bool {
	known, ok := o.stops[target]
	if !ok {
		o.stops[target] = false // while it is looked at
		if f, found := o.find(target); found && f.Start == target {
			known = NeverReturns(o.conv.Machine, o.Bytes(f.Start, f.End-f.Start), target, o.Stops)
		}
		o.stops[target] = known
	}
	return known
}

func (o *object) Twice(uint64) bool              { return false }
func (o *object) Restarts(uint64) bool           { return false }
func (o *object) Result(uint64) (ValueID, bool)  { return 0, false }
func (o *object) StackArgs(uint64) (int64, bool) { return 0, false }
func (o *object) Pointers(ValueID) []uint64      { return nil }

// answer is what following a syscall instruction gave.
type answer struct {
	at      uint64
	nrs     []uint64
	unknown []string // reasons
}

// resolve follows all syscall instructions of a function.
func (o *object) resolve(start uint64) []answer {
	s, ok := o.summary(start)
	if !ok {
		return nil
	}
	var out []answer
	for i := range s.Calls {
		c := &s.Calls[i]
		if c.Kind == isa.OpSyscall || c.Kind == isa.OpInt80 {
			r := &chase{o: o, seen: map[chased]bool{}}
			number, _ := o.conv.Entry(c.Kind)
			r.follow(start, s, c.Regs[number], 0)
			for _, nr := range r.a.nrs {
				for _, arg := range r.provided {
					if o.keeper().Writes(nr, arg) {
						r.fail("written by the kernel behind the pointer")
					}
				}
			}
			slices.Sort(r.a.nrs)
			r.a.nrs, r.a.at = slices.Compact(r.a.nrs), c.At
			out = append(out, r.a)
		}
	}
	slices.SortFunc(out, func(a, b answer) int { return cmp.Compare(a.at, b.at) })
	return out
}

type chased struct {
	fn uint64
	id ValueID
}

type chase struct {
	o    *object
	a    answer
	seen map[chased]bool

	provided []int // see Keeper.Provided
}

func (r *chase) fail(why string) {
	if !slices.Contains(r.a.unknown, why) {
		r.a.unknown = append(r.a.unknown, why)
	}
}

func (r *chase) follow(fn uint64, s *Summary, id ValueID, depth int) {
	if r.seen[chased{fn, id}] {
		return
	}
	r.seen[chased{fn, id}] = true
	v := *r.o.vs.Get(id)
	if v.Unknown || v.Stack || depth > 12 {
		r.fail("computed")
		return
	}
	if len(v.Cells) > 0 {
		r.fail("variable")
	}
	r.a.nrs = append(r.a.nrs, v.Consts...)
	params := !v.Params.Empty()
	for _, d := range v.Derefs {
		switch {
		case !r.keeps(s, d):
			r.fail("may be written behind the pointer")
		case d.Cell == 0:
			params = true
		default:
			r.stored(&v, d, depth)
		}
	}
	if !params {
		return
	}
	callers := r.o.calls[fn]
	if r.o.taken[fn] {
		r.fail("called through a pointer")
	}
	if len(callers) == 0 {
		r.fail("no caller")
	}
	for _, from := range callers {
		up, ok := r.o.summary(from)
		if !ok {
			r.fail("no summary")
			continue
		}
		for i := range up.Calls {
			if c := &up.Calls[i]; c.Target == fn {
				for _, d := range v.Derefs {
					for _, other := range r.o.vs.Aliases(r.o.conv, d, c, false) {
						if !r.keeps(s, other) {
							r.fail("may be written behind another pointer")
						}
					}
				}
				r.follow(from, up, r.o.vs.Subst(r.o, r.o.conv, id, c), depth+1)
			}
		}
	}
}

func (r *chase) keeps(s *Summary, d Deref) bool {
	k := r.o.keeper()
	ok := k.Keeps(s, d)
	r.provided = append(r.provided, k.Provided...)
	return ok
}

// stored follows memory behind a pointer that a variable holds, to who stored it there.
func (r *chase) stored(v *Value, d Deref, depth int) {
	n := 0
	for _, f := range r.o.funcs {
		if !r.o.touches(f.Start, d.Cell) {
			continue
		}
		s, _ := r.o.summary(f.Start)
		for i := range s.Stores {
			if s.Stores[i].Cell == d.Cell {
				n++
				x := r.o.vs.Content(r.o, s.Stores[i].ID, d.Off, 8, nil)
				r.follow(f.Start, s, r.o.vs.Adapt(v, x), depth+1)
			}
		}
	}
	if n == 0 {
		r.fail("never stored")
	}
}

func (o *object) touches(fn, cell uint64) bool {
	f, _ := o.find(fn)
	for _, r := range o.conv.Machine.Scan(o.Bytes(f.Start, f.End-f.Start), f.Start, nil) {
		if r.Kind == isa.RefStore && r.Target == cell {
			return true
		}
	}
	return false
}

func (o *object) keeper() *Keeper {
	return &Keeper{
		Summary: o.summary, Values: o.vs, Convention: o.conv,
		Users: func(cell uint64) ([]*Summary, bool) {
			var out []*Summary
			for _, fn := range o.users[cell] {
				s, ok := o.summary(fn)
				if !ok {
					return nil, false
				}
				out = append(out, s)
			}
			return out, !o.taken[cell]
		},
		Writes: func(nr uint64, arg int) bool {
			name, _ := o.arch.NameOf(int32(nr))
			params, ok := o.arch.Params(name)
			return !ok || arg < len(params) && params[arg].Kind == syscalls.Pointer
		},
	}
}
