package simulate

import (
	"encoding/binary"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

func TestRunRecordedKernel(t *testing.T) {
	rows := 0
	for _, s := range recorded(t) {
		rows += checkSuite(t, s)
	}
	if rows != 10000 {
		t.Errorf("%d rows, want 10000", rows)
	}
}

func TestRunLibseccompSuite(t *testing.T) {
	rows := 0
	for _, s := range libseccompSuites(t) {
		rows += checkSuite(t, s)
	}
	if rows != 7788 {
		t.Errorf("%d rows, want 7788", rows)
	}
}

// checkSuite runs all rows of a suite, with and without a trace, and prepared.
func checkSuite(t *testing.T, s suite) int {
	if err := s.p.Verify(); err != nil {
		t.Errorf("%s: %v", s.name, err)
		return 0
	}
	machines := map[bool]*Machine{false: NewMachine(s.p, binary.LittleEndian), true: NewMachine(s.p, binary.BigEndian)}
	for _, v := range s.rows {
		if got := machines[v.arch.BigEndian].Run(&v.data); !v.expects(got) {
			t.Errorf("%s %s: prepared %s, want %s", s.name, v.where, outcome(got), v.expect)
		}
		got := Run(s.p, &v.data, v.arch.Order())
		if !v.expects(got) {
			t.Errorf("%s %s: %s, want %s", s.name, v.where, outcome(got), v.expect)
		}
		r := Trace(s.p, &v.data, v.arch.Order())
		if r.Action != got {
			t.Errorf("%s %s: Run %v, Trace %v", s.name, v.where, got, r.Action)
		}
		checkTrace(t, s.p, &v.data, v.arch.Order(), r)
	}
	return len(s.rows)
}

// checkTrace asks a trace for its promise: words that it does not name do not matter.
func checkTrace(t *testing.T, p filter.Program, d *filter.Data, order binary.ByteOrder, r Result) {
	words := d.Words(order)
	var read [16]bool
	pc := -1
	for _, s := range r.Trace {
		if s.PC <= pc {
			t.Fatalf("step at %d after %d", s.PC, pc)
		}
		pc = s.PC
		if s.Word >= 0 {
			read[s.Word] = true
			if s.A != words[s.Word] {
				t.Fatalf("word %d loaded as %#x, is %#x", s.Word, s.A, words[s.Word])
			}
		}
	}
	for i := range words {
		if !read[i] {
			words[i] = ^words[i]
		}
	}
	if got := run(p, &words); got != r.Action {
		t.Errorf("%v although no word was changed that the trace names, was %v", got, r.Action)
	}
}

// prog makes a program that returns A as it stands.
func prog(insns ...filter.Insn) filter.Program {
	return append(insns, filter.Stmt(filter.OpRetA, 0))
}

// A defect is a program on which an evaluator that is in use is known to be wrong, with the value
// that the kernel returns and the one that the evaluator returns.
type defect struct {
	name        string
	p           filter.Program
	want, wrong uint32
}

func defects() []defect {
	const imm, ldx = filter.OpLdImm, filter.OpLdxImm
	s := filter.Stmt
	return []defect{
		{"lsh by X = 32 is lsh by 0", prog(s(imm, 5), s(ldx, 32), s(filter.OpLshX, 0)), 5, 0},
		{"lsh by X = 33 is lsh by 1", prog(s(imm, 5), s(ldx, 33), s(filter.OpLshX, 0)), 10, 0},
		{"rsh by X = 32 is rsh by 0", prog(s(imm, 5), s(ldx, 32), s(filter.OpRshX, 0)), 5, 0},
		{"rsh by X = 2^32-1 is rsh by 31", prog(s(imm, 1<<31), s(ldx, 0xffffffff), s(filter.OpRshX, 0)), 1, 0},
		{"tax is no txa", prog(s(imm, 5), s(ldx, 7), s(filter.OpTax, 0), s(imm, 0), s(filter.OpTxa, 0)), 5, 7},
		{"neg", prog(s(imm, 5), s(filter.OpNeg, 0)), 0xfffffffb, 5},
		{"ldx len goes to X", prog(s(imm, 5), s(filter.OpLdxLen, 0)), 5, 64},
		{"ld len is 64", prog(s(filter.OpLdLen, 0)), 64, 0},
		{"div by X = 0 is KILL_THREAD", prog(s(imm, 5), s(filter.OpDivX, 0), s(imm, 9)), 0, 9},
		{"div is unsigned", prog(s(imm, 0x80000000), s(filter.OpDivK, 2)), 0x40000000, 0xc0000000},
		{"jgt is unsigned", prog(s(imm, 0x80000000), filter.Jump(filter.OpJgtK, 1, 0, 1), s(imm, 1)), 1, 0x80000000},
		{"jset tests any bit", prog(s(imm, 6), filter.Jump(filter.OpJsetK, 3, 0, 1), s(imm, 1)), 1, 6},
		{"mul wraps", prog(s(imm, 0x10001), s(filter.OpMulK, 0x10001)), 0x20001, 0xffffffff},
		{"sub wraps", prog(s(imm, 1), s(filter.OpSubK, 2)), 0xffffffff, 0},
		{"X starts as 0", prog(s(filter.OpTxa, 0)), 0, 1},
		{"unused k of neg", prog(s(imm, 1), s(filter.OpNeg, 7)), 0xffffffff, 0xfffffff9},
	}
}

func TestRunKnownDefects(t *testing.T) {
	for _, d := range defects() {
		if err := d.p.Verify(); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if got := Run(d.p, &filter.Data{}, binary.LittleEndian); uint32(got) != d.want {
			t.Errorf("%s: %#x, want %#x (others say %#x)", d.name, uint32(got), d.want, d.wrong)
		}
	}
}

func TestRunByteOrder(t *testing.T) {
	d := filter.Data{Args: [6]uint64{0x1111111122222222}}
	p := prog(filter.Load(filter.OffsetArgs))
	if got := Run(p, &d, binary.LittleEndian); got != 0x22222222 {
		t.Errorf("little-endian: offset 16 is %#x", uint32(got))
	}
	if got := Run(p, &d, binary.BigEndian); got != 0x11111111 {
		t.Errorf("big-endian: offset 16 is %#x", uint32(got))
	}
	if got := Run(prog(filter.Load(0)), &filter.Data{Nr: -1}, binary.BigEndian); got != 0xffffffff {
		t.Errorf("nr -1 is %#x", uint32(got))
	}
}

// TestRunUnverified holds Run to the little that it promises for programs that do not load.
func TestRunUnverified(t *testing.T) {
	for name, p := range map[string]filter.Program{
		"empty":       {},
		"no ret":      {filter.Stmt(filter.OpLdImm, 1)},
		"ja to start": {filter.Stmt(filter.OpLdImm, 1), filter.Stmt(filter.OpJa, 0xfffffffd)},
		"mod":         {filter.Stmt(0x94, 1), filter.Return(filter.Allow)},
		"M[200]":      {filter.Stmt(filter.OpLdMem, 200)},
		"offset 4096": {filter.Load(4096)},
	} {
		if got := Run(p, &filter.Data{}, nil); got != filter.KillThread {
			t.Errorf("%s: %v", name, got)
		}
		if got := NewMachine(p, nil).Run(&filter.Data{}); got != filter.KillThread {
			t.Errorf("%s: prepared %v", name, got)
		}
		if got := Trace(p, &filter.Data{}, nil); got.Action != filter.KillThread {
			t.Errorf("%s: traced %v", name, got)
		}
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	p := prog(filter.Load(0))
	d := &filter.Data{}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian, binary.NativeEndian} {
		if n := testing.AllocsPerRun(100, func() { Run(p, d, order) }); n != 0 {
			t.Errorf("%v: %v allocations", order, n)
		}
		m := NewMachine(p, order)
		if n := testing.AllocsPerRun(100, func() { m.Run(d) }); n != 0 {
			t.Errorf("%v: prepared, %v allocations", order, n)
		}
	}
}
