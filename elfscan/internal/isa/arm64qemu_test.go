package isa

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// a64form is a family of instructions: the bits of free may have any value that decodes.
type a64form struct {
	name        string
	value, free uint32
	memory      int // to what the base register must be aligned to point to memory, 0 for no access
	forget      int // how many of 500 trials may forget a register at most
}

var a64forms = []a64form{
	{"add, sub immediate", 0x11000000, 0xe07fffff, 0, 0},
	{"logical immediate", 0x12000000, 0xe07fffff, 0, 0},
	{"movz, movn, movk", 0x12800000, 0xe07fffff, 0, 0},
	{"bit fields", 0x13000000, 0xe07fffff, 0, 360},
	{"extr", 0x13800000, 0x805fffff, 0, 500},
	{"logical register", 0x0a000000, 0xe0ffffff, 0, 320},
	{"logical register, no shift", 0x0a000000, 0xe03f03ff, 0, 10},
	{"add, sub shifted", 0x0b000000, 0xe0dfffff, 0, 230},
	{"add, sub register", 0x0b000000, 0xe01f03ff, 0, 0},
	{"add, sub extended", 0x0b200000, 0xe01fffff, 0, 40},
	{"adc, sbc", 0x1a000000, 0xe01f03ff, 0, 500},
	{"csel and so on", 0x1a800000, 0xc01ff7ff, 0, 30},
	{"ccmp", 0x3a400000, 0xc01ffbef, 0, 0},
	{"madd, msub", 0x1b000000, 0x801fffff, 0, 500},
	{"smaddl and so on", 0x9b200000, 0x009fffff, 0, 500},
	{"smulh, umulh", 0x9b407c00, 0x008f03ff, 0, 500},
	{"udiv, sdiv", 0x1ac00800, 0x801f07ff, 0, 500},
	{"shifts by register", 0x1ac02000, 0x801f0fff, 0, 500},
	{"crc32b", 0x1ac04000, 0x001f13ff, 0, 500},
	{"rbit, rev16", 0x5ac00000, 0x800007ff, 0, 500},
	{"clz, cls", 0x5ac01000, 0x800007ff, 0, 500},
	{"adr, adrp", 0x10000000, 0xe0ffffff, 0, 0},
	{"fmov", 0x9e660000, 0x000003ff, 0, 500},
	{"fcvtzs", 0x9e780000, 0x000003ff, 0, 500},
	{"scvtf", 0x9e620000, 0x000003ff, 0, 0},
	{"umov", 0x0e013c00, 0x000003ff, 0, 500},
	{"smov", 0x0e012c00, 0x000003ff, 0, 500},
	{"mrs", 0xd53bd040, 0x0000001f, 0, 500},
	{"hints", 0xd503201f, 0x00000060, 0, 0},
	{"unsigned offset", 0x39000000, 0xc0fffc00 | 0x3ff, 1, 0},
	{"unscaled, writeback", 0x38000000, 0xc0dfffff, 1, 0},
	{"register offset", 0x38200800, 0xc0dff3ff, 1, 110},
	{"pairs", 0x28000000, 0xc1ffffff, 1, 20},
	{"ldar, stlr", 0x089ffc00, 0xc04003ff, 16, 0},
	{"ldapr", 0x38bfc000, 0xc00003ff, 16, 0},
	{"ldxr", 0x085f7c00, 0xc00083ff, 16, 500},
	{"prefetch", 0xf9800000, 0x003fffff, 1, 0},
	{"simd loads", 0x3d400000, 0xc0bfffff, 1, 0},
	{"simd structures", 0x0c400000, 0x409fffff, 1, 0},
}

// Layout of the program: a page for headers, then code, inputs, data; out follows the file.
const (
	a64qBase = 0x400000
	a64qCode = a64qBase + 0x1000
	a64qData = 1 << 17
)

// a64trial is one instruction to execute, with the registers before it.
type a64trial struct {
	form  int
	word  uint32
	pc    uint64
	start [32]uint64
}

// a64program collects the code of all trials.
type a64program struct {
	code            []uint32
	in, data, out   uint64
	trials          []a64trial
	input, contents []byte
}

func (p *a64program) emit(words ...uint32) { p.code = append(p.code, words...) }

// constant emits Xr = v for v below 1<<32.
func (p *a64program) constant(r uint32, v uint64) {
	p.emit(0xd2800000|uint32(v&0xffff)<<5|r, 0xf2a00000|uint32(v>>16)<<5|r)
}

