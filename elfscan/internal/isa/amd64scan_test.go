package isa

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const testBase = 0x401000

// TestAMD64Scan gives single instructions and what is to be reported of them. Jumps inside of the
// code and memory at varying addresses are not.
func TestAMD64Scan(t *testing.T) {
	ref := func(kind RefKind, target uint64) []Ref { return []Ref{{At: testBase, Target: target, Kind: kind}} }
	for _, c := range []struct {
		name string
		code string
		want []Ref
	}{
		{"call", "\xe8\x10\x00\x00\x00", ref(RefCall, testBase+0x15)},
		{"call of itself", "\xe8\xfb\xff\xff\xff", ref(RefCall, testBase)},
		{"jmp out", "\xe9\x10\x00\x00\x00", ref(RefJump, testBase+0x15)},
		{"jmp short out", "\xeb\x10", ref(RefJump, testBase+0x12)},
		{"jmp back out", "\xeb\x80", ref(RefJump, testBase-0x7e)},
		{"jmp inside", "\xeb\xfe", nil},
		{"jmp to the end", "\xeb\x00", ref(RefJump, testBase+2)},
		{"jne out", "\x75\x10", ref(RefJump, testBase+0x12)},
		{"jne near out", "\x0f\x85\x10\x00\x00\x00", ref(RefJump, testBase+0x16)},
		{"loop out", "\xe2\x10", ref(RefJump, testBase+0x12)},
		{"xbegin out", "\xc7\xf8\x10\x00\x00\x00", ref(RefJump, testBase+0x16)},
		{"bnd jmp", "\xf2\xe9\x10\x00\x00\x00", ref(RefJump, testBase+0x16)},
		{"call __tls_get_addr with padding", "\x66\x66\x48\xe8\x10\x00\x00\x00", ref(RefCall, testBase+0x18)},
		{"lea rip", "\x48\x8d\x05\x10\x00\x00\x00", ref(RefAddr, testBase+0x17)},
		{"lea rbp", "\x48\x8d\x45\x10", nil},
		{"mov rip, rax", "\x48\x8b\x05\x10\x00\x00\x00", ref(RefLoad, testBase+0x17)},
		{"mov rax, rip", "\x48\x89\x05\x10\x00\x00\x00", ref(RefStore, testBase+0x17)},
		{"movl imm, rip", "\xc7\x05\x10\x00\x00\x00\x01\x00\x00\x00", ref(RefStore, testBase+0x1a)},
		{"cmpl imm, rip", "\x83\x3d\x10\x00\x00\x00\x01", ref(RefLoad, testBase+0x17)},
		{"addl imm, rip", "\x83\x05\x10\x00\x00\x00\x01", ref(RefStore, testBase+0x17)},
		{"cmp rax, rip", "\x48\x39\x05\x10\x00\x00\x00", ref(RefLoad, testBase+0x17)},
		{"lock cmpxchg", "\xf0\x0f\xb1\x0d\x10\x00\x00\x00", ref(RefStore, testBase+0x18)},
		{"movups xmm15, rip", "\x44\x0f\x11\x3d\x10\x00\x00\x00", ref(RefStore, testBase+0x18)},
		{"movups rip, xmm15", "\x44\x0f\x10\x3d\x10\x00\x00\x00", ref(RefLoad, testBase+0x18)},
		{"vmovdqu ymm0, rip", "\xc5\xfe\x7f\x05\x10\x00\x00\x00", ref(RefStore, testBase+0x18)},
		{"vmovdqu rip, ymm0", "\xc5\xfe\x6f\x05\x10\x00\x00\x00", ref(RefLoad, testBase+0x18)},
		{"movq rip, xmm0", "\xf3\x0f\x7e\x05\x10\x00\x00\x00", ref(RefLoad, testBase+0x18)},
		{"movd xmm0, rip", "\x66\x0f\x7e\x05\x10\x00\x00\x00", ref(RefStore, testBase+0x18)},
		{"call *rip", "\xff\x15\x10\x00\x00\x00", ref(RefLoad, testBase+0x16)},
		{"jmp *rip", "\xff\x25\x10\x00\x00\x00", ref(RefLoad, testBase+0x16)},
		{"call *rax", "\xff\xd0", nil},
		{"nop rip", "\x0f\x1f\x05\x10\x00\x00\x00", nil},
		{"mov fs:rip", "\x64\x48\x8b\x05\x10\x00\x00\x00", nil},
		{"mov fs:0x28", "\x64\x48\x8b\x04\x25\x28\x00\x00\x00", nil},
		{"mov at 32 bits", "\x8b\x04\x25\x00\x20\x40\x00", ref(RefLoad, 0x402000)},
		{"mov in a table", "\x8b\x04\x85\x00\x20\x40\x00", nil},
		{"mov with r12 as index", "\x42\x8b\x04\x25\x00\x20\x40\x00", nil},
		{"movabs load", "\xa1\x00\x20\x40\x00\x00\x00\x00\x00", ref(RefLoad, 0x402000)},
		{"movabs store", "\x48\xa3\x00\x20\x40\x00\x00\x00\x00\x00", ref(RefStore, 0x402000)},
		{"syscall", "\x0f\x05", ref(RefSyscall, 0)},
		{"int 0x80", "\xcd\x80", ref(RefInt80, 0)},
		{"int 3", "\xcd\x03", nil},
		{"sysenter", "\x0f\x34", ref(RefInt80, 0)},
		{"syscall in an immediate", "\xb8\x0f\x05\x00\x00", nil},
		{"int3", "\xcc", nil},
		{"undefined", "\x06", ref(RefBad, 0)},
		{"cut short", "\xe8\x00\x00\x00", []Ref{{At: testBase, Kind: RefBad}}},
	} {
		got := AMD64.Scan([]byte(c.code), testBase, nil)
		if c.name == "cut short" {
			got = got[:min(len(got), 1)]
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: % x gives %+v, want %+v", c.name, c.code, got, c.want)
		}
	}
}

