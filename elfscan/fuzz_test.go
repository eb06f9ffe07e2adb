package elfscan

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// tinyProgram is an ELF file with one segment that holds code, a function table for it, its
// moduledata and nothing else: what Scan takes for a Go program.
func tinyProgram(machine elf.Machine, code []byte, funcs int) []byte {
	const base, text = 0x10000, 0x1000
	le := binary.LittleEndian
	var table []byte
	nameOff := uint64(headerSize)
	names := []byte("\x00main.main\x00")
	for len(names)%8 != 0 {
		names = append(names, 0)
	}
	funcOff := nameOff + uint64(len(names)) + 16
	table = le.AppendUint32(table, usualMagic)
	table = append(table, 0, 0, 1, 8)
	for _, w := range []uint64{uint64(funcs), 1, base + text, nameOff, nameOff + uint64(len(names)), nameOff + uint64(len(names)) + 8, nameOff + uint64(len(names)) + 8, funcOff} {
		table = le.AppendUint64(table, w)
	}
	table = append(table, names...)
	table = append(table, make([]byte, 16)...)
	record := uint32(8*funcs + 8)
	for i := range funcs {
		table = le.AppendUint32(table, uint32(i*len(code)/funcs))
		table = le.AppendUint32(table, record)
	}
	table = le.AppendUint32(table, uint32(len(code)))
	table = append(table, make([]byte, 4)...)
	fn := make([]byte, funcSize)
	le.PutUint32(fn[funcName:], 1)
	table = append(table, fn...)

	at := (text + uint64(len(code)) + 63) &^ 63
	module := (at + uint64(len(table)) + 63) &^ 63
	out := make([]byte, module+modSize+64)
	copy(out, "\x7fELF\x02\x01\x01")
	le.PutUint16(out[16:], uint16(elf.ET_EXEC))
	le.PutUint16(out[18:], uint16(machine))
	le.PutUint32(out[20:], 1)
	le.PutUint64(out[24:], base+text)
	le.PutUint64(out[32:], 64)
	le.PutUint16(out[52:], 64)
	le.PutUint16(out[54:], 56)
	le.PutUint16(out[56:], 1)
	le.PutUint32(out[64:], uint32(elf.PT_LOAD))
	le.PutUint32(out[68:], uint32(elf.PF_R|elf.PF_X))
	le.PutUint64(out[64+16:], base)
	le.PutUint64(out[64+32:], uint64(len(out)))
	le.PutUint64(out[64+40:], uint64(len(out)))
	copy(out[text:], code)
	copy(out[at:], table)
	le.PutUint64(out[module:], base+at)
	le.PutUint64(out[module+modFuncnametab:], base+at+nameOff)
	le.PutUint64(out[module+modMinpc:], base+text)
	le.PutUint64(out[module+modText:], base+text)
	le.PutUint64(out[module+modText+8:], base+text+uint64(len(code)))
	le.PutUint64(out[module+modTypes:], base+module)
	le.PutUint64(out[module+modTypes+8:], base+module+64)
	return out
}

// exitCode exits with status 0 on x86-64: number 60 in EAX.
var exitCode = []byte{0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05, 0x0f, 0x0b}

