package cli

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tinyProgram writes a static program of x86_64 that consists of some code.
func tinyProgram(t *testing.T, code []byte) string {
	t.Helper()
	const base, headers = 0x400000, 64 + 56
	var b bytes.Buffer
	h := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: base + headers, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64,
	}
	size := uint64(headers + len(code))
	seg := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Paddr: base, Filesz: size, Memsz: size, Align: 4096}
	for _, part := range []any{h, seg, code} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "p")
	if err := os.WriteFile(path, b.Bytes(), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// A call that a program makes in the form of x32 is one that it makes.
func TestWhyX32(t *testing.T) {
	program := tinyProgram(t, []byte("\xb8\x64\x00\x00\x40\x0f\x05"+ // mov $0x40000064, %eax; syscall: times
		"\xb8\x02\x02\x00\x40\x0f\x05"+ // 514: ioctl, whose number is x32's own
		"\xb8\x3c\x00\x00\x00\x0f\x05\xf4")) // exit; hlt
	for call, want := range map[string]string{
		"times": "can call times (x32) (1073741924 on x86_64)", "100": "can call times (x32) (1073741924 on x86_64)",
		"1073741924": "can call times (x32) (1073741924 on x86_64)", "ioctl": "can call ioctl (x32) (1073742338 on x86_64)",
		"exit": "can call exit (60 on x86_64)", "getpid": "cannot call getpid (39 on x86_64)",
	} {
		stdout, stderr, code := runApp([]string{"why", "--no-cache", program, call}, nil, nil)
		wantCode := exitOK
		if strings.HasPrefix(want, "cannot") {
			wantCode = exitFindings
		}
		if !strings.Contains(stdout, want) || code != wantCode {
			t.Errorf("%s: %d, %q, %q, want %q", call, code, stdout, stderr, want)
		}
	}
}
