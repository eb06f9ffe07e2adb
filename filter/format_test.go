package filter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"go/format"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

var orders = []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}

// TestFormatParse writes programs in each format and reads them back, with the byte order given and
// told by the content.
func TestFormatParse(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		p := anyProgram(rng)
		p[len(p)-1] = Return(Allow)
		valid := mutated(rng)
		for !slices.ContainsFunc(valid, func(in Insn) bool { return in.Code != 0 }) || valid.Verify() != nil {
			valid = mutated(rng)
		}
		for _, f := range []Format{Raw, Hex, C, Asm} {
			for _, order := range orders {
				there := mustFormat(t, p, f, order)
				back, found, foundOrder, err := ParseProgram(there, order)
				if err != nil || found != f || foundOrder != order || !slices.Equal(back, p) {
					t.Fatalf("%s: %v %v %v: %v came back as %v", f, found, foundOrder, err, p, back)
				}
				there = mustFormat(t, valid, f, order)
				back, found, foundOrder, err = ParseProgram(there, nil)
				if err != nil || found != f || !slices.Equal(back, valid) {
					t.Fatalf("%s: %v %v: %v came back as %v", f, found, err, valid, back)
				}
				if f != C && foundOrder != order {
					t.Errorf("%s: found %v for %v", f, foundOrder, order)
				}
			}
		}
	}
}