// TestAMD64ScanStepsOverBadBytes checks that Scan goes on behind a byte that is no instruction.
func TestAMD64ScanStepsOverBadBytes(t *testing.T) {
	got := AMD64.Scan([]byte("\x06\x0f\x05\xd6\xcd\x80"), testBase, nil)
	want := []Ref{{At: testBase, Kind: RefBad}, {At: testBase + 1, Kind: RefSyscall}, {At: testBase + 3, Kind: RefBad}, {At: testBase + 4, Kind: RefInt80}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestAMD64ScanAgainstObjdump derives the references from objdump's text of the go command and
// compares them with Scan's, in both directions.
func TestAMD64ScanAgainstObjdump(t *testing.T) {
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
		if strings.Contains(file, "crypt") {
			continue // has data in its text, where objdump and Scan begin at different bytes
		}
		compareRefs(t, file, text.Addr, code[:min(len(code), partSize/2)])
	}
}

func compareRefs(t *testing.T, file string, base uint64, code []byte) {
	end := base + uint64(len(code))
	want := map[Ref]string{}
	objdump(t, func(l line) {
		if r, ok := l.ref(base, end); ok && l.addr+maxInsn <= end {
			want[r] = l.text
		}
	}, "-d", "-j", ".text", fmt.Sprintf("--stop-address=%#x", end), file)
	found := 0
	for _, r := range AMD64.Scan(code, base, nil) {
		if _, ok := want[r]; !ok && r.At+maxInsn <= end {
			t.Errorf("%s: %+v is not what objdump shows", file, r)
			if found++; found > 20 {
				return
			}
		}
		delete(want, r)
	}
	for r, text := range want {
		t.Errorf("%s: %+v is missing: %s", file, r, text)
	}
}

// prefixes are what objdump writes before mnemonics; calls of __tls_get_addr have several.
var prefixes = regexp.MustCompile(`^((bnd|notrack|data16|rex\.W) +)+`)

// ref is the reference that objdump's line shows.
func (l line) ref(base, end uint64) (Ref, bool) {
	l.text = prefixes.ReplaceAllString(l.text, "")
	op, args, _ := strings.Cut(l.text, " ")
	args = strings.TrimSpace(args)
	r := Ref{At: l.addr}
	switch {
	case op == "syscall":
		r.Kind = RefSyscall
	case strings.Contains(l.text, "(bad)"):
		r.Kind = RefBad
	case strings.Contains(args, "(%rip)"):
		if strings.Contains(l.text, "nop") || strings.HasPrefix(op, "prefetch") || strings.Contains(args, "s:") {
			return r, false
		}
		r.Kind = kindOf(op, args)
		r.Target = hexWord(l.comment)
	case strings.HasPrefix(op, "call") && args[0] != '*':
		r.Kind, r.Target = RefCall, hexWord(args)
	case (op[0] == 'j' || strings.HasPrefix(op, "loop")) && args[0] != '*':
		r.Kind, r.Target = RefJump, hexWord(args)
		return r, r.Target < base || r.Target >= end
	default:
		return l.absolute(r, op, args)
	}
	return r, true
}

// absolute is a reference by a 32-bit address without base and index: an operand like 0x402000.
func (l line) absolute(r Ref, op, args string) (Ref, bool) {
	if strings.Contains(args, "(") || strings.Contains(args, ":") || strings.HasPrefix(op, "nop") {
		return r, false
	}
	list := strings.Split(args, ",")
	for i, arg := range list {
		if v, err := strconv.ParseUint(strings.TrimPrefix(arg, "*"), 0, 64); err == nil {
			list[i] = "x(%rip)"
			r.Target, r.Kind = v, kindOf(op, strings.Join(list, ","))
			return r, true
		}
	}
	return r, false
}

// kindOf tells reads from writes: objdump puts the destination last.
func kindOf(op, args string) RefKind {
	one := !strings.Contains(args, ",")
	last := strings.HasSuffix(args, "(%rip)")
	reads := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(op, p) })
	}
	switch {
	case op == "lea":
		return RefAddr
	case !last && !strings.HasPrefix(op, "xchg"):
		return RefLoad
	case reads("cmpxchg"):
		return RefStore
	case reads("cmp", "test", "push", "call", "jmp", "bt ", "btw", "btl", "btq"):
		return RefLoad
	case one && reads("mul", "imul", "div", "idiv", "fld", "fild", "fadd", "fsub", "fmul", "fdiv", "fcom", "fucom", "ldmxcsr", "fiadd", "fimul", "fidiv", "fisub", "fxrstor", "xrstor"):
		return RefLoad
	}
	return RefStore
}

