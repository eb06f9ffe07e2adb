//go:build linux && amd64

package isa

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
)

// checker runs instructions on the processor and compares what it does with what Decode says.
type checker struct {
	*tracee
	r       *rand.Rand
	decode  func(code []byte, pc uint64, ops []Op) ([]Op, int)
	start   syscall.PtraceRegs
	ran     int // instructions that were executed
	faults  int // that faulted, because of their operands or the processor's model
	changed int // registers that changed ...
	exact   int // ... to a value that Decode gives
	stored  int // instructions that changed memory
	ops     []Op
}

func newChecker(t *testing.T) *checker {
	c := &checker{tracee: startTracee(t), r: rand.New(rand.NewPCG(1, 2)), decode: AMD64.Decode}
	if err := syscall.PtraceGetRegs(c.pid, &c.start); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, dataSize)
	for i := range data {
		data[i] = byte(c.r.Uint32())
	}
	if err := c.fill(data); err != nil {
		t.Fatal(err)
	}
	return c
}

// pointer is an address well inside of the data.
func (c *checker) pointer() uint64 { return dataAt + dataSize/4 + uint64(c.r.IntN(dataSize/16))*8 }

// registers makes up register contents with which s reaches memory that is there.
func (c *checker) registers(s sample) syscall.PtraceRegs {
	regs := c.start
	for i, p := range general(&regs) {
		switch c.r.IntN(5) {
		case 0:
			*p = uint64(c.r.IntN(40))
		case 1:
			*p = uint64(c.r.Uint32())
		case 2:
			*p = c.r.Uint64()
		default:
			*p = c.pointer()
		}
		switch r := Reg(i); {
		case r == s.index:
			*p = uint64(c.r.IntN(256))
		case r == rcx && c.r.IntN(2) == 0 && r != s.base:
			*p = uint64(c.r.IntN(10))
		case r == rsp, r == s.base, r == rdi, r == rsi && c.r.IntN(4) != 0, r == rbp && c.r.IntN(4) != 0:
			*p = c.pointer()
		}
	}
	regs.Fs_base, regs.Gs_base = segmentOffset, segmentOffset // away from the data compared
	regs.Eflags = 0x202 | uint64(c.r.Uint32())&0x8d5          // status flags
	return regs
}

// avoid reports whether code is not to be run, or not to be compared.
func avoid(ops []Op, code []byte) bool {
	for _, op := range ops {
		if op.Kind == OpSyscall || op.Kind == OpInt80 {
			return true // enters the kernel
		}
	}
	_, m, _, x := parse(code)
	op, b := x.opcode(), code[m]
	if x.table() == mapOne {
		// Far transfers may reach 32-bit code. A load of SS suspends single steps.
		return op|1 == 0xcb || op == 0xcf || op == 0xff && (b&0x38 == 0x18 || b&0x38 == 0x28) ||
			op == 0x8e && b&0x38 == 0x10
	}
	switch {
	case x.table() >= map38:
		return false
	case op == 0xb2:
		return true // loads SS
	case op == 0x00, op == 0x01 && (b < 0xc0 || b&0xf8 == 0xe0):
		return true // with UMIP the kernel emulates SLDT, SGDT, SMSW, and then does not stop
	case op == 0x01 && (b == 0xc9 || b|1 == 0xfb), op == 0xae && b >= 0xf0 && x.table() > map0F:
		return true // MWAIT, MWAITX, UMWAIT and TPAUSE wait
	}
	return false
}

// narrowBranch reports whether code is a branch with an operand-size prefix. AMD gives it a 16-bit
// displacement and cuts RIP to 16 bits. Intel ignores the prefix and so does Decode: code that is
// meant to run on both has no such branch.
func narrowBranch(code []byte) bool {
	_, m, a, x := parse(code)
	c := a & clMask
	indirect := x.table() == mapOne && x.opcode() == 0xff && m != 0 && (code[m]&0x38 == 0x10 || code[m]&0x38 == 0x20)
	return x&enc66 != 0 && x&encW == 0 && (c == clCall || c == clJump || c == clBranch || indirect)
}

// check runs s once and compares.
func (c *checker) check(s sample) error {
	ops, n := c.decode(s.code, codeAt, c.ops[:0])
	c.ops = ops
	if avoid(ops, s.code) || narrowBranch(s.code) {
		return nil
	}
	regs := c.registers(s)
	code := slices.Clone(s.code)
	got, err := c.run(code, regs)
	if err == errRunaway {
		copy(c.data, c.after)
		return c.fill(c.data)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errTracee, err)
	}
	defer c.restore()
	if n == 0 {
		if got.signal != syscall.SIGILL {
			return fmt.Errorf("does not decode, but the processor runs it (signal %d, %d bytes)", got.signal, got.regs.Rip-codeAt)
		}
		return nil
	}
	if got.signal != 0 {
		c.faults++
		return nil
	}
	c.ran++
	// A conditional move is tried with either source.
	first := c.compare(ops, n, regs, got)
	if first != nil && slices.ContainsFunc(ops, func(op Op) bool { return op.Kind == OpSelect }) {
		swapped := slices.Clone(ops)
		for i := range swapped {
			if swapped[i].Kind == OpSelect {
				swapped[i].A = swapped[i].B
			}
		}
		return c.compare(swapped, n, regs, got)
	}
	return first
}

// restore takes over what the instruction did to the data, and repairs the pointers' ground.
func (c *checker) restore() { copy(c.data, c.after) }

func (c *checker) load(addr uint64, size uint8) (uint64, bool) {
	off := addr - dataAt
	if off >= dataSize || off+uint64(size) > dataSize || size > 8 {
		return 0, false
	}
	var b [8]byte
	copy(b[:], c.data[off:off+uint64(size)])
	return binary.LittleEndian.Uint64(b[:]), true
}

