package flow

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// Keeper answers whether memory behind a pointer is still what it was when the pointer was passed.
//
// The rule: such memory is written through the pointer only, where it is followed: by stores in the
// function that has it, in those that it is passed on to, and in those that read it from a variable
// that it was stored to; and by the kernel. A pointer that goes elsewhere, into memory that is not
// followed or to code that is not known, is taken to write anywhere. Order does not count: a store
// behind the load counts as one before it.
type Keeper struct {
	// Summary returns what the function at the address does; false if there is none.
	Summary func(start uint64) (*Summary, bool)
	// Users returns the functions that read the variable; false if others may read it through
	// pointers.
	Users func(cell uint64) ([]*Summary, bool)
	// Writes reports whether the kernel may write behind argument arg of syscall nr.
	Writes func(nr uint64, arg int) bool

	// Strict counts the result of a function as another name for what it may return of its parameters,
	// and an address in a frame as one for all that lies above it, if not below. Functions without a result often
	// look as if they returned a parameter, and compilers put spilled ones anywhere: code whose sources
	// show that it does neither needs no such caution.
	Strict bool

	Values     *Values
	Convention *Convention

	// Provided collects arguments of syscalls whose number itself lies behind the pointer. The
	// answer holds provided that none of the numbers found there makes the kernel write behind them:
	// then no first write can be.
	Provided []int

	// Work counts the calls and stores that were looked at, over all that share it; nil if nobody
	// counts. Beyond MaxKeepWork nothing is known to stay.
	Work *int
}

// MaxKeepWork bounds Keeper.Work. The largest programs of a distribution take less than a hundredth.
const MaxKeepWork = 1 << 22

// keepDepth bounds how far a pointer is followed into functions that it is passed to.
const keepDepth = 8

// Keeps reports whether in function s and all that it shares the pointer with the 8 bytes at d stay.
func (k *Keeper) Keeps(s *Summary, d Deref) bool {
	w := watch{k, map[watched]bool{}}
	return w.function(s, d, keepDepth)
}

// Private reports whether nobody knows the address of the 8 bytes at off in the frame of function s but
// what call c leads to: s passes it, or a lower one (Strict: any other one) from which those who get it
// might reckon, to no other call that keeps it, and stores neither it nor a lower one anywhere. Of the kernel it is taken that it keeps none.
func (k *Keeper) Private(s *Summary, c *Call, off int64) bool {
	if s.Vague || s.Astray < off+8 {
		return false
	}
	w := watch{k, map[watched]bool{}}
	for i := range s.Calls {
		e := &s.Calls[i]
		if e.At == c.At || e.Kind == isa.OpSyscall || e.Kind == isa.OpInt80 {
			continue
		}
		for _, r := range k.Convention.Params {
			v := k.Values.Get(e.Regs[r])
			if v.Stack && (k.Strict || v.Off < off+8) && !w.callees(e, Deref{Param: uint8(r), Off: off - v.Off}, keepDepth) {
				return false
			}
		}
	}
	return true
}

type watch struct {
	*Keeper
	seen map[watched]bool
}

// anywhere is the offset of all that lies behind a pointer.
const anywhere = 1 << 62

// moved is d as seen from a pointer that lies off bytes above its own, if that is exact.
func (d Deref) moved(off int64, exact bool) int64 {
	if d.Off == anywhere || !exact {
		return anywhere
	}
	return d.Off - off
}

type watched struct {
	s *Summary
	d Deref
}

func (w *watch) function(s *Summary, d Deref, depth int) bool {
	key := watched{s, d}
	if w.seen[key] {
		return true
	}
	if w.seen[key] = true; s.Vague || depth == 0 || len(w.seen) > 1<<10 {
		return false
	}
	if w.Work != nil {
		if *w.Work += len(s.Calls) + len(s.Stores) + len(s.Behind); *w.Work > MaxKeepWork {
			return false
		}
	}
	if s.lost(d) || w.Strict && d.Cell == 0 && s.Under.Has(d.Param) {
		return false
	}
	for i := range s.Behind {
		b := &s.Behind[i]
		if b.from(d) && (b.Size == 0 || d.Off == anywhere || b.Off < d.Off+8 && d.Off < b.Off+int64(b.Size)) {
			return false
		}
	}
	for i := range s.Stores {
		off, exact, ok := w.points(s.Stores[i].ID, d)
		if ok && !w.cell(Deref{Cell: s.Stores[i].Cell, Off: d.moved(off, exact)}, s.Stores[i].Size, depth) {
			return false
		}
	}
	for i := range s.Calls {
		if !w.call(&s.Calls[i], d, depth) {
			return false
		}
	}
	return true
}

