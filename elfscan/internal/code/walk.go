package code

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// walker follows the flow of code that the file does not bound: gaps between the functions known
// so far, and functions with bytes that are no instruction, which become gaps for it.
//
// What a call, a jump or the file itself leads to is code. An address that code forms, or that a
// word of data looks like, may as well be a table between functions: what it leads to is taken for
// code only if everything that flow reaches from it is made of instructions that occur in programs.
type walker struct {
	*extractor
	gaps   []gap
	starts []uint64 // where functions begin, unordered

	stack []uint64 // still to be followed
	trail []uint64 // instructions that a trial marked
	calls []uint64 // what these call
	ops   []isa.Op
	runs  []run // followed since the last survey
	jumps []jump
}

// gap is a range of executable bytes whose flow is followed.
type gap struct {
	start, end uint64
	data       []byte
	marks      []mark // one for each byte; nil as long as nothing was reached
	fn         int    // the function that bounds it, -1 if none
	opaque     bool   // flow reaches what is no instruction
}

// mark tells what a byte is.
type mark uint8

const (
	unseen mark = iota
	head        // an instruction begins
	tail        // it goes on
	dud         // a trial found that it leads to what is no code
)

// trialLimit is after how many instructions a trial is over: no table looks like code for so long.
const trialLimit = 1 << 10

// run is a stretch of instructions that was followed in one go.
type run struct{ start, end uint64 }

// jump leads from one place in gaps to another.
type jump struct{ from, to uint64 }

// walk finds the functions that the file does not bound, and adds them.
func (x *extractor) walk() {
	w := &walker{extractor: x}
	w.openGaps()
	w.continuations()
	for _, a := range x.starts {
		w.enter(a)
	}
	for {
		w.follow()
		w.survey()
		if len(w.stack) == 0 && !w.tryAll() && !w.leftOver() {
			break
		}
	}
	w.collect()
}

// openGaps makes gaps of all that no function holds, and of functions that are not all code.
func (w *walker) openGaps() {
	i := 0
	add := func(r *region, start, end uint64, fn int) {
		if start < end {
			w.gaps = append(w.gaps, gap{start: start, end: end, data: r.data[start-r.addr : end-r.addr], fn: fn})
		}
	}
	for k := range w.regions {
		r := &w.regions[k]
		at := r.addr
		for ; i < len(w.funcs) && w.funcs[i].start < r.end(); i++ {
			fn := &w.funcs[i]
			add(r, at, fn.start, -1)
			if fn.bad {
				add(r, fn.start, fn.end, i)
			}
			at = max(at, fn.end)
		}
		add(r, at, r.end(), -1)
	}
	for _, g := range w.gaps {
		if g.fn >= 0 {
			w.starts = append(w.starts, g.start)
			w.stack = append(w.stack, g.start)
		}
	}
}

// gap returns the gap that holds addr, or nil.
func (w *walker) gap(addr uint64) *gap {
	i, _ := slices.BinarySearchFunc(w.gaps, addr, func(g gap, a uint64) int {
		switch {
		case g.end <= a:
			return -1
		case g.start > a:
			return 1
		}
		return 0
	})
	if i < len(w.gaps) && addr-w.gaps[i].start < w.gaps[i].end-w.gaps[i].start {
		return &w.gaps[i]
	}
	return nil
}

// continuations follows what lies behind functions that do not end where their bounds do: glibc ends
// the frame of clone before its system call, because the child has no caller.
func (w *walker) continuations() {
	for i := range w.funcs {
		fn := &w.funcs[i]
		switch fn.falls {
		case falls, endsSyscall:
			if g := w.gap(fn.end); g != nil && g.fn < 0 && !w.filler(g) {
				w.stack = append(w.stack, fn.end)
			}
		}
	}
}

// filler reports whether a gap is nothing but padding.
func (w *walker) filler(g *gap) bool {
	for code := g.data; len(code) > 0; {
		n := 1
		if code[0] != 0 {
			_, n = w.mach.Decode(code, g.start, w.ops[:0])
			if n == 0 || !w.padding(code[:n]) {
				return false
			}
		}
		code = code[n:]
	}
	return true
}

