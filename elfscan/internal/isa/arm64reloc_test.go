package isa

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"strconv"
	"strings"
	"testing"
)

// a64members calls f for each object of an ar archive.
func a64members(t *testing.T, data []byte, f func(name string, obj []byte)) {
	t.Helper()
	data, ok := bytes.CutPrefix(data, []byte("!<arch>\n"))
	if !ok {
		t.Fatal("not an archive")
	}
	for len(data) >= 60 {
		name := strings.TrimSpace(string(data[:16]))
		size, err := strconv.Atoi(strings.TrimSpace(string(data[48:58])))
		if err != nil || 60+size > len(data) {
			t.Fatalf("archive member %s: size %q", name, data[48:58])
		}
		if body := data[60 : 60+size]; bytes.HasPrefix(body, []byte(elf.ELFMAG)) {
			f(name, body)
		}
		data = data[min(60+size+size&1, len(data)):]
	}
}

// a64pageUses returns the offsets of instructions in a section that the linker completes with the
// low twelve bits of an address: each of them uses a page that an ADRP has put into its register.
func a64pageUses(t *testing.T, f *elf.File, section int) map[uint64]bool {
	uses := map[uint64]bool{}
	for _, rel := range f.Sections {
		if rel.Type != elf.SHT_RELA || int(rel.Info) != section {
			continue
		}
		data, err := rel.Data()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(data) >= 24; data = data[24:] {
			switch elf.R_AARCH64(binary.LittleEndian.Uint32(data[8:])) {
			case elf.R_AARCH64_ADD_ABS_LO12_NC, elf.R_AARCH64_LDST8_ABS_LO12_NC, elf.R_AARCH64_LDST16_ABS_LO12_NC,
				elf.R_AARCH64_LDST32_ABS_LO12_NC, elf.R_AARCH64_LDST64_ABS_LO12_NC, elf.R_AARCH64_LDST128_ABS_LO12_NC,
				elf.R_AARCH64_LD64_GOT_LO12_NC:
				uses[binary.LittleEndian.Uint64(data)] = true
			}
		}
	}
	return uses
}

// TestARM64ScanAgainstRelocations takes a C library that is not linked yet, where a relocation
// marks each use of a page, and looks whether Scan sees it, however far from its ADRP.
func TestARM64ScanAgainstRelocations(t *testing.T) {
	const path = "/usr/aarch64-linux-gnu/lib/libc.a"
	archive, err := os.ReadFile(path)
	if err != nil {
		a64missing(t, "no "+path+" (Debian: libc6-dev-arm64-cross)")
	}
	total, missed, other := 0, 0, 0
	a64members(t, archive, func(member string, obj []byte) {
		f, err := elf.NewFile(bytes.NewReader(obj))
		if err != nil {
			t.Fatal(err)
		}
		syms, _ := f.Symbols() // an object without any has no functions
		for i, s := range f.Sections {
			if s.Flags&elf.SHF_EXECINSTR == 0 || s.Type != elf.SHT_PROGBITS || s.Size == 0 {
				continue
			}
			code, err := s.Data()
			if err != nil {
				t.Fatal(err)
			}
			uses := a64pageUses(t, f, i)
			for _, sym := range syms {
				if int(sym.Section) != i || elf.ST_TYPE(sym.Info) != elf.STT_FUNC || sym.Size == 0 {
					continue
				}
				seen := map[uint64]bool{}
				for _, r := range ARM64.Scan(code[sym.Value:sym.Value+sym.Size], sym.Value, nil) {
					if r.Kind == RefAddr || r.Kind == RefLoad || r.Kind == RefStore {
						seen[r.At] = true
					}
				}
				for at := sym.Value; at < sym.Value+sym.Size; at += 4 {
					switch {
					case uses[at] && seen[at]:
						total++
					case uses[at]:
						total++
						missed++
						t.Logf("%s: %s+%#x: use of a page is not seen", member, sym.Name, at-sym.Value)
					case seen[at]:
						other++
					}
				}
			}
		}
	})
	t.Logf("%d uses of a page, %d missed; %d further places", total, missed, other)
	if total < 8000 {
		t.Errorf("only %d uses of a page in %s", total, path)
	}
	if missed > 0 {
		t.Errorf("%d of %d uses missed", missed, total)
	}
}