func (c *checker) compare(ops []Op, n int, before syscall.PtraceRegs, got step) error {
	m := &model{load: c.load, mem: map[uint64]int{}, next: codeAt + uint64(n)}
	for i, p := range general(&before) {
		m.regs[i] = *p
	}
	for _, op := range ops {
		if err := m.apply(op, AMD64); err != nil {
			return err
		}
	}
	if err := c.compareFlow(m, got.regs.Rip); err != nil {
		return err
	}
	was := general(&before)
	for i, p := range general(&got.regs) {
		known := !m.unknown.Has(Reg(i))
		if known && *p != m.regs[i] {
			return fmt.Errorf("register %d was %#x, is %#x, Decode says %#x", i, *was[i], *p, m.regs[i])
		}
		if *p != *was[i] {
			c.changed++
			if known {
				c.exact++
			}
		}
	}
	return c.compareMemory(m)
}

func (c *checker) compareFlow(m *model, rip uint64) error {
	switch {
	case m.stops || m.noJumps:
	case len(m.jumps) == 0 && rip != m.next:
		return fmt.Errorf("length is %d, Decode says %d", int64(rip-codeAt), m.next-codeAt)
	case len(m.jumps) > 0 && !slices.Contains(m.jumps, rip):
		return fmt.Errorf("goes to %#x, Decode says %#x", rip, m.jumps)
	}
	return nil
}

func (c *checker) compareMemory(m *model) error {
	if m.anyMem {
		return nil
	}
	for i := 0; i < dataSize; i += 64 {
		if len(m.mem) == 0 && bytes.Equal(c.after[i:i+64], c.data[i:i+64]) {
			continue
		}
		for j := i; j < i+64; j++ {
			if want, written := m.mem[dataAt+uint64(j)]; !written && c.after[j] != c.data[j] {
				return fmt.Errorf("memory at %#x changed, Decode does not say so", dataAt+j)
			} else if written && want >= 0 && c.after[j] != byte(want) {
				return fmt.Errorf("memory at %#x is %#x, Decode says %#x", dataAt+j, c.after[j], want)
			}
		}
	}
	if len(m.mem) > 0 {
		c.stored++
	}
	return nil
}

// TestAMD64DecodeAgainstProcessor runs every opcode that there is, in register and memory forms
// with random registers, on the processor of this machine and compares registers, memory, length
// and where the flow goes with what Decode says.
func TestAMD64DecodeAgainstProcessor(t *testing.T) {
	c := newChecker(t)
	rounds := 1
	if os.Getenv("PROFCHECK_FULL") != "" {
		rounds = 30
	}
	failed := map[string]bool{}
	for _, table := range sampleTables() {
		for op := range 256 {
			for i := range 16 * rounds {
				if opcodes[table][op] == 0 && i%8 != 0 {
					continue // few of those that do not exist
				}
				s := makeSample(c.r, table, byte(op), byte(i&7), i&8 != 0)
				if err := c.check(s); errors.Is(err, errTracee) {
					t.Fatalf("% x: %v", s.code, err)
				} else if err != nil {
					if key := fmt.Sprint(table, op); !failed[key] {
						failed[key] = true
						t.Errorf("table %d opcode %02x: % x: %v", table, op, s.code, err)
					}
				}
			}
		}
	}
	if c.ran < 10000 || c.changed < 2000 || c.exact < 1000 || c.stored < 1000 {
		t.Error("too few instructions ran to say anything")
	}
	t.Logf("%d instructions ran, %d faulted; %d registers changed, %d of them to the value that Decode gives; %d changed memory; %d wrong",
		c.ran, c.faults, c.changed, c.exact, c.stored, len(failed))
}

// TestAMD64CheckerFindsMistakes shows that the comparison with the processor can fail: a Decode that
// is wrong in one way is caught each time.
func TestAMD64CheckerFindsMistakes(t *testing.T) {
	c := newChecker(t)
	mistakes := map[string]func(ops []Op, n int) ([]Op, int){
		"a length too long": func(ops []Op, n int) ([]Op, int) { return ops, n + min(n, 1) },
		"nothing decodes":   func([]Op, int) ([]Op, int) { return nil, 0 },
		"no effects":        func(_ []Op, n int) ([]Op, int) { return nil, n },
		"registers kept": func(ops []Op, n int) ([]Op, int) {
			for i := range ops {
				ops[i].Clobber = 0
			}
			return ops, n
		},
		"stores elsewhere": func(ops []Op, n int) ([]Op, int) {
			for i := range ops {
				if ops[i].Dst.Kind == Mem && ops[i].Dst.Size != 0 {
					ops[i].Dst.Value += 16
				}
			}
			return ops, n
		},
		"upper halves kept": func(ops []Op, n int) ([]Op, int) {
			for i := range ops {
				if ops[i].Dst.Kind == RegOp {
					ops[i].Width = 8
				}
			}
			return ops, n
		},
	}
	for name, spoil := range mistakes {
		c.decode = func(code []byte, pc uint64, ops []Op) ([]Op, int) {
			return spoil(AMD64.Decode(code, pc, ops))
		}
		found := 0
		for i := range 4096 {
			s := makeSample(c.r, mapOne+i&1, byte(i>>1), byte(c.r.IntN(8)), c.r.IntN(2) == 0)
			if ops, _ := AMD64.Decode(s.code, codeAt, nil); avoid(ops, s.code) {
				continue // also where the spoiled Decode would not say so
			}
			if err := c.check(s); errors.Is(err, errTracee) {
				t.Fatal(err)
			} else if err != nil {
				found++
			}
		}
		if found < 10 {
			t.Errorf("%s: found only %d times", name, found)
		}
	}
}
