package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
)

// gcc compiles a C program that prints an array named filter as bytes, and runs it.
func gcc(t *testing.T, array string) []byte {
	t.Helper()
	cc, err := exec.LookPath("gcc")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("gcc is the witness: ", err)
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "a.c"), filepath.Join(dir, "a")
	text := array + "\n#include <stdio.h>\nint main(void) { fwrite(filter, sizeof filter, 1, stdout); return 0; }\n"
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(cc, "-O0", "-w", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
	out, err := exec.Command(binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCompiledC has gcc compile what is written as C.
func TestCompiledC(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var p Program
	for range 100 {
		p = append(p, anyProgram(rng)...)
	}
	source := mustFormat(t, p, C, binary.LittleEndian)
	if got := gcc(t, string(source)); !bytes.Equal(got, p.Encode(binary.NativeEndian)) {
		t.Error("gcc makes something else of it")
	}
	p[len(p)/2].K++ // the twin
	if got := gcc(t, string(source)); bytes.Equal(got, p.Encode(binary.NativeEndian)) {
		t.Error("gcc makes the same of another program")
	}
}

// TestMacrosAndExpressions has gcc and ParseProgram read the same random array in the notations
// that people use.
func TestMacrosAndExpressions(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	var b strings.Builder
	b.WriteString("#include <stddef.h>\n#include <stdint.h>\n#include <errno.h>\n#include <linux/filter.h>\n#include <linux/seccomp.h>\n#include <linux/audit.h>\n")
	b.WriteString("static struct sock_filter filter[] = {\n")
	// Every constant that is known and that gcc knows.
	for _, m := range []map[string]bool{keys(cConstants), keys(cUnsigned), keys(auditConstants)} {
		for name := range m {
			if strings.Contains(name, "X32") {
				continue // of asm/unistd.h
			}
			fmt.Fprintf(&b, "BPF_STMT(6, %s),\n", name)
		}
	}
	for range 3000 {
		k := "(__u32)(" + expression(rng, 0) + ")"
		switch rng.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "BPF_STMT(%s, %s),\n", code(rng), k)
		case 1:
			fmt.Fprintf(&b, "BPF_JUMP(%s, %s, %d, 0x%x), // a comment\n", code(rng), k, rng.IntN(256), rng.IntN(256))
		case 2:
			fmt.Fprintf(&b, "{ %s, %d, %d, %s },\n", code(rng), rng.IntN(256), rng.IntN(256), k)
		case 3:
			fmt.Fprintf(&b, "{ .k = %s, /* { */ .code = %s, .jf = 3 },\n", k, code(rng))
		}
	}
	b.WriteString("};\n")
	p, found, _, err := ParseProgram([]byte(b.String()), nil)
	if err != nil || found != C {
		t.Fatal(found, err)
	}
	want, err := Decode(gcc(t, b.String()), binary.NativeEndian)
	if err != nil || len(want) != len(p) {
		t.Fatalf("%d instructions, gcc has %d, %v", len(p), len(want), err)
	}
	lines := strings.Split(b.String(), "\n")[7:]
	for i := range p {
		if p[i] != want[i] {
			t.Errorf("%s: %#v, gcc says %#v", lines[i], p[i], want[i])
		}
	}
}

func keys[V any](m map[string]V) map[string]bool {
	set := make(map[string]bool)
	for k := range m {
		set[k] = true
	}
	return set
}

func code(rng *rand.Rand) string {
	join := []string{" | ", "|", "+", " + "}[rng.IntN(4)]
	return []string{
		"BPF_LD" + join + "BPF_W" + join + "BPF_ABS", "BPF_JMP" + join + "BPF_JEQ" + join + "BPF_K",
		"BPF_RET" + join + "BPF_K", "0x15", "(6)", "BPF_ALU" + join + "BPF_AND" + join + "BPF_X",
	}[rng.IntN(6)]
}

