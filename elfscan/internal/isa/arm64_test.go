package isa

import (
	"go/build"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var goBuild = regexp.MustCompile(`(?m)^//go:build `)

// leftOut lists the Go files of a directory that are left out somewhere without saying so: all but
// tests with a go:build line.
func leftOut(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for _, arch := range []string{"amd64", "arm64", "s390x"} {
		ctx := build.Default
		ctx.GOARCH, ctx.GOOS, ctx.CgoEnabled = arch, "linux", false
		p, err := ctx.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range p.IgnoredGoFiles {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") || !goBuild.Match(text) {
				out = append(out, arch+": "+name)
			}
		}
	}
	return out
}

// TestNoFileIsLeftOut guards against the trap of file names: x_arm64.go is a build constraint, and
// Go drops the file in silence on other machines.
func TestNoFileIsLeftOut(t *testing.T) {
	if out := leftOut(t, "."); out != nil {
		t.Errorf("left out: %v", out)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.go":          "package a\n",
		"b_arm64.go":    "package a\n",
		"c_test.go":     "//go:build arm64\n\npackage a\n",
		"amd64_test.go": "package a\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := strings.Join(leftOut(t, dir), ", "); out != "amd64: b_arm64.go, s390x: b_arm64.go" {
		t.Errorf("in a directory with a trap: %q", out)
	}
}

// The conventions are facts of the kernel and of Go; a slip here would be silent everywhere else.
func TestARM64Conventions(t *testing.T) {
	m := ARM64
	switch {
	case m.Number != 8 || m.Args != [6]Reg{0, 1, 2, 3, 4, 5} || m.Result != 0:
		t.Error("syscall registers")
	case m.SP != 31 || m.LR != 30 || m.Regs != 32 || m.PtrSize != 8:
		t.Error("registers")
	case len(m.GoParams) != 16 || m.GoParams[15] != 15 || m.GoKept != 1<<31|1<<28:
		t.Error("Go's registers")
	case m.CallPush != 0 || m.StackArg != 8:
		t.Error("stack")
	}
}

func a64index(base, index Reg, scale, size uint8) Operand {
	return Operand{Kind: Mem, Reg: base, Index: index, Scale: scale, Size: size}
}

