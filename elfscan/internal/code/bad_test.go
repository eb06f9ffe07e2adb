package code

import (
	"bytes"
	"debug/elf"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// machineCode is a module that consists of code at 0x1000.
func machineCode(code string) *module.Module {
	return &module.Module{
		Machine: elf.EM_X86_64, Type: elf.ET_DYN, Entry: 0x1000,
		Segments: []module.Segment{{Addr: 0x1000, Size: uint64(len(code)), Data: []byte(code), Exec: true}},
	}
}

// TestFramesThatLie has frames that overlap, that reach beyond the file, and that are empty.
func TestFramesThatLie(t *testing.T) {
	m := machineCode("\x90\x90\x90\x90\x0f\x05\xc3\x90\xcd\x80\xc3\x90")
	m.Frames = []module.Frame{
		{Start: 0, End: 1 << 63}, {Start: 0x1000, End: 0x1008}, {Start: 0x1002, End: 0x1006}, {Start: 0x1004, End: ^uint64(0)},
		{Start: 0x1004, End: 0x1004}, {Start: 0x1008, End: 0x1001}, {Start: 0x5000, End: 0x6000},
	}
	m.Symbols = []module.Symbol{{}, {Addr: 0x1002, Size: 1 << 62, Type: elf.STT_FUNC, Defined: true}, {Addr: ^uint64(0), Size: 2, Type: elf.STT_FUNC, Defined: true}}
	f := Extract(m)
	checkFacts(t, f)
	n := 0
	for _, r := range f.Refs {
		if r.Kind == Syscall || r.Kind == Compat {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d system calls in %+v", n, f)
	}
	if last := f.Funcs[len(f.Funcs)-1]; last.End != 0x100c {
		t.Errorf("the code ends at %#x", last.End)
	}
}

// TestSymbolsThatLie has symbols in the middle of others, behind the file and across frames.
func TestSymbolsThatLie(t *testing.T) {
	m := machineCode("\x90\x90\x90\x90\x0f\x05\xc3\x90\xcd\x80\xc3\x90")
	m.Frames = []module.Frame{{Start: 0x1004, End: 0x1007}}
	symbol := func(addr, size uint64) module.Symbol {
		return module.Symbol{Addr: addr, Size: size, Type: elf.STT_FUNC, Defined: true}
	}
	m.Symbols = []module.Symbol{{}, symbol(0x1000, 100), symbol(0x1002, 1), symbol(0x1005, 5), symbol(0x1008, 1<<63), symbol(0x2000, 8)}
	f := Extract(m)
	checkFacts(t, f)
	for _, fn := range f.Funcs {
		if fn.Start > 0x1004 && fn.Start < 0x1007 {
			t.Errorf("a function begins at %#x, in the middle of a frame", fn.Start)
		}
	}
	if !f.holds(0x1008) || !f.holds(0x1003-1) {
		t.Errorf("functions %+v", f.Funcs)
	}
}

// TestOtherMachines: what no decoder reads has no functions.
func TestOtherMachines(t *testing.T) {
	m := machineCode("\xc3")
	m.Machine = elf.EM_RISCV
	if f := Extract(m); len(f.Funcs) > 0 {
		t.Errorf("functions %+v", f.Funcs)
	}
	if f := Extract(&module.Module{Machine: elf.EM_X86_64, Type: elf.ET_EXEC}); len(f.Funcs) > 0 {
		t.Errorf("functions %+v", f.Funcs)
	}
}

// TestTrialsEnd has thousands of addresses of which each leads to the same long run of code with a
// table behind it: no trial may walk what others have walked.
func TestTrialsEnd(t *testing.T) {
	const n = 1 << 15
	code := make([]byte, 0, 16*n)
	for i := range n { // LEA of the run's ith instruction
		d := uint32(7*n + 1 + i - 7*(i+1))
		code = append(code, 0x48, 0x8d, 0x05, byte(d), byte(d>>8), byte(d>>16), byte(d>>24))
	}
	code = append(code, 0xc3)
	for range n {
		code = append(code, 0xfc)
	}
	code = append(code, 0x06)
	f := Extract(machineCode(string(code)))
	checkFacts(t, f)
	if len(f.Funcs) != 1 {
		t.Errorf("%d functions", len(f.Funcs))
	}
}

// FuzzExtract changes small programs. Run it with -fuzzminimizetime=1x: which blocks are covered
// depends on how workers share the code, and minimizing never ends.
func FuzzExtract(f *testing.F) {
	names, err := filepath.Glob("testdata/*.a*64")
	if err != nil || len(names) == 0 {
		f.Fatal("no testdata", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := module.Open("fuzz", data)
		if err != nil {
			return
		}
		for range 2 {
			facts := Extract(m)
			checkFacts(t, facts)
			if _, err := Decode(Encode(facts)); err != nil {
				t.Fatal(err)
			}
			m.Frames, m.Sections = nil, nil // once more without bounds
		}
	})
}

// TestDamagedPrograms changes bytes of small programs at random, with bounds and without.
func TestDamagedPrograms(t *testing.T) {
	names, err := filepath.Glob("testdata/*.a*64")
	if err != nil || len(names) == 0 {
		t.Fatal("no testdata", err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range names {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			data := bytes.Clone(whole)
			for range 1 + r.IntN(8) {
				data[r.IntN(len(data))] = byte(r.Uint32())
			}
			m, err := module.Open(name, data)
			if err != nil {
				continue
			}
			checkFacts(t, Extract(m))
			m.Frames, m.Sections = nil, nil
			checkFacts(t, Extract(m))
		}
	}
}

// TestDataInBoundedFunction has a table behind a jump in a function with a frame, and a block behind
// its return, which only an exception or a jump table would lead to: that is code, the table is none.
// Bytes that flow reaches are an instruction that is not known, and no table.
func TestDataInBoundedFunction(t *testing.T) {
	for _, c := range []struct {
		name, code string
		want       []uint64
	}{
		{"table", "\xeb\x06\x06\x0f\x05\xcd\x80\x06\x0f\x05\xc3", []uint64{0x1008}},
		{"block", "\xeb\x02\x06\x07\x31\xc0\xc3\x0f\x05\xc3", []uint64{0x1007}},
		{"no table", "\xeb\x06\x90\x0f\x05\xcd\x80\xc3\x0f\x05\xc3", []uint64{0x1003, 0x1005, 0x1008}},
		{"unknown instruction", "\x0f\x05\x06\x0f\x05\xc3", []uint64{0x1000, 0x1003}},
	} {
		m := machineCode(c.code)
		m.Frames = []module.Frame{{Start: 0x1000, End: 0x1000 + uint64(len(c.code))}}
		f := Extract(m)
		checkFacts(t, f)
		var got []uint64
		for _, r := range f.Refs {
			if r.Kind == Syscall || r.Kind == Compat {
				got = append(got, r.At)
			}
			if r.Kind == Bad && r.At != 0x1002 {
				t.Errorf("%s: %#x is no instruction", c.name, r.At)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: system calls at %#x, want %#x", c.name, got, c.want)
		}
	}
}

// TestUnknownInstruction reports what flow reaches without bounds, and nothing behind it.
func TestUnknownInstruction(t *testing.T) {
	f := Extract(machineCode("\x0f\x05\x06\x0f\x05\xc3"))
	checkFacts(t, f)
	want := []Ref{{At: 0x1000, Kind: Syscall}, {At: 0x1002, Kind: Bad}}
	if !slices.Equal(f.Refs, want) {
		t.Errorf("references %+v, want %+v", f.Refs, want)
	}
}
