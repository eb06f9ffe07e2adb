package filter

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// TestDisassembleText is the whole text of a filter for two architectures that share a tail.
func TestDisassembleText(t *testing.T) {
	p := Program{
		Load(OffsetArch),
		Jump(OpJeqK, 0xc000003e, 2, 0),
		Jump(OpJeqK, 0x40000003, 5, 0),
		Return(KillThread),
		Load(OffsetNr),
		Jump(OpJgeK, 0x40000000, 6, 0),
		Jump(OpJeqK, 59, 6, 0),
		Jump(OpJeqK, 41, 3, 0),
		Load(OffsetNr),
		Jump(OpJeqK, 11, 3, 0),
		Jump(OpJgtK, 430, 0, 1),
		Load(OffsetArgs),
		Jump(OpJsetK, 0x20, 0, 1),
		Return(Errno | 1),
		Return(Allow),
		{OpRetA, 1, 0, 2},
		{0x40, 0, 0, 2},
		Stmt(OpJa, 9),
	}
	want := `.order little
        ld arch
        jeq #x86_64, L4
        jeq #x86, L8
        ret KILL_THREAD
L4:     ld nr
        jge #0x40000000, L12    ; read
.arch x86_64
        jeq #execve, L13
        jeq #socket, L11
L8:     ld nr
        jeq #11, L13            ; munmap on x86_64; execve on x86
        jle #430, L12           ; fsopen
L11:    ld arg0.lo
L12:    jset #0x20, L13, L14
L13:    ret ERRNO(1)            ; EPERM
L14:    ret ALLOW
        .insn 0x0016, 1, 0, 0x2 ; ret a
        .insn 0x0040, 0, 0, 0x2 ; indirect load
        ja +9
`
	if got := Disassemble(p, nil); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// In the other byte order the first word of an argument is its high half, and these
	// architectures do not exist.
	got := Disassemble(p, &Naming{Order: binary.BigEndian})
	for _, line := range []string{".order big\n", "ld arg0.hi\n", "jeq #59, L13\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
	// Without a test of the architecture a number has too many meanings, unless the caller knows.
	bare := Program{Load(OffsetNr), Jump(OpJeqK, 59, 0, 1), Return(Allow), Return(KillThread)}
	if got := Disassemble(bare, nil); !strings.Contains(got, "jne #59, L3\n") {
		t.Errorf("got\n%s", got)
	}
	if got := Disassemble(bare, &Naming{Arches: []*syscalls.Arch{syscalls.ByName("x86_64")}}); !strings.Contains(got, "jne #execve, L3\n") {
		t.Errorf("got\n%s", got)
	}
}

// TestNamesAreTrue holds each name in the text of each recorded filter for several architectures
// against the number that the program compares with.
func TestNamesAreTrue(t *testing.T) {
	named := 0
	for _, f := range sharedFilters(t) {
		var arch *syscalls.Arch
		pc := 0
		text := Disassemble(f.p, nil)
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if name, ok := strings.CutPrefix(line, ".arch "); ok {
				arch = syscalls.ByName(name)
			}
			if strings.HasPrefix(line, ".a") || strings.HasPrefix(line, ".o") {
				continue
			}
			var name string
			at := strings.Index(line, " #")
			if at >= 0 {
				name, _, _ = strings.Cut(line[at+2:], ",")
			}
			if isIdentifier(name) {
				named++
				nr, ok := uint32(0), false
				if a := syscalls.ByName(name); a != nil {
					nr, ok = a.Audit, true
				} else if arch != nil {
					n, known := arch.Number(name)
					nr, ok = uint32(n), known
				}
				if !ok || nr != f.p[pc].K {
					t.Errorf("%s: instruction %d: %s under %v is not %v", f.name, pc, line, arch, f.p[pc])
				}
			}
			pc++
		}
		if pc != len(f.p) {
			t.Errorf("%s: %d lines for %d instructions", f.name, pc, len(f.p))
		}
		if (IsBigEndian(f.p.ByteOrder())) != f.big {
			t.Errorf("%s: byte order %v", f.name, f.p.ByteOrder())
		}
	}
	if named < 10000 {
		t.Errorf("only %d names", named)
	}
	t.Logf("%d names", named)
}

// TestRecordedPrograms takes all recorded filters and programs there and back.
func TestRecordedPrograms(t *testing.T) {
	verdicts(t, func(row int, _ bool, p Program) {
		if row%10 == 0 {
			backAndForth(t, p)
		}
	})
	for _, f := range sharedFilters(t) {
		backAndForth(t, f.p)
	}
}

// A sharedFilter is a recorded filter of libseccomp or of the kernel's vectors.
type sharedFilter struct {
	name string
	raw  []byte
	big  bool
	p    Program
}

// bigEndian are libseccomp's recorded filters for big-endian machines.
var bigEndian = []string{"26", "33", "37"}

func sharedFilters(t *testing.T) []sharedFilter {
	t.Helper()
	root := os.Getenv("PROFCHECK_SHARED")
	if root == "" {
		root = "../../shared"
	}
	files, err := filepath.Glob(filepath.Join(root, "vectors/*/*.bpf"))
	if err != nil || len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("no recorded filters in %s: %v", root, err)
		}
		t.Skipf("no recorded filters in %s: PROFCHECK_SHARED names the folder", root)
	}
	var list []sharedFilter
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := sharedFilter{name: filepath.Base(path), raw: raw}
		number, _, _ := strings.Cut(f.name, "-")
		f.big = strings.Contains(path, "libseccomp") && slices.Contains(bigEndian, number) ||
			strings.HasPrefix(f.name, "moby-s390x") || strings.HasPrefix(f.name, "moby-mips64-")
		var order binary.ByteOrder = binary.LittleEndian
		if f.big {
			order = binary.BigEndian
		}
		if f.p, err = Decode(raw, order); err != nil {
			t.Fatal(err)
		}
		if err := f.p.Verify(); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		list = append(list, f)
	}
	return list
}
