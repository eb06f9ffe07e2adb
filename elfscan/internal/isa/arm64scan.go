package isa

import (
	"encoding/binary"
	"sync"
)

// a64CallLost are the registers in which a call returns something. The others that it may change are
// not forgotten: correct code does not read them before it writes them, unless the compiler knows
// that the function leaves them alone (GCC's -fipa-ra), and then they hold what they held.
const a64CallLost = 0xff | 1<<a64LR

// a64scan is the state of one Scan. It follows addresses from ADRP and ADR to where they are used.
// A compiler may put ADRP far ahead of its uses and use the register otherwise on a path between
// them, so the state at a forward branch is kept for its target.
type a64scan struct {
	refs []Ref
	base uint64
	end  uint64

	survey bool // report what Survey adds

	live uint32     // registers that hold a known address, bit 31 SP (never set)
	addr [32]uint64 // what they hold
	vary uint32     // of live: an index was added (Survey)

	ended   bool // the instruction before does not go on to this one
	pending a64pending
	table   a64snapshot // at the last indirect jump: cases of a switch begin with it
	spills  a64spills

	orphans []a64orphan
	late    a64pending // what orphans are entered with, learnt after them
}

// a64Scan is ARM64.Scan. Forms of an address are ADR, ADRP alone as the base of a load or store,
// and ADRP followed by ADD; an ADD to an address so formed forms another. A load or store through
// such a register at a constant offset gives a RefLoad or RefStore for each register loaded or
// stored, and for each eight bytes of a wider one.
func a64Scan(code []byte, base uint64, refs []Ref) []Ref { return a64walkAll(code, base, refs, false) }

// a64Survey is ARM64.Survey. There are no absolute addresses in instructions.
func a64Survey(code []byte, base, _, _ uint64, refs []Ref) []Ref {
	return a64walkAll(code, base, refs, true)
}

func a64walkAll(code []byte, base uint64, refs []Ref, survey bool) []Ref {
	s := a64scans.Get().(*a64scan)
	defer a64scans.Put(s)
	s.survey = survey
	s.late.reset()
	s.walk(code, base, refs)
	if len(s.late.marks) > 0 {
		s.pending, s.late = s.late, s.pending
		s.walk(code, base, refs)
	}
	found := s.refs
	s.refs = nil
	s.pending.reset()
	return found
}

// a64scans keeps the memory of a scan for the next one: functions are short and many.
var a64scans = sync.Pool{New: func() any { return new(a64scan) }}

// walk goes over the code once. What pending holds at the start is known from the walk before.
func (s *a64scan) walk(code []byte, base uint64, refs []Ref) {
	s.refs, s.base, s.end = refs, base, base+uint64(len(code))
	s.live, s.vary, s.ended, s.table.live = 0, 0, false, 0
	s.spills, s.orphans = s.spills[:0], s.orphans[:0]
	pc := base
	for ; len(code) >= 4; code, pc = code[4:], pc+4 {
		if s.ended || pc == s.pending.next {
			s.join(pc)
		}
		s.step(a64(binary.LittleEndian.Uint32(code)), pc)
	}
	if len(code) > 0 {
		s.ref(RefBad, pc, 0)
	}
}

func (s *a64scan) ref(k RefKind, at, target uint64) {
	s.refs = append(s.refs, Ref{At: at, Target: target, Kind: k})
}

func (s *a64scan) step(w a64, pc uint64) {
	switch w.group() {
	case 4, 6, 12, 14:
		s.memory(w, pc)
	case a64GroupBranch, a64GroupBranch + 1:
		s.branch(w, pc)
	case a64GroupImm, a64GroupImm + 1:
		s.immediate(w, pc)
	case a64GroupReg, a64GroupReg + 8:
		s.register(w, pc)
	case a64GroupFP, a64GroupFP + 8:
		if s.live != 0 {
			s.live &^= w.writesFP()
		}
		if w == a64GoUndef {
			s.ended = true
		}
	default:
		s.vector(w, pc)
	}
}

func (s *a64scan) vector(w a64, pc uint64) {
	switch {
	case w.group()&1 != 0, w.group() == a64GroupReserved && !w.bit(31) && (w == 0 || w>>16 != 0):
		s.ref(RefBad, pc, 0)
	case w>>16 == 0: // UDF
		s.ended = true
	default:
		s.live &^= w.writesVector()
	}
}

func (s *a64scan) immediate(w a64, pc uint64) {
	d := w.rd()
	switch w.field(23, 3) {
	case 0, 1:
		t := w.adr(pc)
		if !w.bit(31) {
			s.form(pc, d, t)
		} else if d != 31 {
			s.live |= 1 << d
			s.vary &^= 1 << d
			s.addr[d] = t
		}
		return
	case 2:
		// ADD and SUB; those that set flags compare addresses.
		if n := w.rn(); s.live>>n&1 != 0 && !w.bit(29) && w.bit(31) {
			vary := s.vary >> n & 1
			s.form(pc, d, s.addr[n]+uint64(w.addImmValue()))
			s.vary |= vary << d
			return
		}
	default:
		if !w.immediateOK() {
			s.ref(RefBad, pc, 0)
			return
		}
	}
	s.live &^= w.writesImm()
}