func TestTinyProgram(t *testing.T) {
	b := tinyProgram(elf.EM_X86_64, exitCode, 1)
	res, err := ScanReader("tiny", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if n := res.need(t, "exit"); n == nil || len(res.Needs) != 1 || !res.Complete() {
		t.Errorf("needs %+v, unresolved %+v, gaps %+v", res.Needs, res.Unresolved, res.Gaps)
	}
}

func TestFallThrough(t *testing.T) {
	// Two functions: the first sets the number and runs into the second, which enters the kernel.
	code := []byte{0xb8, 60, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b, 0x90}
	b := tinyProgram(elf.EM_X86_64, code, 2)
	res, err := ScanReader("tiny", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if res.need(t, "exit") == nil || !res.Complete() {
		t.Errorf("needs %+v, unresolved %+v", res.Needs, res.Unresolved)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(tinyProgram(elf.EM_X86_64, exitCode, 1))
	f.Add(tinyProgram(elf.EM_AARCH64, []byte{1, 0, 0, 0xd4, 0xc0, 3, 0x5f, 0xd6}, 1))
	f.Add(tinyProgram(elf.EM_X86_64, bytes.Repeat(exitCode, 4), 4))
	if b, err := os.ReadFile("/proc/self/exe"); err == nil {
		f.Add(b[:1024])
	}
	for _, name := range []string{"bin/greet", "bin/sh", "lib/libsay.so.1", "lib/libforeign.so.1"} {
		b, err := os.ReadFile(filepath.Join(smallRoot, filepath.FromSlash(name)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		start := time.Now()
		res, err := ScanReader("file", bytes.NewReader(b), int64(len(b)))
		if (res == nil) == (err == nil) {
			t.Fatal("neither a result nor an error, or both")
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("%s for %d bytes", d, len(b))
		}
	})
}

// FuzzTable changes the function table of a program that is well otherwise.
func FuzzTable(f *testing.F) {
	b := tinyProgram(elf.EM_X86_64, bytes.Repeat(exitCode, 8), 8)
	f.Add(uint32(8), uint64(9), uint32(70), uint64(1)<<40)
	f.Add(uint32(0), uint64(1), uint32(4), uint64(7))
	f.Fuzz(func(t *testing.T, at1 uint32, v1 uint64, at2 uint32, v2 uint64) {
		b := bytes.Clone(b)
		for at, v := range map[uint32]uint64{at1: v1, at2: v2} {
			if place := 0x1000 + uint64(at)%uint64(len(b)-0x1008); place+8 <= uint64(len(b)) {
				binary.LittleEndian.PutUint64(b[place:], v)
			}
		}
		if res, err := ScanReader("file", bytes.NewReader(b), int64(len(b))); (res == nil) == (err == nil) {
			t.Fatal("neither a result nor an error, or both")
		}
	})
}

// FuzzFlow follows any bytes as the body of a function.
func FuzzFlow(f *testing.F) {
	f.Add(exitCode, false, uint8(1))
	f.Add(bytes.Repeat([]byte{0xeb, 0x00, 0x50, 0x74, 0xf0}, 50), false, uint8(2))
	f.Add([]byte{1, 0, 0, 0xd4, 0xc0, 3, 0x5f, 0xd6}, true, uint8(1))
	f.Fuzz(func(t *testing.T, code []byte, arm bool, funcs uint8) {
		n := int(funcs%16) + 1
		if len(code) < n {
			return
		}
		machine := elf.EM_X86_64
		if arm {
			machine = elf.EM_AARCH64
		}
		b := tinyProgram(machine, code, n)
		start := time.Now()
		im, err := openImage("file", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		tab := findPclntab(im)
		if tab == nil {
			t.Fatal("no table")
		}
		p := newProgram(im, tab)
		p.watchTypes()
		p.walk()
		p.findMorestack()
		for fn := range tab.funcs {
			checkComplete(t, p, fn)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("%s for %d bytes", d, len(code))
		}
	})
}

// checkComplete requires that the summary of fn has each syscall instruction of its code.
func checkComplete(t *testing.T, p *program, fn int) {
	sum := p.summary(fn)
	if sum.Vague {
		return
	}
	for _, s := range p.sites {
		if int(s.fn) != fn {
			continue
		}
		found := false
		for i := range sum.Calls {
			k := sum.Calls[i].Kind
			found = found || sum.Calls[i].At == s.at && (k == isa.OpSyscall || k == isa.OpInt80)
		}
		if !found {
			t.Errorf("the syscall instruction at %#x is not in the summary", s.at)
		}
	}
}
