package code

import (
	"debug/elf"
	"encoding/binary"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

var le = binary.LittleEndian

// extractor is one run of Extract.
type extractor struct {
	m    *module.Module
	mach *isa.Machine
	// lo and hi are the module's addresses, if it is loaded where it was linked; else 0.
	lo, hi uint64

	regions []region
	funcs   []function  // ascending start
	shards  [][]isa.Ref // references of the functions that workers swept
	extra   []Ref       // what instructions refer to besides: by jump tables, by displacements

	starts []uint64 // addresses that are entered, of which no end is known
	maybe  []uint64 // likewise, if what lies there is code
	data   []uint64 // where objects begin
}

// Extract finds the functions of a module and what they refer to. A module of a machine that is not
// known has no functions.
//
// Code between bounds that the file gives (frames, symbols with a size, stubs) is read from its
// first byte to its last. That keeps what only exceptions or jump tables lead to, and costs the
// false blocks behind calls that do not return, which are harmless: they refer to nothing that the
// function does not refer to. Where such a range has bytes that are no instruction, and wherever the
// file gives no bounds, only what flow reaches is code: see walk.go.
func Extract(m *module.Module) *Facts {
	x := &extractor{m: m, mach: isa.AMD64}
	switch m.Machine {
	case elf.EM_X86_64:
	case elf.EM_AARCH64:
		x.mach = isa.ARM64
	default:
		return &Facts{}
	}
	if m.Type == elf.ET_EXEC && len(m.Segments) > 0 {
		last := m.Segments[len(m.Segments)-1]
		x.lo, x.hi = m.Segments[0].Addr, last.Addr+last.Size
	}
	x.layout()
	x.spans()
	x.sweep()
	x.roots()
	x.large()
	x.walk()
	x.objects()
	x.tables()
	x.displaced()
	f := x.facts()
	x.halve(f)
	f.Offsets = x.offsets(f)
	return f
}

// facts puts everything into its final form.
func (x *extractor) facts() *Facts {
	total := len(x.extra)
	for i := range x.funcs {
		total += int(x.funcs[i].n)
	}
	f := &Facts{Funcs: make([]Func, 0, len(x.funcs)), Refs: make([]Ref, 0, total), Objects: x.data}
	slices.SortFunc(x.extra, compareRefs)
	extra := x.extra
	for i := range x.funcs {
		fn := &x.funcs[i]
		first := len(f.Refs)
		f.Refs = x.convert(fn, f.Refs)
		mixed := false
		for len(extra) > 0 && extra[0].At < fn.end {
			if extra[0].At >= fn.start {
				f.Refs, mixed = append(f.Refs, extra[0]), true
			}
			extra = extra[1:]
		}
		if mixed {
			slices.SortStableFunc(f.Refs[first:], compareRefs)
		}
		f.Funcs = append(f.Funcs, Func{Start: fn.start, End: fn.end, First: uint32(first), N: uint32(len(f.Refs) - first), Flags: fn.flags})
	}
	return f
}

// refsOf returns what was found in a function.
func (x *extractor) refsOf(fn *function) []isa.Ref {
	return x.shards[fn.shard][fn.first : fn.first+fn.n]
}

// kinds gives the Kind of an isa.RefKind.
var kinds = [...]Kind{
	isa.RefCall: Call, isa.RefJump: Jump, isa.RefAddr: Addr, isa.RefLoad: Load, isa.RefStore: Store,
	isa.RefSyscall: Syscall, isa.RefInt80: Compat, isa.RefBad: Bad, refTable: Table,
}

// refTable marks a RefAddr of which a jump table was found.
const refTable = isa.RefJumpInd + 1

// convert appends the references of a function. Jumps that stay in it, the address of a slot that a
// stub on arm64 forms beside loading it, and computed calls and jumps are left out.
func (x *extractor) convert(fn *function, refs []Ref) []Ref {
	for _, r := range x.refsOf(fn) {
		switch {
		case r.Kind == isa.RefJump && r.Target-fn.start < fn.end-fn.start,
			r.Kind == isa.RefAddr && fn.flags&Stub != 0,
			r.Kind == isa.RefCallInd, r.Kind == isa.RefJumpInd:
			continue
		}
		ref := Ref{At: r.At, Target: r.Target, Kind: kinds[r.Kind]}
		if ref.Kind == Load || ref.Kind == Store {
			ref.Size = r.Size
		}
		refs = append(refs, ref)
	}
	return refs
}