// form notes that register d receives the address t.
func (s *a64scan) form(pc uint64, d uint32, t uint64) {
	s.ref(RefAddr, pc, t)
	if d != 31 {
		s.live |= 1 << d
		s.vary &^= 1 << d
		s.addr[d] = t
	}
}

// indexed notes that an index is added to a known address. With section anchors the offset of the
// object that is meant comes behind the index: ADD X1, X0, X2, LSL #3; LDR X3, [X1, #64].
func (s *a64scan) indexed(w a64) bool {
	const add, addMask = 0x8b000000, 0xff000000 // ADD of 64-bit registers, shifted or extended
	d, n, m := w.rd(), w.rn(), w.rm()
	if !s.survey || w&addMask != add || d == 31 {
		return false
	}
	switch {
	case n != 31 && s.live>>n&1 != 0:
	case m != 31 && s.live>>m&1 != 0 && !w.bit(21) && w.field(10, 6) == 0: // ADD X1, X2, X0
		n = m
	default:
		return false
	}
	s.live |= 1 << d
	s.vary |= 1 << d
	s.addr[d] = s.addr[n]
	return true
}

func (s *a64scan) register(w a64, pc uint64) {
	if !w.registerOK() {
		s.ref(RefBad, pc, 0)
		return
	}
	if s.live == 0 {
		return
	}
	const move, moveMask = 0xaa0003e0, 0xffe0ffe0 // MOV Xd, Xm
	if d, m := w.rd(), w.rm(); w&moveMask == move && s.live>>m&1 != 0 && d != 31 {
		s.live |= 1 << d
		s.vary = s.vary&^(1<<d) | (s.vary>>m&1)<<d
		s.addr[d] = s.addr[m]
		return
	}
	if s.indexed(w) {
		return
	}
	s.live &^= w.writesReg()
}

// simple does the most frequent loads and stores, LDR and STR of any size at an unsigned offset,
// where no known address is involved. It reports false if memory has to look.
func (s *a64scan) simple(w a64) bool {
	const form, mask = 0x39000000, 0x3f800000
	n := w.rn()
	if w&mask != form || s.live>>n&1 != 0 {
		return false
	}
	frame, d := n == 31 || n == 29, a64NoZero(w.rd())
	switch {
	case !w.bit(22):
		return !frame || s.live&d == 0
	case frame && len(s.spills) > 0:
		return false
	}
	s.live &^= d
	return true
}

func (s *a64scan) memory(w a64, pc uint64) {
	if s.simple(w) {
		return
	}
	m, ok := w.mem()
	switch {
	case !ok:
		s.ref(RefBad, pc, 0)
		return
	case m.literal:
		s.access(&m, pc, pc+uint64(m.disp))
	case s.live == 0 && len(s.spills) == 0:
		return
	case s.live>>m.rn&1 != 0 && m.index == 31 && !m.vague:
		t := s.addr[m.rn]
		moved := t + uint64(m.disp)
		if m.wback != a64Post {
			t = moved
		}
		vary := s.vary >> m.rn & 1
		if vary != 0 {
			s.ref(RefAddr, pc, t)
		} else {
			s.access(&m, pc, t)
		}
		s.live &^= m.writes() &^ (1 << m.rn)
		if m.wback != a64Offset {
			s.form(pc, m.rn, moved)
			s.vary |= vary << m.rn
			return
		}
	case m.onStack() && m.store:
		s.spill(&m)
	case m.onStack() && m.load && len(s.spills) > 0:
		s.reload(&m)
		return
	}
	s.live &^= m.writes()
}

// access notes a load or store of fixed memory.
func (s *a64scan) access(m *a64mem, pc, t uint64) {
	kind, step := RefLoad, uint64(8)
	if m.store {
		kind = RefStore
	}
	if !m.simd {
		step = uint64(min(8, m.size))
	}
	total := uint64(m.size) * uint64(m.count)
	for at := uint64(0); at < total; at += step {
		s.ref(kind, pc, t+at)
		if s.survey {
			s.refs[len(s.refs)-1].Size = uint8(min(step, total-at))
		}
	}
}

func (s *a64scan) branch(w a64, pc uint64) {
	b := w.flow()
	t := pc + uint64(b.disp)
	switch b.kind {
	case a64Bad:
		s.ref(RefBad, pc, 0)
	case a64System:
		if s.live != 0 {
			s.live &^= w.writesSystem()
		}
	case a64Jump, a64Cond:
		if t < s.base || t >= s.end {
			s.ref(RefJump, pc, t)
		} else if t > pc && s.live != 0 {
			s.pending.push(t, s.live, s.vary, &s.addr)
		} else if s.live != 0 && len(s.orphans) > 0 {
			s.back(t)
		}
		s.ended = b.kind == a64Jump
	case a64Call:
		s.ref(RefCall, pc, t)
		s.live &^= a64CallLost
	case a64CallReg:
		s.indirect(RefCallInd, pc)
		s.live &^= a64CallLost
	case a64JumpReg:
		s.indirect(RefJumpInd, pc)
		s.table = a64snapshot{s.live, s.vary, s.addr}
		s.ended = true
	case a64SVC:
		s.ref(RefSyscall, pc, 0)
		s.live &^= 1
	default:
		s.ended = true
	}
}

// indirect notes a call or jump to a computed address.
func (s *a64scan) indirect(k RefKind, pc uint64) {
	if s.survey {
		s.ref(k, pc, 0)
	}
}