func hexWord(s string) uint64 {
	f := strings.Fields(s)
	if len(f) == 0 {
		return 0
	}
	v, _ := strconv.ParseUint(strings.TrimPrefix(f[0], "0x"), 16, 64)
	return v
}

// FuzzAMD64 checks that Scan and Decode accept any bytes and agree where instructions begin.
func FuzzAMD64(f *testing.F) {
	for _, s := range []string{"", "\x0f\x05", "\xe8\x00\x00\x00\x00", "\x62\xf1\x7c\x48\x11\x40\x01",
		"\xc5\xf8\x77", "\xf3\x0f\x1e\xfa", "\x8f\xe9\x78\x01\xc8", "\x0f\x20\x34", "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		refs := AMD64.Scan(code, testBase, nil)
		bad := map[uint64]bool{}
		for i, r := range refs {
			if r.At-testBase >= uint64(len(code)) || i > 0 && r.At <= refs[i-1].At {
				t.Fatalf("%+v is out of place", r)
			}
			bad[r.At] = r.Kind == RefBad
		}
		var ops []Op
		for i := 0; i < len(code); {
			var n int
			ops, n = AMD64.Decode(code[i:], testBase+uint64(i), ops[:0])
			if n < 0 || n > maxInsn || n > len(code)-i || n == 0 && len(ops) > 0 {
				t.Fatalf("length %d at %d, %d ops", n, i, len(ops))
			}
			if bad[testBase+uint64(i)] != (n == 0) {
				t.Fatalf("Scan and Decode differ at %d", i)
			}
			for _, op := range ops {
				checkOp(t, op)
			}
			i += max(n, 1)
		}
	})
}

// checkOp checks that an Op is well formed.
func checkOp(t *testing.T, op Op) {
	for _, o := range []Operand{op.Dst, op.A, op.B} {
		if o.Kind == RegOp && o.Reg >= 16 ||
			(o.Kind == Mem || o.Kind == Addr) && (o.Reg >= 16 && o.Reg != NoReg || o.Index >= 16 && o.Index != NoReg) {
			t.Fatalf("operand %+v of %+v", o, op)
		}
	}
	if op.Dst.Kind == RegOp && op.Kind != OpForget && op.Width != 4 && op.Width != 8 {
		t.Fatalf("width of %+v", op)
	}
	if op.Clobber>>16 != 0 || binary.Size(op.Clobber) != 8 {
		t.Fatalf("clobbers of %+v", op)
	}
}
