package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// anyProgram returns a program of random instructions, many of them senseless: all fields have
// values, codes do not exist, jumps leave the program.
func anyProgram(rng *rand.Rand) Program {
	p := make(Program, 1+rng.IntN(40))
	codes := Opcodes()
	tokens := syscalls.Arches()
	for i := range p {
		in := Insn{Code: codes[rng.IntN(len(codes))]}
		switch rng.IntN(8) {
		case 0:
			in.Code = uint16(rng.Uint32())
		case 1, 2, 3:
			in.Code = []uint16{OpLdAbs, OpJeqK, OpJgtK, OpJgeK, OpRetK, OpAndK}[rng.IntN(6)]
		}
		switch rng.IntN(6) {
		case 0:
			in.K = rng.Uint32()
		case 1:
			in.K = uint32(rng.IntN(450))
		case 2:
			in.K = uint32(rng.IntN(16)) * 4
		case 3:
			in.K = tokens[rng.IntN(len(tokens))].Audit
		case 4:
			in.K = 0x7fff0000 >> rng.IntN(12)
		}
		if rng.IntN(3) == 0 || shapes[in.Code].form.branches() {
			in.Jt, in.Jf = uint8(rng.IntN(12)), uint8(rng.IntN(12))
		}
		if rng.IntN(10) == 0 {
			in.Jt, in.Jf = uint8(rng.Uint32()), uint8(rng.Uint32())
		}
		p[i] = in
	}
	return p
}

// backAndForth holds a program against what its text assembles to, in both byte orders and for
// callers of any architecture and of one.
func backAndForth(t *testing.T, p Program) {
	t.Helper()
	for _, n := range []*Naming{
		nil, {Order: binary.LittleEndian}, {Order: binary.BigEndian},
		{Arches: []*syscalls.Arch{syscalls.ByName("x86_64")}},
		{Order: binary.BigEndian, Arches: []*syscalls.Arch{syscalls.ByName("s390x"), syscalls.ByName("s390")}},
	} {
		text := Disassemble(p, n)
		back, err := Assemble(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !slices.Equal(back, p) {
			t.Fatalf("%v came back as %v\n%s", p, back, text)
		}
	}
}

func TestDisassembleAssemble(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 1500 {
		backAndForth(t, anyProgram(rng))
		backAndForth(t, mutated(rng))
	}
	for code := range 1 << 16 {
		if code >= 0x100 && code%97 != 0 {
			continue
		}
		for _, in := range []Insn{{Code: uint16(code)}, {uint16(code), 1, 2, 3}, {uint16(code), 255, 0, 1 << 31}, {uint16(code), 0, 255, 56}} {
			backAndForth(t, Program{in})
			backAndForth(t, repeat(20, in))
		}
	}
	backAndForth(t, repeat(MaxDecode, Jump(OpJeqK, 59, 3, 255)))
}

// TestInsnString is the notation of a single instruction: what assembles is the same instruction,
// but for the fields that it does not use.
func TestInsnString(t *testing.T) {
	for in, want := range map[Insn]string{
		Load(16):                         "ld [16]",
		Jump(OpJeqK, 0x3b, 4, 0):         "jeq #0x3b, +4, +0",
		Jump(OpJsetX, 9, 1, 2):           "jset x, +1, +2",
		Stmt(OpJa, 0xffffffff):           "ja +4294967295",
		Return(ErrnoAction(1)):           "ret ERRNO(1)",
		Return(0x12345678):               "ret UNKNOWN(0x12345678)",
		Stmt(OpRetA, 7):                  "ret a",
		{Code: 0x94, Jt: 1, Jf: 2, K: 3}: ".insn 0x0094, 1, 2, 0x3",
		Stmt(OpRshK, 31):                 "rsh #31",
		Stmt(OpStx, 15):                  "stx M[15]",
		Stmt(OpLdxLen, 5):                "ldx len",
	} {
		if got := in.String(); got != want {
			t.Errorf("%#v is %q, want %q", in, got, want)
		}
	}
	seen := make(map[string]uint16)
	for code := range uint16(0x100) {
		in := Insn{Code: code, K: 3}
		text := in.String()
		if other, ok := seen[text]; ok {
			t.Errorf("%#x and %#x are both %q", code, other, text)
		}
		seen[text] = code
		back, err := Assemble(text)
		if err != nil || len(back) != 1 || back[0].Code != code || back[0].String() != text {
			t.Errorf("%q came back as %v, %v", text, back, err)
		}
	}
}

func TestAssembleByHand(t *testing.T) {
	text := `
/* what runc calls a
   stub: */	.arch x86_64 // names from here on
start:	ld arch
	jne #AUDIT_ARCH_X86_64, bad
	LD [0]
	jeq #execve, deny ; 59
	jlt #10, 1, no_jump
no_jump: jle #-1, +0
	ldi #0x10
	ldx M[0x1]
	jset %x, allow, deny
	.arch arm64
	jeq #execve, allow
	.order big
	ld arg1.lo
	.order little
	ld ARG1.lo
	jmp deny
allow: ret ALLOW
deny: also: ret ERRNO(EPERM)
bad:	ret #0x80000000
	.insn 0xffff, 0xff, 255, 0xffffffff`
	want := Program{
		Load(4), Jump(OpJeqK, 0xc000003e, 0, 13), Load(0),
		Jump(OpJeqK, 59, 10, 0),
		// jlt is jge with the targets exchanged.
		Jump(OpJgeK, 10, 0, 1), Jump(OpJgtK, 0xffffffff, 0, 0),
		Stmt(OpLdImm, 16), Stmt(OpLdxMem, 1), Jump(OpJsetX, 0, 4, 5),
		Jump(OpJeqK, 221, 3, 0),
		Load(28), Load(24), Stmt(OpJa, 1),
		Return(Allow), Return(ErrnoAction(1)), Return(KillProcess),
		Insn{0xffff, 255, 255, 0xffffffff},
	}
	got, err := Assemble(text)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("instruction %d: got %v, want %#v", i, got[i:], want[i])
			break
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d instructions, want %d", len(got), len(want))
	}
}