func mustFormat(t *testing.T, p Program, f Format, order binary.ByteOrder) []byte {
	t.Helper()
	out, err := p.Format(f, order, "")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRecordedByteOrder tells the byte order of every recorded filter by its bytes alone, and by
// what it compares the architecture with.
func TestRecordedByteOrder(t *testing.T) {
	seen := make(map[bool]int)
	for _, f := range sharedFilters(t) {
		p, found, order, err := ParseProgram(f.raw, nil)
		if err != nil || found != Raw || IsBigEndian(order) != f.big || !slices.Equal(p, f.p) {
			t.Errorf("%s: %v %v %v", f.name, found, order, err)
		}
		seen[f.big]++
		for _, format := range []Format{Hex, C, Asm} {
			text := mustFormat(t, f.p, format, order)
			p, found, back, err := ParseProgram(text, nil)
			if err != nil || found != format || !slices.Equal(p, f.p) || back != order {
				t.Errorf("%s as %s: %v %v %v", f.name, format, found, back, err)
			}
		}
		// The twin: the other order decodes to something that does not load.
		if other, _, _, err := ParseProgram(f.raw, orders[map[bool]int{true: 0, false: 1}[f.big]]); err != nil || other.Verify() == nil {
			t.Errorf("%s loads in the other byte order, too: %v", f.name, err)
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("one byte order only: %v", seen)
	}
}

func TestFormatText(t *testing.T) {
	p := Program{Load(OffsetArch), Jump(OpJeqK, 0x80000016, 0, 2), Load(OffsetNr), Jump(OpJeqK, 11, 0, 1), Return(ErrnoAction(1)), Return(Allow)}
	for f, want := range map[Format]string{
		Hex: "0020000000000004\n0015000280000016\n0020000000000000\n001500010000000b\n0006000000050001\n000600007fff0000\n",
		C: `#include <linux/filter.h>

/* 6 instructions, big-endian */
static struct sock_filter filter[] = {
	{ 0x0020,   0,   0, 0x00000004 }, /*    0: ld arch */
	{ 0x0015,   0,   2, 0x80000016 }, /*    1: jne #s390x, L4 */
	{ 0x0020,   0,   0, 0x00000000 }, /*    2: ld nr */
	{ 0x0015,   0,   1, 0x0000000b }, /*    3: jne #execve, L5 */
	{ 0x0006,   0,   0, 0x00050001 }, /*    4: ret ERRNO(1) ; EPERM */
	{ 0x0006,   0,   0, 0x7fff0000 }, /*    5: ret ALLOW */
};
`,
		Go: `//go:build linux

package main

import "syscall"

// filter is a seccomp filter: 6 instructions, big-endian.
var filter = []syscall.SockFilter{
	// 0: ld arch
	{Code: 0x0020, Jt: 0, Jf: 0, K: 0x00000004},
	// 1: jne #s390x, L4
	{Code: 0x0015, Jt: 0, Jf: 2, K: 0x80000016},
	// 2: ld nr
	{Code: 0x0020, Jt: 0, Jf: 0, K: 0x00000000},
	// 3: jne #execve, L5
	{Code: 0x0015, Jt: 0, Jf: 1, K: 0x0000000b},
	// 4: ret ERRNO(1) ; EPERM
	{Code: 0x0006, Jt: 0, Jf: 0, K: 0x00050001},
	// 5: ret ALLOW
	{Code: 0x0006, Jt: 0, Jf: 0, K: 0x7fff0000},
}
`,
	} {
		got := mustFormat(t, p, f, nil)
		if string(got) != want {
			t.Errorf("%s:\n%s\nwant\n%s", f, got, want)
		}
		if f == Go {
			if formatted, err := format.Source(got); err != nil || !bytes.Equal(formatted, got) {
				t.Errorf("gofmt would change it: %v\n%s", err, formatted)
			}
		}
	}
	for _, bad := range []struct {
		f    Format
		name string
	}{{C, "a-b"}, {C, "a.b"}, {Go, "a.b.c"}, {Go, "func.x"}, {Go, "x.func"}, {"elf", ""}} {
		if _, err := p.Format(bad.f, nil, bad.name); err == nil {
			t.Errorf("%s with name %q is written", bad.f, bad.name)
		}
	}
}

func TestParseHex(t *testing.T) {
	p := Program{Load(4), Return(Allow)}
	for _, text := range []string{
		"20 00 00 00 04 00 00 00 06 00 00 00 00 00 ff 7f",
		"0x20,0x0,0x0,0x0,0x4,0x0,0x0,0x0,\n0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0x7f\r\n",
		`\x20\x00\x00\x00\x04\x00\x00\x00\x06\x00\x00\x00\x00\x00\xff\x7f`,
		"2000000004000000060000000000ff7f",
		"0x20000000040000000x060000000000ff7f",
		"0020 0000 0000 0004\n0006 0000 7fff 0000",
	} {
		if got, found, _, err := ParseProgram([]byte(text), nil); err != nil || found != Hex || !slices.Equal(got, p) {
			t.Errorf("%q: %s %v %v", text, found, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                                    "no instructions",
		" \n":                                 "no instructions",
		"2000 000":                            "line 1, column 6: 3 hexadecimal digits are no whole bytes",
		"20\n 0x":                             `line 2, column 2: 'x' is no hexadecimal digit`,
		"20 00":                               "2 bytes are no multiple of 8",
		strings.Repeat("20", 8*(MaxDecode+1)): "more than 65535 instructions",
	} {
		if p, _, _, err := ParseProgram([]byte(text), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %d instructions, %v", text, len(p), err)
		}
	}
}

func TestParseC(t *testing.T) {
	want := Program{Load(4), Jump(OpJeqK, 0xc000003e, 1, 0), Return(Allow | 5), Return(ErrnoAction(1))}
	for _, text := range []string{
		"{0x20,0,0,4},{0x15,1,0,0xc000003e},{6,0,0,0x7fff0005},{6,0,0,327681}",
		"{{0x20,0,0,4},{0x15,1,0,0xc000003e},{6,0,0,0x7fff0005},{6,0,0,327681},};",
		`#include <stddef.h>
#define A { \
	{
int main(void) { printf("/* {\"struct sock_filter a[] = {"); char c = '{'; struct sock_filter *p; }
static const struct sock_filter
  insns[ ] = {
	/* a comment { */
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)), // another
	BPF_JUMP(BPF_JMP+BPF_JEQ+BPF_K, AUDIT_ARCH_X86_64, 1, 0),
	{ .k = SECCOMP_RET_ALLOW | 5, .code = BPF_RET },
	{ BPF_RET | BPF_K, .k = SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA) },
};
struct sock_fprog prog = { 4, insns };`,
	} {
		got, found, _, err := ParseProgram([]byte(text), nil)
		if err != nil || found != C || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, tt := range []struct {
		text         string
		line, column int
		reason       string
	}{
		{"{", 1, 2, "the end of the text"},
		{"{}}", 1, 3, `"}" where a comma must stand`},
		{"{{6}", 1, 5, "the end of the text where a comma must stand"},
		{"{{6}} x", 1, 7, `"x" after the end of the array`},
		{"struct sock_filter x[] = {};", 1, 27, "no instructions"},
		{"{6}\n{7}", 2, 1, `"{" where a comma must stand`},
		{"{1,2,3,4,5}", 1, 10, "an instruction has no more values"},
		{"{.x = 1}", 1, 3, `struct sock_filter has no "x"`},
		{"{0x10000}", 1, 2, "code is 65536, which does not fit"},
		{"{-1}", 1, 2, "code is -1, which does not fit"},
		{"{6,256}", 1, 4, "jt is 256, which does not fit"},
		{"{6,0,-1}", 1, 6, "jf is -1, which does not fit"},
		{"{6,0,0,0x100000000}", 1, 8, "k is 4294967296, which does not fit"},
		{"{6,0,0,18446744073709551616}", 1, 8, "is no number of 64 bits"},
		{"{6,0,0,0o7}", 1, 8, `"0o7" is no number of 64 bits`},
		{"{6,0,0,5ulu}", 1, 8, "is no number of 64 bits"},
		{"{6,0,0,1/0}", 1, 9, "division by 0"},
		{"{6,0,0,1<<32}", 1, 9, "shift by 32"},
		{"{6,0,0,1<<-1}", 1, 9, "shift by -1"},
		{"{6,0,0,EPRM}", 1, 8, `unknown name "EPRM"`},
		{"BPF_STMT(6)", 1, 1, "BPF_STMT takes 2 values, not 1"},
		{"BPF_STMT(6,1,2)", 1, 14, "an instruction has no more values"},
		{"BPF_JUMP(6,1,2)", 1, 1, "BPF_JUMP takes 4 values, not 3"},
		{"BPF_JUMP(0x15,__NR_read,0,1)", 1, 15, "__NR_read is another number on each architecture"},
		{"BPF_STMT(0x20,offsetof(struct seccomp_data, args[6]))", 1, 50, `struct seccomp_data has no argument "6"`},
		{"BPF_STMT(0x20,offsetof(struct seccomp_data, flags))", 1, 45, `struct seccomp_data has no "flags"`},
		{"BPF_STMT(0x20,(unsigned x)1)", 1, 25, `"x" where ")" must stand`},
		{"BPF_STMT(0x20,sizeof(struct))", 1, 22, `"struct" is no type of an integer`},
		{"BPF_STMT(\"x\",0)", 1, 10, "where a value must stand"},
		{"{6,0,0," + strings.Repeat("(", 200) + "1", 1, 109, "nested too deeply"},
		{"{6,0,0," + strings.Repeat("~", 200) + "1}", 1, 109, "nested too deeply"},
		{"/* {", 1, 1, "a comment does not end"},
		{"{" + strings.Repeat("x", 101) + "}", 1, 2, "has more than 100 bytes"},
		{strings.Repeat("{6},", MaxDecode+1), 1, 4*MaxDecode + 1, "more than 65535 instructions"},
	} {
		_, _, _, err := ParseProgram([]byte(tt.text), nil)
		var bad *AsmError
		if !errors.As(err, &bad) {
			t.Errorf("%.60q: %v", tt.text, err)
			continue
		}
		if bad.Line != tt.line || bad.Column != tt.column || !strings.Contains(bad.Reason, tt.reason) {
			t.Errorf("%.60q: got %v, want %d:%d %s", tt.text, err, tt.line, tt.column, tt.reason)
		}
	}
}

// TestDetect tries the content that is nearest to being another format.
func TestDetect(t *testing.T) {
	raw := Program{Return(Allow)}.Encode(binary.LittleEndian)
	for text, want := range map[string]Format{
		string(raw): Raw, hex.EncodeToString(raw): Hex, "ret ALLOW": Asm, "{6}": C, "add x": Asm, "\xff": Raw,
		"BPF_STMT(6,0)": C, "dead beef": Hex, "": Hex,
	} {
		if got := detect([]byte(text)); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	// One spoilt code leaves the byte order alone.
	p := Program{Load(4), Stmt(0x1234, 1), Return(Allow)}
	for _, order := range orders {
		if _, _, got, err := ParseProgram(p.Encode(order), nil); err != nil || got != order {
			t.Errorf("%v: found %v, %v", order, got, err)
		}
	}
	// Where a text names words by byte order and says nothing of it, the caller's counts.
	p, _, order, err := ParseProgram([]byte("ld arg0.lo\nret a"), binary.BigEndian)
	if err != nil || p[0].K != 20 || order != binary.BigEndian {
		t.Errorf("%v %v %v", p, order, err)
	}
	p, _, order, err = ParseProgram([]byte(".order little\nld arg0.lo\nret a"), binary.BigEndian)
	if err != nil || p[0].K != 16 || order != binary.LittleEndian {
		t.Errorf("%v %v %v", p, order, err)
	}
}