// enter makes a function begin at addr, if that lies in a gap which nothing else bounds.
func (w *walker) enter(addr uint64) {
	g := w.gap(addr)
	if g == nil {
		return
	}
	if g.fn < 0 {
		w.starts = append(w.starts, addr)
	}
	w.stack = append(w.stack, addr)
}

// follow follows all of the stack.
func (w *walker) follow() {
	for len(w.stack) > 0 {
		addr := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		if g := w.gap(addr); g != nil {
			w.straight(g, addr, false)
		}
	}
}

// straight follows the instructions from addr on until they do not go on, or go on where others
// were before. In a trial it reports false at the first that no program would have.
func (w *walker) straight(g *gap, addr uint64, trial bool) bool {
	if g.marks == nil {
		g.marks = make([]mark, len(g.data))
	}
	from, called, ok, trail := addr, false, true, len(w.trail)
	if trial && g.marks[addr-g.start] == tail {
		return false
	}
loop:
	for addr < g.end && g.marks[addr-g.start] != head {
		code := g.data[addr-g.start:]
		var n int
		if w.ops, n = w.mach.Decode(code, addr, w.ops[:0]); n == 0 || w.blank(code) {
			// Behind a call that does not return anything may lie.
			if ok = called || !trial; n == 0 && !called && !trial {
				addr = w.unknown(g, addr)
			}
			break
		}
		if trial && (g.marks[addr-g.start] == dud || w.mach == isa.AMD64 && !isa.Plausible(code[:n])) {
			ok = false
			break
		}
		g.marks[addr-g.start] = head
		for i := 1; i < n && g.marks[addr-g.start+uint64(i)] != head; i++ {
			g.marks[addr-g.start+uint64(i)] = tail
		}
		if trial {
			w.trail = append(w.trail, addr)
		}
		next := addr + uint64(n)
		for i := range w.ops {
			op := &w.ops[i]
			switch op.Kind {
			case isa.OpCall:
				if ok = !trial || w.toCode(op.Target); !ok {
					break loop
				}
				called = true
				w.calls = append(w.calls, op.Target)
			case isa.OpCallInd:
				called = true
			case isa.OpBranch, isa.OpJump:
				if ok = !trial || w.toCode(op.Target); !ok {
					break loop
				}
				w.jumps = append(w.jumps, jump{addr, op.Target})
				w.stack = append(w.stack, op.Target)
			}
		}
		addr = next
		if endingOf(w.ops) == ends {
			break loop
		}
	}
	if !ok {
		w.reject(g, trail)
		return false
	}
	if !trial {
		w.commit()
	}
	if addr > from {
		w.runs = append(w.runs, run{from, addr})
	}
	return true
}

// unknown notes that flow leads to bytes at addr that are no instruction, which so must be one that the
// decoder does not know. It returns where they end. A function with bounds is code then, and no
// table: what was read of it from first to last counts.
func (w *walker) unknown(g *gap, addr uint64) uint64 {
	if g.fn >= 0 {
		g.opaque = true
		return addr
	}
	end := min(addr+uint64(w.step()), g.end)
	g.marks[addr-g.start] = head
	for i := addr + 1; i < end && g.marks[i-g.start] != head; i++ {
		g.marks[i-g.start] = tail
	}
	return end
}

// commit enters the functions that were called.
func (w *walker) commit() {
	for _, a := range w.calls {
		w.enter(a)
	}
	w.calls = w.calls[:0]
}

// toCode reports whether a call or jump to addr is one that programs have: to what is executable, or
// to 0, which is what the linker makes of a weak symbol that nobody defines.
func (w *walker) toCode(addr uint64) bool { return addr == 0 || w.region(addr) != nil }

// blank reports whether code begins with zeros, which decode as additions but fill space.
func (w *walker) blank(code []byte) bool {
	return w.mach == isa.AMD64 && len(code) >= 4 && le.Uint32(code) == 0
}