// lost reports whether the pointer of d goes where it is not followed.
func (s *Summary) lost(d Deref) bool {
	if d.Cell == 0 {
		return s.Lost.Has(d.Param)
	}
	for _, c := range s.Cells {
		if c == d.Cell {
			return true
		}
	}
	return false
}

// from reports whether b may be behind the pointer of d.
func (b *Behind) from(d Deref) bool {
	if d.Cell == 0 {
		return b.Params.Has(d.Param)
	}
	for _, c := range b.Cells {
		if c == d.Cell {
			return true
		}
	}
	return false
}

// points reports whether id may be the pointer of d, and how far it is moved if that is exact.
func (w *watch) points(id ValueID, d Deref) (off int64, exact, ok bool) {
	v := w.Values.Get(id)
	b := Behind{Params: v.Params, Cells: v.Cells}
	return v.Off, !v.Unknown && v.Ors == nil, v.Derived() && v.Cut == CutNone && b.from(d)
}

// cell follows a pointer that was stored to a variable to all who read it from there.
func (w *watch) cell(d Deref, size uint8, depth int) bool {
	users, ok := w.Users(d.Cell)
	if !ok || size != 8 {
		return false
	}
	for _, s := range users {
		if !w.function(s, d, depth-1) {
			return false
		}
	}
	return true
}

// call follows a pointer into what is called.
func (w *watch) call(c *Call, d Deref, depth int) bool {
	kernel := c.Kind == isa.OpSyscall || c.Kind == isa.OpInt80
	if kernel {
		return w.kernel(c, d)
	}
	for _, r := range w.Convention.Params {
		off, exact, ok := w.points(c.Regs[r], d)
		if ok && !w.callees(c, Deref{Param: uint8(r), Off: d.moved(off, exact)}, depth) {
			return false
		}
	}
	for k, id := range c.Stack8 { // as an argument, or kept there: the callee tells
		off, exact, ok := w.points(id, d)
		if j := 2*int64(k) - (w.Convention.StackArg-w.Convention.Machine.CallPush)/4; ok &&
			!w.callees(c, Deref{Param: uint8(64 + j), Off: d.moved(off, exact)}, depth) {
			return false
		}
	}
	return true
}

func (w *watch) callees(c *Call, d Deref, depth int) bool {
	targets := []uint64{c.Target}
	if c.Kind == isa.OpCallInd || c.Kind == isa.OpJumpInd {
		known, ok := w.Values.IsConst(c.Callee)
		if !ok {
			return false
		}
		targets = known
	}
	for _, t := range targets {
		s, ok := w.Summary(t)
		// What comes back is not followed.
		if !ok || w.Strict && d.Cell == 0 && s.Returned.Has(d.Param) || !w.function(s, d, depth-1) {
			return false
		}
	}
	return true
}

// kernel reports whether a syscall leaves the bytes at d alone.
func (w *watch) kernel(c *Call, d Deref) bool {
	number, args := w.Convention.Entry(c.Kind)
	nrs, ok := w.Values.IsConst(c.Regs[number])
	for i, r := range args {
		off, exact, points := w.points(c.Regs[r], d)
		if !points || exact && d.Off != anywhere && off >= d.Off+8 {
			continue
		}
		if n := w.Values.Get(c.Regs[number]); !ok && !n.Unknown && n.behind(d) {
			if !slices.Contains(w.Provided, i) {
				w.Provided = append(w.Provided, i)
			}
			continue
		}
		if !ok {
			return false
		}
		for _, nr := range nrs {
			if w.Writes(nr, i) {
				return false
			}
		}
	}
	return true
}

// behind reports whether all that v can be, but for constants, lies behind the pointer of d.
func (v *Value) behind(d Deref) bool {
	for _, e := range v.Derefs {
		if e.Cell != d.Cell || e.Param != d.Param {
			return false
		}
	}
	return v.Params.Empty() && len(v.Cells) == 0
}
