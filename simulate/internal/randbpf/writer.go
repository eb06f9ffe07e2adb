package randbpf

import "github.com/profcheck/profcheck/filter"

var opcodes = filter.Opcodes()

// jumps reports whether a code is a conditional jump.
func jumps(code uint16) bool { return code&7 == filter.ClassJmp && code != filter.OpJa }

// A writer knows while a program grows which words of scratch memory are written, as the loader
// counts them (net/core/filter.c check_load_and_stores).
type writer struct {
	p     filter.Program
	size  int      // the length that it will have
	masks []uint16 // by instruction: what every jump to it has written
	set   uint16   // what the instruction before the next has written
}

// writer begins a program of size instructions with the prefix.
func (g *Generator) writer(s Shape, size int) *writer {
	w := &writer{size: size, masks: make([]uint16, size)}
	for i := range w.masks {
		w.masks[i] = 0xffff
	}
	for _, in := range s.Prefix {
		w.put(in)
	}
	return w
}

// valid is the set of words that the next instruction may load.
func (w *writer) valid() uint16 { return w.set & w.masks[len(w.p)] }

func (w *writer) put(in filter.Insn) {
	w.set = w.valid()
	next := len(w.p) + 1
	w.p = append(w.p, in)
	switch {
	case in.Code == filter.OpSt || in.Code == filter.OpStx:
		w.set |= 1 << in.K
	case in.Code == filter.OpJa:
		w.masks[next+int(in.K)] &= w.set
		w.set = 0xffff
	case jumps(in.Code):
		w.masks[next+int(in.Jt)] &= w.set
		w.masks[next+int(in.Jf)] &= w.set
		w.set = 0xffff
	}
}