// TestKernelNotation is the example of Documentation/networking/filter.rst, in its notation.
func TestKernelNotation(t *testing.T) {
	got, err := Assemble(`
  ld [4]                  /* arch */
  jne #0xc000003e, bad
  ld [0]                  /* nr */
  jeq #15, good
  jeq #231, good
  jeq #60, good
bad: ret #0               /* kill */
good: ret #0x7fff0000     /* allow */`)
	want := Program{
		Load(4), Jump(OpJeqK, 0xc000003e, 0, 4), Load(0), Jump(OpJeqK, 15, 3, 0), Jump(OpJeqK, 231, 2, 0),
		Jump(OpJeqK, 60, 1, 0), Return(KillThread), Return(Allow),
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

// manyLabels returns n labels, a line each.
func manyLabels(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "L%d:\n", i)
	}
	return b.String()
}

// TestAssembleMistakes: each mistake has its place, and the text without it assembles.
func TestAssembleMistakes(t *testing.T) {
	tests := []struct {
		text         string
		line, column int
		reason       string
	}{
		{"", 1, 1, "no instructions"},
		{"; nothing\n\n", 2, 1, "no instructions"},
		{"ret ALLOW\nld nr /*", 2, 1, "a comment does not end"},
		{"\tlod nr", 1, 2, `unknown instruction "lod", is it ld?`},
		{"ret ALLOW\n  frobnicate x", 2, 3, `unknown instruction "frobnicate"`},
		{"ld", 1, 1, "ld takes one operand"},
		{"ld nr, arch", 1, 1, "ld takes one operand"},
		{"ld arg0", 1, 4, "arg0 has two words, arg0.lo and arg0.hi"},
		{"ld arg6.lo", 1, 4, `ld does not take "arg6.lo"`},
		{"ld x", 1, 4, `ld does not take "x"`},
		{"ldi M[1]", 1, 5, `ldi does not take "M[1]"`},
		{"st #1", 1, 4, `st does not take "#1"`},
		{"ld M[1", 1, 4, `"M[1" has no number of 32 bits in brackets`},
		{"ld [4294967296]", 1, 4, `"[4294967296]" has no number of 32 bits in brackets`},
		{"add #4294967296", 1, 5, `"#4294967296" is no number of 32 bits and no name`},
		{"add #-2147483649", 1, 5, "is no number"},
		{"neg x", 1, 5, "neg takes no operand"},
		{"ja", 1, 1, "ja takes one target"},
		{"ja -1", 1, 4, `"-1" is no label and no number of 32 bits`},
		{"jeq #1", 1, 1, "jeq takes #k or x, and one target or two"},
		{"jeq M[1], 1", 1, 5, `jeq does not take "M[1]"`},
		{"jeq #1, 256", 1, 9, `"256" is no label and no number of 8 bits`},
		{"jeq #1, there\nret a", 1, 9, "no label there"},
		{"here: ld nr\n jeq x, 1,  here", 2, 13, "label here is not further down, and jumps only go forward"},
		{"L: L: ret a", 1, 4, "label L stands at two places"},
		{"1: ret a", 1, 1, `"1" is no label`},
		{"jeq #read, 1", 1, 5, `"read" is no architecture, and for a syscall a line .arch must come before`},
		{".arch x86_64\njeq #red, 1", 2, 5, `unknown syscall "red", is it read?`},
		{".arch aarch64\njeq #open, 1", 2, 5, "aarch64 has no syscall open"},
		{".arch x86_65", 1, 7, "x86_64"},
		{".order middle", 1, 8, `byte order "middle" is neither little nor big`},
		{".word 1", 1, 1, `".word" is no directive; there are .arch, .order and .insn`},
		{".insn 1, 2, 3", 1, 1, ".insn takes 4 operands, not 3"},
		{".insn 0x10000, 0, 0, 0", 1, 7, `"0x10000" is no number of 16 bits`},
		{".insn 1, 256, 0, 0", 1, 10, `"256" is no number of 8 bits`},
		{".insn " + strings.Repeat("1,", 1<<20), 1, 1, ".insn takes 4 operands, not 5"},
		{manyLabels(2*MaxDecode + 1), 2*MaxDecode + 1, 1, "more than 131070 labels"},
		{"ret", 1, 1, "ret takes one operand"},
		{"ret ALOW", 1, 5, `action "ALOW": unknown name`},
		{"ret " + strings.Repeat("A", 1000), 1, 5, "has more than 100 bytes"},
		{"jeq #1, far\n" + strings.Repeat("ld nr\n", 256) + "far: ret a", 1, 9, "label far is 256 instructions away, and a conditional jump skips 255 at most"},
		{strings.Repeat("txa\n", MaxDecode+1), MaxDecode + 1, 1, "more than 65535 instructions"},
	}
	for _, tt := range tests {
		_, err := Assemble(tt.text)
		var bad *AsmError
		if !errors.As(err, &bad) {
			t.Errorf("%.60q: %v", tt.text, err)
			continue
		}
		if bad.Line != tt.line || bad.Column != tt.column || !strings.Contains(bad.Reason, tt.reason) {
			t.Errorf("%.60q: got %v, want %d:%d %s", tt.text, err, tt.line, tt.column, tt.reason)
		}
		if strings.Contains(err.Error(), "\n") || len(err.Error()) > 250 {
			t.Errorf("%.60q: the error is not one line: %v", tt.text, err)
		}
	}
	for _, good := range []string{
		"jeq #1, far\n" + strings.Repeat("ld nr\n", 255) + "far: ret a", strings.Repeat("txa\n", MaxDecode),
		manyLabels(2*MaxDecode) + "ret a", "ja end\nend:", "jeq #1, 255, 0", "ja 4294967295", "add #-2147483648",
	} {
		if _, err := Assemble(good); err != nil {
			t.Errorf("%.60q: %v", good, err)
		}
	}
}

// TestAuditConstants reads the kernel's header where there is one.
func TestAuditConstants(t *testing.T) {
	for name, want := range map[string]uint32{
		"AUDIT_ARCH_I386": 0x40000003, "AUDIT_ARCH_X86_64": 0xc000003e, "AUDIT_ARCH_SH": 0x2a,
		"AUDIT_ARCH_SHEL": 0x4000002a, "AUDIT_ARCH_MIPSEL64N32": 0xe0000008, "AUDIT_ARCH_S390X": 0x80000016,
	} {
		if got, ok := auditConstants[name]; !ok || got != want {
			t.Errorf("%s is %#x, %v", name, got, ok)
		}
	}
	for _, name := range []string{"AUDIT_ARCH_X32", "AUDIT_ARCH_X86", "AUDIT_ARCH_SHEB"} {
		if got, ok := auditConstants[name]; ok {
			t.Errorf("%s is %#x", name, got)
		}
	}
	for _, a := range syscalls.Arches() {
		if syscalls.Known(a.Name) {
			t.Errorf("%s is an architecture and a syscall", a.Name)
		}
	}
}
