package isa

// a64spillLimit bounds how many spilled addresses are remembered at a time.
const a64spillLimit = 64

// a64spills are the addresses that were saved on the stack, by the frame register (SP or X29) and
// the offset with which they were stored.
type a64spills []a64slot

type a64slot struct {
	base uint32
	disp int64
	addr uint64
}

func (p a64spills) find(base uint32, disp int64) int {
	for i := range p {
		if p[i].base == base && p[i].disp == disp {
			return i
		}
	}
	return -1
}

// onStack reports whether m moves whole general registers to or from a fixed place in the frame.
func (m *a64mem) onStack() bool {
	return (m.rn == 31 || m.rn == 29) && m.known && !m.simd && m.size == 8 && m.index == 31 && m.wback == a64Offset
}

// regs returns the general registers that m moves.
func (m *a64mem) regs() []uint32 { return []uint32{m.rt, m.rt2}[:m.count] }

// spill remembers the addresses that a store saves. Another value that comes to the same place does
// not end that: compilers share places between parts of a function that do not follow each other.
func (s *a64scan) spill(m *a64mem) {
	for i, r := range m.regs() {
		disp := m.disp + 8*int64(i)
		known := r != 31 && (s.live&^s.vary)>>r&1 != 0
		switch at := s.spills.find(m.rn, disp); {
		case at >= 0 && known:
			s.spills[at].addr = s.addr[r]
		case known && len(s.spills) < a64spillLimit:
			s.spills = append(s.spills, a64slot{m.rn, disp, s.addr[r]})
		}
	}
}

// reload brings saved addresses back to registers.
func (s *a64scan) reload(m *a64mem) {
	s.live &^= m.writes()
	for i, r := range m.regs() {
		if at := s.spills.find(m.rn, m.disp+8*int64(i)); at >= 0 && r != 31 {
			s.live |= 1 << r
			s.vary &^= 1 << r
			s.addr[r] = s.spills[at].addr
		}
	}
}
