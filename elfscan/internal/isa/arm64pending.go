package isa

import (
	"cmp"
	"math/bits"
	"slices"
)

// a64snapshot is which registers held known addresses at some point, and which addresses.
type a64snapshot struct {
	live uint32
	vary uint32
	addr [32]uint64
}

// a64PendingLimit bounds the addresses that wait for forward branches. Functions need a few; past
// the limit a branch is not followed, which can lose an address in code that nobody wrote.
const a64PendingLimit = 1 << 16

// a64pending holds what was known at forward branches until their target comes up: a heap ordered
// by target.
type a64pending struct {
	next  uint64 // lowest target, 0 if none
	marks []a64mark
	addrs []uint64
}

type a64mark struct {
	target uint64
	live   uint32
	vary   uint32
	at     int // in addrs, one for each bit of live
}

func (p *a64pending) reset() { p.next, p.marks, p.addrs = 0, p.marks[:0], p.addrs[:0] }

func (p *a64pending) push(target uint64, live, vary uint32, addr *[32]uint64) {
	if len(p.addrs) >= a64PendingLimit {
		return
	}
	p.marks = append(p.marks, a64mark{target, live, vary, len(p.addrs)})
	for l := live; l != 0; l &= l - 1 {
		p.addrs = append(p.addrs, addr[bits.TrailingZeros32(l)])
	}
	for i := len(p.marks) - 1; i > 0; {
		up := (i - 1) / 2
		if p.marks[up].target <= p.marks[i].target {
			break
		}
		p.marks[up], p.marks[i] = p.marks[i], p.marks[up]
		i = up
	}
	p.next = p.marks[0].target
}

// pop removes the mark with the lowest target.
func (p *a64pending) pop() a64mark {
	first, last := p.marks[0], len(p.marks)-1
	p.marks[0] = p.marks[last]
	p.marks = p.marks[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && p.marks[down+1].target < p.marks[down].target {
			down++
		}
		if p.marks[i].target <= p.marks[down].target {
			break
		}
		p.marks[i], p.marks[down] = p.marks[down], p.marks[i]
		i = down
	}
	p.next = 0
	if last > 0 {
		p.next = p.marks[0].target
	}
	return first
}

// join sets the state at pc, where the instruction before does not go on or where forward branches
// arrive. An address known on one way in counts: code that uses it is right on all ways. With no
// branch to pc from before, the block is entered from behind, or from an indirect jump.
func (s *a64scan) join(pc uint64) {
	ended := s.ended
	s.ended = false
	if pc != s.pending.next || len(s.pending.marks) == 0 {
		if ended {
			s.orphans = append(s.orphans, a64orphan{pc, s.live})
		}
		if missing := s.table.live &^ s.live; ended && missing != 0 {
			for l := missing; l != 0; l &= l - 1 {
				r := bits.TrailingZeros32(l)
				s.addr[r] = s.table.addr[r]
			}
			s.live |= missing
			s.vary = s.vary&^missing | s.table.vary&missing
		}
		return
	}
	if ended {
		s.live = 0
	}
	for len(s.pending.marks) > 0 && s.pending.next == pc {
		m := s.pending.pop()
		at := m.at
		for l := m.live; l != 0; l &= l - 1 {
			if r := bits.TrailingZeros32(l); s.live>>r&1 == 0 {
				s.live |= 1 << r
				s.vary = s.vary&^(1<<r) | m.vary&(1<<r)
				s.addr[r] = s.pending.addrs[at]
			}
			at++
		}
	}
	if len(s.pending.marks) == 0 {
		s.pending.addrs = s.pending.addrs[:0]
	}
}

// a64orphan is a block that nothing before it leads to, with the registers taken to be known in it.
type a64orphan struct {
	pc   uint64
	live uint32
}

// back looks at a branch backwards: an orphan that it leads to may be entered with more addresses
// than the walk could know. Then the walk is done again with what is known now.
func (s *a64scan) back(target uint64) {
	i, ok := slices.BinarySearchFunc(s.orphans, target, func(o a64orphan, t uint64) int { return cmp.Compare(o.pc, t) })
	if ok && s.live&^s.orphans[i].live != 0 {
		s.late.push(target, s.live, s.vary, &s.addr)
	}
}
