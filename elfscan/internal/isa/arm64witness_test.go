package isa

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// a64programs are built for arm64 by the tests.
var a64programs = map[string]string{
	"hello": "package main\n\nfunc main() { println(\"hello\") }\n",
	"web":   "package main\n\nimport \"net/http\"\n\nfunc main() { http.ListenAndServe(\":0\", nil) }\n",
}

// a64build builds a static Go binary for arm64 and returns its path.
func a64build(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	src, out := filepath.Join(dir, name+".go"), filepath.Join(dir, name)
	if err := os.WriteFile(src, []byte(a64programs[name]), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", out, src)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=", "GO111MODULE=off")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s for arm64: %v\n%s", name, err, msg)
	}
	return out
}

// a64code returns the text section of an ELF file and its functions.
func a64code(t testing.TB, path string) (code []byte, base uint64, funcs []elf.Symbol) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := f.Section(".text")
	if code, err = text.Data(); err != nil {
		t.Fatal(err)
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Size > 0 && s.Value >= text.Addr && s.Value+s.Size <= text.Addr+text.Size {
			funcs = append(funcs, s)
		}
	}
	return code, text.Addr, funcs
}

// a64missing skips a test whose witness is absent, or fails it in CI.
func a64missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// a64judge compares Ops to a reference, instruction by instruction.
type a64judge struct {
	t        *testing.T
	checked  int
	loose    map[string]int // forgotten where the reference knows, as allowed
	unknown  map[string]int // the reference cannot say
	notThere int            // the reference says this is no instruction
	failures int
}

func a64newJudge(t *testing.T) *a64judge {
	return &a64judge{t: t, loose: map[string]int{}, unknown: map[string]int{}}
}

// one checks the word at pc, of which the reference writes line.
func (j *a64judge) one(word uint32, pc uint64, line string) {
	want, known, problems := a64compare(word, pc, line)
	if known {
		j.checked++
	} else {
		j.unknown[want.name]++
	}
	if want.loose {
		j.loose[want.name]++
	}
	for _, p := range problems {
		if j.failures++; j.failures <= 20 {
			j.t.Errorf("%#x: %08x %s: %s", pc, word, line, p)
		}
	}
}

// a64compare says in what the Ops of a word differ from what the line says. In the result, loose
// is whether Ops forget something that the line tells.
func a64compare(word uint32, pc uint64, line string) (want a64text, known bool, problems []string) {
	start := a64start(uint64(word))
	want, known = a64interpret(line, start)
	loose := want.loose
	want.loose = false
	got := start
	fail := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if _, ok := a64run(word, pc, &got); !ok {
		fail("does not decode")
	}
	if !known || problems != nil {
		return want, known, problems
	}
	if got.flow != want.flow {
		fail("control %q, want %q", got.flow, want.flow)
	}
	for r := range got.reg {
		switch g, w := got.reg[r], want.reg[r]; {
		case a64same(g, w):
		case g.n == 0 && loose:
			want.loose = true
		default:
			fail("register %d: %x, want %x", r, g.v[:g.n], w.v[:w.n])
		}
	}
	same := len(got.stores) == len(want.stores)
	for i := 0; same && i < len(got.stores); i++ {
		g, w := got.stores[i], want.stores[i]
		same = a64same(g.addr, w.addr) && g.size == w.size && a64same(g.value, w.value)
	}
	if !same {
		fail("stores %v, want %v", got.stores, want.stores)
	}
	return want, known, problems
}

func a64same(a, b a64val) bool {
	if a.n == 2 && b.n == 2 && a.v[0] == b.v[1] && a.v[1] == b.v[0] {
		return true
	}
	return a == b
}

// report logs what was compared and fails if that is too little.
func (j *a64judge) report(total int) {
	j.t.Logf("%d words, %d compared, %d not instructions for the reference", total, j.checked, j.notThere)
	j.t.Logf("forgotten though known: %s", a64list(j.loose))
	j.t.Logf("not in the reference: %s", a64list(j.unknown))
	if j.failures > 20 {
		j.t.Errorf("%d failures in all", j.failures)
	}
	if j.checked < total*97/100 {
		j.t.Errorf("only %d of %d words compared", j.checked, total)
	}
}

func a64list(m map[string]int) string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Slice(names, func(i, k int) bool {
		return m[names[i]] > m[names[k]] || m[names[i]] == m[names[k]] && names[i] < names[k]
	})
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %d", n, m[n])
	}
	return strings.Join(names, ", ")
}

var a64relative = regexp.MustCompile(`\.([+-])0x([0-9a-f]+)`)

// a64asmLine writes an instruction of arm64asm with absolute addresses.
func a64asmLine(inst arm64asm.Inst, pc uint64) string {
	if inst.Op == arm64asm.ADRP {
		pc &^= 0xfff
	}
	return a64relative.ReplaceAllStringFunc(inst.String(), func(s string) string {
		m := a64relative.FindStringSubmatch(s)
		v, _ := strconv.ParseUint(m[2], 16, 64)
		if m[1] == "-" {
			v = -v
		}
		return fmt.Sprintf("0x%x", pc+v)
	})
}

// TestARM64AgainstAsm compares every instruction of Go binaries to golang.org/x/arch.
func TestARM64AgainstAsm(t *testing.T) {
	for _, name := range []string{"hello", "web"} {
		t.Run(name, func(t *testing.T) {
			code, base, _ := a64code(t, a64build(t, name))
			j := a64newJudge(t)
			for i := 0; i+4 <= len(code); i += 4 {
				word, pc := binary.LittleEndian.Uint32(code[i:]), base+uint64(i)
				inst, err := arm64asm.Decode(code[i:])
				if err != nil {
					j.notThere++
					continue
				}
				j.one(word, pc, a64asmLine(inst, pc))
			}
			j.report(len(code)/4 - j.notThere)
		})
	}
}

// TestARM64ComparisonFinds shows that the comparison sees a wrong register, value, order, size,
// target or a missing effect.
func TestARM64ComparisonFinds(t *testing.T) {
	for _, c := range []struct {
		word         uint32
		right, wrong string
	}{
		{0xd2800ba8, "mov x8, #0x5d", "mov x8, #0x5e"},
		{0xd2800ba8, "mov x8, #0x5d", "mov x9, #0x5d"},
		{0x52800ba8, "mov w8, #0x5d", "mul w8, w8, w8"},
		{0xa9bf7bfd, "stp x29, x30, [sp, #-16]!", "stp x29, x30, [sp, #-16]"},
		{0xa9bf7bfd, "stp x29, x30, [sp, #-16]!", "stp x30, x29, [sp, #-16]!"},
		{0xf9400841, "ldr x1, [x2, #16]", "ldr w1, [x2, #16]"},
		{0xb9000841, "str w1, [x2, #8]", "strh w1, [x2, #8]"},
		{0xb9000841, "str w1, [x2, #8]", "nop"},
		{0x94000001, "bl 1004", "bl 1008"},
		{0x14000001, "b 1004", "bl 1004"},
		{0x9a820020, "csel x0, x1, x2, eq", "csel x0, x1, x3, eq"},
		{0xd4000001, "svc #0x0", "brk #0x0"},
		{0x9b027c20, "mul x0, x1, x2", "add x0, x1, x2"},
	} {
		if _, known, p := a64compare(c.word, 0x1000, c.right); !known || p != nil {
			t.Errorf("%08x %s: known %v, %v", c.word, c.right, known, p)
		}
		if _, known, p := a64compare(c.word, 0x1000, c.wrong); !known || p == nil {
			t.Errorf("%08x %s: known %v, not found to be wrong", c.word, c.wrong, known)
		}
	}
}
