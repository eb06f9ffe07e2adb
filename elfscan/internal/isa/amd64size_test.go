package isa

import (
	"debug/elf"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ptrSizes are the sizes that objdump writes before memory operands in Intel's syntax.
var ptrSizes = []struct {
	name string
	size uint8
}{
	{"XMMWORD PTR", 16}, {"YMMWORD PTR", 32}, {"ZMMWORD PTR", 64}, {"TBYTE PTR", 10},
	{"QWORD PTR", 8}, {"FWORD PTR", 0}, {"DWORD PTR", 4}, {"WORD PTR", 2}, {"BYTE PTR", 1},
}

// TestAMD64SizesAgainstObjdump compares the sizes of accesses to fixed memory with what objdump
// shows. Survey may say 0, not known; what it says otherwise must be true.
func TestAMD64SizesAgainstObjdump(t *testing.T) {
	if _, err := exec.LookPath("objdump"); err != nil {
		skipOrFail(t, "objdump is not installed")
	}
	for _, file := range binaries(t) {
		f, err := elf.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		text := f.Section(".text")
		code, err := text.Data()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		code = code[:min(len(code), partSize)]
		if strings.Contains(file, "crypt") {
			continue // has data in its text
		}
		sizes := map[uint64]Ref{}
		for _, r := range AMD64.Survey(code, text.Addr, 0, 0, nil) {
			if r.Kind == RefLoad || r.Kind == RefStore {
				sizes[r.At] = r
			}
		}
		var c sizeCount
		objdump(t, func(l line) {
			if ref, ok := sizes[l.addr]; ok {
				c.compare(t, l, ref)
			}
		}, "-d", "-M", "intel", "-j", ".text", fmt.Sprintf("--stop-address=%#x", text.Addr+uint64(len(code))), file)
		t.Logf("%s: %d sizes are right, %d not known", file, c.known, c.unknown)
	}
}

// TestAMD64SizesOfSamples does the same for instructions of each opcode and group member with a
// memory operand at a fixed address.
func TestAMD64SizesOfSamples(t *testing.T) {
	if _, err := exec.LookPath("objdump"); err != nil {
		skipOrFail(t, "objdump is not installed")
	}
	const slot = 32
	r := rand.New(rand.NewPCG(7, 8))
	var flat []byte
	for _, table := range sampleTables() {
		for op := range 256 {
			for k := range byte(16) {
				reg := k & 7
				code := makeSample(r, table, byte(op), reg, k > 7).code
				n, m, _, _ := parse(code)
				if n == 0 || m == 0 {
					continue
				}
				code = append(code[:m:m], reg<<3|5)
				code = append(code, make([]byte, slot)...)
				flat = append(flat, code[:slot]...)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "samples")
	if err := os.WriteFile(file, flat, 0o600); err != nil {
		t.Fatal(err)
	}
	var c sizeCount
	objdump(t, func(l line) {
		if l.addr%slot != 0 || strings.Contains(l.text, "(bad)") {
			return
		}
		for _, ref := range AMD64.Survey(l.code, l.addr, 0, 0, nil) {
			if ref.At == l.addr && (ref.Kind == RefLoad || ref.Kind == RefStore) {
				c.compare(t, l, ref)
			}
		}
	}, "-D", "-z", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", file)
	t.Logf("%d sizes are right, %d not known", c.known, c.unknown)
}

// sizeCount counts comparisons.
type sizeCount struct{ known, unknown, wrong int }

// compare checks the size of ref against objdump's line.
func (c *sizeCount) compare(t *testing.T, l line, ref Ref) {
	for _, p := range ptrSizes {
		if !strings.Contains(l.text, p.name) {
			continue
		}
		switch {
		case ref.Size == p.size:
			c.known++
		case ref.Size == 0:
			c.unknown++
		default:
			if c.wrong++; c.wrong <= 40 {
				t.Errorf("%#x: %x has size %d: %s", l.addr, l.code, ref.Size, l.text)
			}
		}
		return
	}
}