// TestARM64Decode states what is easily got wrong: the order of effects, the zero register against
// SP, and what is given up where an Op cannot say it.
func TestARM64Decode(t *testing.T) {
	set := func(w uint8, d, a Operand) Op { return Op{Kind: OpSet, Width: w, Dst: d, A: a} }
	op := func(k OpKind, w uint8, d, a, b Operand) Op { return Op{Kind: k, Width: w, Dst: d, A: a, B: b} }
	forget := func(rs ...Reg) Op { return Op{Kind: OpForget, Clobber: Regs(rs...)} }
	unknown := func(m Operand) Op { return Op{Kind: OpForget, Width: m.Size, Dst: m} }
	sp, x0, x1, x2 := R(a64SP), R(0), R(1), R(2)
	for _, c := range []struct {
		word uint32
		text string
		want []Op
	}{
		{0xd2800ba8, "mov x8, #93", []Op{set(8, R(8), I(93))}},
		{0x52800ba8, "mov w8, #93", []Op{set(4, R(8), I(93))}},
		{0x92800008, "mov x8, #-1", []Op{set(8, R(8), I(-1))}},
		{0x12800008, "mov w8, #-1", []Op{set(4, R(8), I(0xffffffff))}},
		{0xf2a00021, "movk x1, #1, lsl #16", []Op{op(OpAnd, 8, x1, x1, I(^int64(0xffff0000))), op(OpOr, 8, x1, x1, I(0x10000))}},
		{0xb24003e0, "mov x0, #1 by orr", []Op{set(8, x0, I(1))}},
		{0xaa1f03e0, "mov x0, xzr", []Op{set(8, x0, I(0))}},
		{0xaa0103ff, "mov xzr, x1", []Op{{Kind: OpNop}}},
		{0x910003e0, "mov x0, sp", []Op{set(8, x0, sp)}},
		{0xf100041f, "cmp x0, #1", []Op{{Kind: OpNop}}},
		{0xd10043ff, "sub sp, sp, #16", []Op{op(OpSub, 8, sp, sp, I(16))}},
		{0xf81f0ffe, "str x30, [sp, #-16]!", []Op{op(OpAdd, 8, sp, sp, I(-16)), set(8, M(a64SP, 0, 8), R(30))}},
		{0xf84107fe, "ldr x30, [sp], #16", []Op{set(8, R(30), M(a64SP, 0, 8)), op(OpAdd, 8, sp, sp, I(16))}},
		{0xa9400400, "ldp x0, x1, [x0]", []Op{set(8, x1, M(0, 8, 8)), set(8, x0, M(0, 0, 8))}},
		{0xa9400001, "ldp x1, x0, [x0]", []Op{set(8, x1, M(0, 0, 8)), set(8, x0, M(0, 8, 8))}},
		{0xf8008400, "str x0, [x0], #8, unpredictable", []Op{forget(0, 1), unknown(M(0, 0, 16))}},
		{0x39800041, "ldrsb x1, [x2]", []Op{op(OpSignExtend, 8, x1, M(2, 0, 1), Operand{})}},
		{0x39c00041, "ldrsb w1, [x2]", []Op{op(OpSignExtend, 4, x1, M(2, 0, 1), Operand{})}},
		{0xf8627820, "ldr x0, [x1, x2, lsl #3]", []Op{set(8, x0, a64index(1, 2, 8, 8))}},
		{0xb8625820, "ldr w0, [x1, w2, uxtw #2]", []Op{op(OpAnd, 8, x0, x2, I(0xffffffff)), set(4, x0, a64index(1, 0, 4, 4))}},
		{0xb8625821, "ldr w1, [x1, w2, uxtw #2]", []Op{forget(1)}},
		{0xb8225820, "str w0, [x1, w2, uxtw #2]", []Op{forget(2), unknown(a64index(1, 2, 4, 4))}},
		{0xf820005f, "ldadd x0, xzr, [x2]", []Op{unknown(M(2, 0, 8))}},
		{0xf8200042, "ldadd x0, x2, [x2]", []Op{unknown(M(2, 0, 8)), forget(2)}},
		{0xad000440, "stp q0, q1, [x2]", []Op{unknown(M(2, 0, 32))}},
		{0x9e660001, "fmov x1, d0", []Op{forget(1)}},
		{0x9e670001, "fmov d1, x0", []Op{{Kind: OpNop}}},
		{0x9a9f07e0, "cset x0, ne", []Op{op(OpSelect, 8, x0, I(0), I(1))}},
		{0xd53bd040, "mrs x0, tpidr_el0", []Op{forget(0)}},
		{0xd50b7420, "dc zva, x0", []Op{forget(0), unknown(M(0, 0, 64))}},
		{0xd503233f, "paciasp", []Op{forget(a64LR)}},
		{0xd503245f, "bti c", []Op{{Kind: OpNop}}},
		{0xd4000001, "svc #0", []Op{{Kind: OpSyscall, Clobber: 1}}},
		{0xd65f03c0, "ret", []Op{{Kind: OpReturn}}},
		{0xd63f0040, "blr x2", []Op{{Kind: OpCallInd, A: x2}}},
		{0x00000001, "udf #1", []Op{{Kind: OpStop}}},
		{a64GoUndef, "Go's undef", []Op{{Kind: OpStop}}},
		{0x00000000, "padding", nil},
		{0x12400000, "and with a 64-bit mask in w", nil},
		{0x0b008000, "add with a shift of 32 in w", nil},
		{0xd4000000, "exception without a level", nil},
	} {
		const pc = 0x1000
		got, n := ARM64.Decode(a64words(c.word), pc, nil)
		for i := range c.want { // absent operands are zero, not NoReg
			for _, o := range []*Operand{&c.want[i].Dst, &c.want[i].A, &c.want[i].B} {
				if o.Kind == None {
					*o = Operand{}
				}
			}
		}
		if !reflect.DeepEqual(got, c.want) || (n == 4) != (c.want != nil) {
			t.Errorf("%08x %s: length %d\n%+v, want\n%+v", c.word, c.text, n, got, c.want)
		}
	}
	if ops, n := ARM64.Decode([]byte{0xc0, 3, 0x5f}, 0, []Op{{Kind: OpStop}}); n != 0 || len(ops) != 1 {
		t.Errorf("cut short: %d %v", n, ops)
	}
}
