package elfscan

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"runtime"
	"testing"
)

// flatProgram is a static program of one segment, without sections or symbols.
func flatProgram(machine elf.Machine, code []byte) []byte {
	const base, text = 0x10000, 0x1000
	le := binary.LittleEndian
	out := make([]byte, text+len(code))
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
	return out
}

// scanFlat scans code and returns how many bytes that allocates.
func scanFlat(t *testing.T, code []byte) (*Result, uint64) {
	t.Helper()
	b := flatProgram(elf.EM_X86_64, code)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := ScanReader("flat", bytes.NewReader(b), int64(len(b)))
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	return res, after.TotalAlloc - before.TotalAlloc
}

// Thousands of syscalls with numbers behind a pointer, each of which could write there, and as many with
// known ones: the work must not be their product.
func TestManyNumbersBehindAPointer(t *testing.T) {
	const n = 5000
	code := bytes.Repeat([]byte{0x48, 0x8b, 0x07, 0x0f, 0x05}, n) // mov rax, [rdi]; syscall
	for i := range n {
		code = append(binary.LittleEndian.AppendUint32(append(code, 0xb8), uint32(i%300)), 0x0f, 0x05) // mov eax, i; syscall
	}
	res, bytes := scanFlat(t, append(code, 0xc3))
	if res.Complete() {
		t.Error("complete")
	}
	if bytes > 300<<20 {
		t.Errorf("%d MiB", bytes>>20)
	}
}

// A chain of functions, each with a number of its own that is not known: the paths to all of them
// together would be as long as the square.
func TestPathsOfLongChains(t *testing.T) {
	const n = 8000
	var code []byte
	for range n {
		// push rdi; mov eax, edi; syscall; pop rdi; call the next; ret
		code = append(code, 0x57, 0x89, 0xf8, 0x0f, 0x05, 0x5f, 0xe8, 5, 0, 0, 0, 0xc3, 0x90, 0x90, 0x90, 0x90)
	}
	res, bytes := scanFlat(t, append(code, 0xc3))
	steps := 0
	for _, u := range res.Unresolved {
		if steps += len(u.Path); len(u.Path) == 0 {
			t.Fatal("no path at all")
		}
	}
	if len(res.Unresolved) < 1000 || steps > 600_000 {
		t.Errorf("%d unresolved with %d steps", len(res.Unresolved), steps)
	}
	if bytes > 500<<20 {
		t.Errorf("%d MiB", bytes>>20)
	}
}

// Layers of wrappers, each function called from many: whether its address is anywhere is asked for each.
func TestLayersOfWrappers(t *testing.T) {
	const layers, wide, size = 20, 400, 64
	var code []byte
	for i := range layers * wide {
		f := []byte{0x89, 0xf8, 0x0f, 0x05, 0xc3} // mov eax, edi; syscall; ret
		if layer := i / wide; layer < layers-1 {
			f = []byte{0x57} // push rdi
			for k := range 8 {
				to := ((layer+1)*wide + (i*7+k*53)%wide) * size
				f = binary.LittleEndian.AppendUint32(append(f, 0xe8), uint32(to-(i*size+len(f)+5)))
			}
			f = append(f, 0x5f, 0xc3)
		}
		code = append(append(code, f...), bytes.Repeat([]byte{0x90}, size-len(f))...)
	}
	res, _ := scanFlat(t, code)
	if res.Complete() {
		t.Error("complete")
	}
}
