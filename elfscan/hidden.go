package elfscan

import (
	"bytes"
	"debug/elf"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// entryBytes are the instructions that enter the kernel, for machines on which one can hide inside
// of others: SYSCALL, SYSENTER and INT 0x80.
var entryBytes = map[elf.Machine][][]byte{
	elf.EM_X86_64: {{0x0f, 0x05}, {0x0f, 0x34}, {0xcd, 0x80}},
}

// hidden notes the syscall instructions in function f that reading it from its beginning does not
// show: some jump leads between two instructions, or bytes before them are none. Compiled code has
// neither.
func (w *walker) hidden(f int, c *chunk) {
	code, base := w.p.tab.code(f), w.p.tab.funcs[f].entry
	var ends map[int]bool // offsets behind the syscall instructions that were found
	var suspect []int     // offsets of others
	for _, pattern := range entryBytes[w.p.im.machine] {
		for from := 0; ; {
			k := bytes.Index(code[from:], pattern)
			if k < 0 {
				break
			}
			at := from + k
			from = at + 1
			if ends == nil {
				ends = w.siteEnds(code, base)
			}
			if !ends[at+len(pattern)] {
				suspect = append(suspect, at)
			}
		}
	}
	if len(suspect) == 0 || !w.outOfStep(code, base) {
		return
	}
	for _, at := range suspect {
		c.hidden = append(c.hidden, rawSite{fn: int32(f), kind: isa.RefSyscall, at: base + uint64(at)})
	}
}

// siteEnds returns the offsets at which the syscall instructions in w.refs end; their own bytes
// come last, behind prefixes.
func (w *walker) siteEnds(code []byte, base uint64) map[int]bool {
	ends := map[int]bool{}
	var ops []isa.Op
	for _, r := range w.refs {
		if r.Kind == isa.RefSyscall || r.Kind == isa.RefInt80 {
			var n int
			ops, n = w.p.m.Decode(code[r.At-base:], r.At, ops[:0])
			ends[int(r.At-base)+n] = true
		}
	}
	return ends
}

// outOfStep reports whether some jump in code leads to a place that is no beginning of an
// instruction, or some byte is no instruction.
func (w *walker) outOfStep(code []byte, base uint64) bool {
	starts := make([]bool, len(code))
	var targets []uint64
	var ops []isa.Op
	for off := 0; off < len(code); {
		var n int
		if ops, n = w.p.m.Decode(code[off:], base+uint64(off), ops[:0]); n == 0 {
			return true
		}
		starts[off] = true
		for i := range ops {
			switch k := ops[i].Kind; k {
			case isa.OpJump, isa.OpBranch, isa.OpCall:
				if t := ops[i].Target - base; t < uint64(len(code)) {
					targets = append(targets, t)
				}
			}
		}
		off += n
	}
	for _, t := range targets {
		if !starts[t] {
			return true
		}
	}
	return false
}

// callsOutside reports whether code that belongs to no function of the table has syscall
// instructions: C code that was linked in.
func (p *program) callsOutside() bool {
	first, last := p.tab.span()
	found := false
	scan := func(s *segment, from, to uint64) {
		from, to = max(from, s.addr), min(to, s.addr+uint64(len(s.data)))
		if s.fileOff == 0 && from < s.addr+p.im.headers {
			from = s.addr + p.im.headers // the ELF header is no code
		}
		if from >= to {
			return
		}
		for _, r := range p.m.Scan(p.im.bytes(from, to-from), from, nil) {
			found = found || r.Kind == isa.RefSyscall || r.Kind == isa.RefInt80
		}
	}
	for i := range p.im.segs {
		if s := &p.im.segs[i]; s.exec {
			scan(s, 0, first)
			scan(s, last, ^uint64(0))
		}
	}
	return found
}