const a64trialWords = 2 + 2 + 15 + 1 + 1 + 1 + 2 + 15 + 3

// trial emits: load all registers, execute, store all registers.
func (p *a64program) trial(i int) {
	t := &p.trials[i]
	p.constant(30, p.in+uint64(i)*256)
	p.emit(0xf9407fc0, 0x9100001f) // ldr x0, [x30, #248]; mov sp, x0
	for r := uint32(0); r < 30; r += 2 {
		p.emit(0xa9400000 | r<<15 | (r+1)<<10 | 30<<5 | r)
	}
	p.emit(0xf9407bde) // ldr x30, [x30, #240]
	t.pc = a64qCode + uint64(len(p.code))*4
	p.emit(t.word, 0x9e6703de) // ...; fmov d30, x30
	p.constant(30, p.out+uint64(i)*256)
	for r := uint32(0); r < 30; r += 2 {
		p.emit(0xa9000000 | r<<15 | (r+1)<<10 | 30<<5 | r)
	}
	p.emit(0x9e6603dd, 0x910003fc, 0xa90f73dd) // fmov x29, d30; mov x28, sp; stp x29, x28, [x30, #240]
}

// a64choose draws a word of the form and registers for it; false if the word is of no use.
func a64choose(r *rand.Rand, f a64form, data uint64) (a64trial, bool) {
	t := a64trial{word: f.value | r.Uint32()&f.free}
	for i := range t.start {
		t.start[i] = r.Uint64() >> (r.Uint32() % 64)
	}
	if _, n := ARM64.Decode(a64words(t.word), a64qCode, nil); n == 0 {
		return t, false
	}
	if f.memory == 0 {
		return t, true
	}
	m, _ := a64(t.word).mem()
	base := data + a64qData/2 + uint64(r.IntN(256))*16
	if m.rn != 31 && f.memory == 1 {
		base += uint64(r.IntN(16))
	}
	if m.index != 31 {
		t.start[m.index] = uint64(r.Int64N(2048) - 1024)
		if m.narrow() {
			t.start[m.index] = t.start[m.index]&0xffffffff | r.Uint64()<<32
			if m.option == 2 {
				t.start[m.index] &^= 0xfffffc00
			}
		}
	}
	t.start[m.rn] = base
	if m.size == 8 && m.count == 2 && m.width == 0 && !m.simd && m.store {
		return t, false // STGP must be aligned
	}
	exact := m.known || m.lost == a64NoZero(m.rt) && !m.store
	return t, exact && m.index != m.rn && (!m.vague || m.narrow()) && !(m.simd && m.store) &&
		!(m.literal || m.wback == a64Pre && m.rn == m.rt && !m.simd)
}

// a64assemble builds the ELF file of the program.
func (p *a64program) assemble() []byte {
	const headers = 64 + 56
	le := binary.LittleEndian
	file := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, a64qCode-a64qBase-7)...)
	for _, w := range p.code {
		file = le.AppendUint32(file, w)
	}
	file = append(append(file, p.input...), p.contents...)
	h := le.AppendUint16(nil, 2)     // ET_EXEC
	h = le.AppendUint16(h, 183)      // EM_AARCH64
	h = le.AppendUint32(h, 1)        //
	h = le.AppendUint64(h, a64qCode) // entry
	h = le.AppendUint64(h, 64)       // program headers
	h = le.AppendUint64(h, 0)        // no sections
	h = le.AppendUint32(h, 0)        // flags
	for _, v := range []uint16{64, 56, 1, 0, 0, 0} {
		h = le.AppendUint16(h, v)
	}
	h = le.AppendUint32(h, 1) // PT_LOAD
	h = le.AppendUint32(h, 7) // rwx
	for _, v := range []uint64{0, a64qBase, a64qBase, uint64(len(file)), uint64(len(file) + len(p.trials)*256), 0x1000} {
		h = le.AppendUint64(h, v)
	}
	copy(file[16:headers], h)
	return file
}

