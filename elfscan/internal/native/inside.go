package native

import (
	"bytes"
	"debug/elf"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// entryBytes are the instructions that enter the kernel, for machines on which one can hide inside of
// others: SYSCALL, SYSENTER and INT 0x80.
var entryBytes = map[elf.Machine][][]byte{elf.EM_X86_64: {{0x0f, 0x05}, {0x0f, 0x34}, {0xcd, 0x80}}}

// inside fails the jumps of reached functions to an address between two instructions of their own, if
// there are bytes there that enter the kernel: compilers make none, and what runs so is not followed.
func (r *resolver) inside() {
	p := r.p
	patterns := entryBytes[p.mods[0].Machine]
	for _, n := range p.tree.order {
		if int(n) >= p.funcs || len(patterns) == 0 {
			continue
		}
		m, f := p.fun(n)
		if f.Flags&code.HasIndirect == 0 || !slices.ContainsFunc(m.facts.Refs[f.First:f.First+f.N], func(r code.Ref) bool {
			return r.Kind == code.Addr && r.Target > f.Start && r.Target < f.End
		}) {
			continue
		}
		body := p.code(n)
		if !slices.ContainsFunc(patterns, func(b []byte) bool { return bytes.Contains(body, b) }) {
			continue
		}
		for _, c := range p.summary(n).Calls {
			if c.Kind != isa.OpJumpInd && c.Kind != isa.OpCallInd {
				continue
			}
			for _, to := range p.vs.Get(c.Callee).Consts {
				if off := to - p.start(n); off < uint64(len(body)) && !p.begins(body, off) {
					r.fail(&hop{fn: n, at: c.At}, "a jump leads into the middle of an instruction")
				}
			}
		}
	}
}

// begins reports whether an instruction begins at an offset of a function, read from its start.
func (p *program) begins(body []byte, off uint64) bool {
	var ops []isa.Op
	at := uint64(0)
	for at < off {
		var n int
		if ops, n = p.m.Decode(body[at:], at, ops[:0]); n <= 0 {
			return false
		}
		at += uint64(n)
	}
	return at == off
}