// expression returns a random expression whose value C defines.
func expression(rng *rand.Rand, depth int) string {
	if depth > 3 || rng.IntN(4) == 0 {
		return []string{
			"0", "1", "7", "0x7fffffff", "0x80000000", "2147483648", "4294967295", "0xffffffff", "0xffffffffU", "017",
			"5UL", "3u", "SECCOMP_RET_ERRNO", "EPERM", "ENOSYS", "SECCOMP_RET_DATA", "AUDIT_ARCH_X86_64", "AUDIT_ARCH_I386",
			"offsetof(struct seccomp_data, nr)", "offsetof(struct seccomp_data, args[3])", "(offsetof(struct seccomp_data, args) + 4)",
			"sizeof(__u32)", "sizeof(unsigned short)", "offsetof(struct seccomp_data, instruction_pointer)",
			"SECCOMP_RET_KILL_PROCESS", "0x100000000", "0x1FFull",
		}[rng.IntN(27)]
	}
	x, y := expression(rng, depth+1), expression(rng, depth+1)
	switch rng.IntN(11) {
	case 0:
		return "~" + x
	case 1:
		return "(" + x + ")"
	case 2:
		cast := []string{"__u32", "unsigned", "uint8_t", "unsigned char", "short int", "uint64_t", "long long", "int", "unsigned short"}[rng.IntN(9)]
		return "(" + cast + ")" + x
	case 3: // shifts and products only of unsigned values: others may overflow, which C leaves open
		return "((__u32)(" + x + ") << " + fmt.Sprint(rng.IntN(32)) + ")"
	case 4:
		return "((" + x + ") >> " + fmt.Sprint(rng.IntN(32)) + ")"
	case 5:
		return "((uint64_t)(" + x + ")*" + y + ")"
	case 6:
		return "((__u32)(" + x + ") - (uint32_t)(" + y + "))"
	case 7:
		return "((" + x + ") / ((uint64_t)(" + y + ") % 9 + 1))"
	}
	return x + []string{" | ", "&", " ^ ", "|"}[rng.IntN(4)] + y
}

// TestOtherAssembler compares with the assembler of golang.org/x/net/bpf: its notation of an
// instruction assembles to its encoding, as far as it has what seccomp has.
func TestOtherAssembler(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	shown := make(map[uint16]bool)
	for range 20000 {
		in := Insn{Code: Opcodes()[rng.IntN(41)], K: rng.Uint32()}
		s := shapes[in.Code]
		switch {
		case s.form == formMem:
			in.K %= MemWords
		case !s.form.usesK():
			in.K = 0
		}
		if s.form.branches() {
			in.Jt, in.Jf = uint8(rng.Uint32())&7, uint8(rng.Uint32())&7
		}
		theirs := bpf.RawInstruction{Op: in.Code, Jt: in.Jt, Jf: in.Jf, K: in.K}.Disassemble()
		if _, unknown := theirs.(bpf.RawInstruction); unknown {
			continue
		}
		text := fmt.Sprint(theirs)
		raw, err := theirs.Assemble()
		if err != nil {
			t.Fatal(err)
		}
		want := Insn{raw.Op, raw.Jt, raw.Jf, raw.K}
		got, err := Assemble(text)
		if err != nil || len(got) != 1 || got[0] != want {
			if in.Code == OpLdxLen {
				continue // they take it for ld len
			}
			t.Errorf("%q is %v, %v; they say %v", text, got, err, want)
		}
		shown[in.Code] = true
	}
	if len(shown) != 41 {
		t.Errorf("only %d codes", len(shown))
	}
}

// TestCompiledGo runs what is written as Go.
func TestCompiledGo(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("the go command is the witness: ", err)
	}
	p := append(anyProgram(rand.New(rand.NewPCG(13, 14))), Return(ErrnoAction(38)))
	source, err := p.Format(Go, nil, "main.insns")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := strings.Replace(string(source), `import "syscall"`, `import ("syscall"; "fmt")`, 1) +
		"\nfunc main() { for _, in := range insns { fmt.Println(in.Code, in.Jt, in.Jf, in.K) } }\n"
	path := filepath.Join(dir, "a.go")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(goCommand, "run", path)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		if _, statErr := os.Stat("/proc/self"); statErr != nil && os.Getenv("CI") == "" {
			t.Skip("the file is for Linux: ", err)
		}
		t.Fatalf("%v: %s", err, out)
	}
	var got Program
	for line := range strings.Lines(string(out)) {
		var in Insn
		if _, err := fmt.Sscan(line, &in.Code, &in.Jt, &in.Jf, &in.K); err != nil {
			t.Fatal(err)
		}
		got = append(got, in)
	}
	if !slices.Equal(got, p) {
		t.Errorf("got %v, want %v", got, p)
	}
}