// a64prepare draws the trials and lays the program out.
func a64prepare(seed uint64, each int) *a64program {
	r := rand.New(rand.NewPCG(seed, 7))
	n := each * len(a64forms)
	const ending = 6 + 2 + 2 + 1 + 2 + 1 // words
	p := &a64program{in: a64qCode + uint64(n*a64trialWords+ending)*4}
	p.in = (p.in + 15) &^ 15
	p.data = p.in + uint64(n)*256
	p.out = p.data + a64qData
	for i, f := range a64forms {
		for done := 0; done < each; {
			if t, ok := a64choose(r, f, p.data); ok {
				t.form = i
				p.trials = append(p.trials, t)
				done++
			}
		}
	}
	for i := range p.trials {
		p.trial(i)
		for _, v := range p.trials[i].start {
			p.input = binary.LittleEndian.AppendUint64(p.input, v)
		}
	}
	p.contents = make([]byte, a64qData)
	for i := range p.contents {
		p.contents[i] = byte(r.Uint32())
	}
	p.constant(0, 1) // write(1, data, everything)
	p.constant(1, p.data)
	p.constant(2, a64qData+uint64(n)*256)
	p.constant(8, 64)
	p.emit(0xd4000001)
	p.constant(8, 93) // exit
	p.emit(0xd4000001)
	for uint64(len(p.code))*4 < p.in-a64qCode {
		p.emit(0xd503201f)
	}
	return p
}

// TestARM64Executed executes random instructions under qemu, on registers and memory with random
// content. Each register and each byte must be what the Ops say, or forgotten.
func TestARM64Executed(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		a64missing(t, "no qemu-aarch64-static (Debian: qemu-user-static)")
	}
	p := a64prepare(1, 500)
	exe := filepath.Join(t.TempDir(), "trials")
	if err := os.WriteFile(exe, p.assemble(), 0o700); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(qemu, "-cpu", "max", exe)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("qemu: %v %s", err, errs.Bytes())
	}
	if out.Len() != a64qData+len(p.trials)*256 {
		t.Fatalf("%d bytes of output, want %d", out.Len(), a64qData+len(p.trials)*256)
	}
	p.judge(t, out.Bytes())
}

// judge compares what was executed to what the Ops say, trial by trial, memory carried along.
func (p *a64program) judge(t *testing.T, out []byte) {
	exact, forgotten := make([]int, len(a64forms)), make([]int, len(a64forms))
	memory := bytes.Clone(p.contents)
	le := binary.LittleEndian
	for i, tr := range p.trials {
		s := a64state{read: func(addr uint64, size int) uint64 {
			var b [8]byte
			copy(b[:size], memory[addr-p.data:])
			return le.Uint64(b[:])
		}}
		for r, v := range tr.start {
			s.reg[r] = a64one(v)
		}
		if _, ok := a64run(tr.word, tr.pc, &s); !ok {
			t.Fatalf("%08x does not decode", tr.word)
		}
		for r := range s.reg {
			got := le.Uint64(out[a64qData+i*256+r*8:])
			switch v := s.reg[r]; {
			case v.n == 0:
				forgotten[tr.form]++
			case v.n == 1 && v.v[0] != got, v.n == 2 && v.v[0] != got && v.v[1] != got:
				t.Errorf("%08x (%s): register %d is %#x, Ops say %#x", tr.word, a64forms[tr.form].name, r, got, v.v[:v.n])
			default:
				exact[tr.form]++
			}
		}
		p.store(t, memory, tr, &s)
	}
	for i, f := range a64forms {
		if exact[i] == 0 {
			t.Errorf("%s: nothing compared", f.name)
		}
		if forgotten[i] > f.forget {
			t.Errorf("%s: %d registers forgotten, at most %d expected", f.name, forgotten[i], f.forget)
		}
		t.Logf("%-26s %6d registers as predicted, %4d forgotten", f.name, exact[i], forgotten[i])
	}
	if !bytes.Equal(memory, out[:a64qData]) {
		t.Error("memory differs from what the Ops say")
	}
}

// store brings memory to the state after a trial. A store to an address that the Ops do not tell
// is taken from the instruction's fields.
func (p *a64program) store(t *testing.T, memory []byte, tr a64trial, s *a64state) {
	for _, st := range s.stores {
		if st.addr.n == 1 && st.value.n == 1 {
			for i := range st.size {
				memory[st.addr.v[0]-p.data+uint64(i)] = byte(st.value.v[0] >> (8 * i))
			}
			continue
		}
		m, _ := a64(tr.word).mem()
		if !m.narrow() {
			t.Fatalf("%08x: unknown store %+v", tr.word, st)
		}
		index := tr.start[m.index] & 0xffffffff
		if m.option == 6 {
			index = a64extendSign(index, 4)
		}
		var value uint64
		if m.rt != 31 {
			value = tr.start[m.rt]
		}
		for i := range st.size {
			memory[tr.start[m.rn]+index<<m.shift-p.data+uint64(i)] = byte(value >> (8 * i))
		}
	}
}
