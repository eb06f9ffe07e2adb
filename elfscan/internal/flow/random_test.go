package flow

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// randomHead begins a random program. Built with ORACLE, it prints what it would call instead.
const randomHead = `
#ifdef ORACLE
#include <stdio.h>
static long naked(int id, long nr) { printf("%d %ld\n", id, nr); return nr & 7; }
#define NAKED(id, nr) naked(id, nr)
volatile int flag;
__attribute__((noipa)) void outside(void *p) { if (p) ((long *)p)[0] += 5000; flag++; }
__attribute__((noipa)) long number(void) { return 6000 + flag; }
#else
#if defined __x86_64__
#define NAKED(id, nr) ({ long r_; __asm__ volatile("syscall" : "=a"(r_) : "a"((long)(nr)) : "rcx", "r11", "memory"); r_; })
#else
#define NAKED(id, nr) ({ register long r_ __asm__("x0"); register long n_ __asm__("x8") = (nr); __asm__ volatile("svc 0" : "=r"(r_) : "r"(n_) : "memory"); r_; })
#endif
extern volatile int flag;
extern __attribute__((visibility("default"))) void outside(void *);
extern __attribute__((visibility("default"))) long number(void);
#endif
#define APART __attribute__((noinline, noclone, noipa, visibility("hidden")))
struct s { long nr, a; int nr4, b; };
`

// randomProgram writes functions that hand numbers down to syscall instructions: leaves make the
// call, others change the number or not and pass it on, by value or behind a pointer.
type randomProgram struct {
	*rand.Rand
	strings.Builder
	leaves int
	next   int // number
}

func (p *randomProgram) constant() string {
	p.next++
	return fmt.Sprint(1000 + p.next)
}

// noise is a statement that disturbs registers and the frame.
func (p *randomProgram) noise() string {
	return []string{"", "outside(0);", "long x[4] = {number(), number()}; outside(x);", "flag++;",
		"for (int i = 0; i < (flag & 3); i++) outside(0);", "long y = number(); outside(0); if (y == 3) flag = 7;"}[p.IntN(6)]
}

// change is an expression of a number.
func (p *randomProgram) change(nr string) string {
	switch p.IntN(6) {
	case 0:
		return fmt.Sprintf("(flag & 1 ? %s : %s)", nr, p.constant())
	case 1:
		return fmt.Sprintf("(%s + %d)", nr, 2000*(1+p.IntN(3)))
	case 2:
		return fmt.Sprintf("(%s | 0x100000)", nr)
	case 3:
		return fmt.Sprintf("(long)(int)%s", nr)
	}
	return nr
}

var parameters = []struct{ declare, nr, pass string }{
	{"long nr", "nr", "%s"},
	{"int a, long nr", "nr", "3, %s"},
	{"int nr", "nr", "%s"},
	{"long a, long b, long c, long d, long e, long f, long g, long h, long nr", "nr", "1, 2, 3, 4, 5, 6, 7, 8, %s"},
	{"long a, long b, long c, long d, long e, long f, long g, long h, int i, int nr", "nr", "1, 2, 3, 4, 5, 6, 7, 8, 9, %s"},
	{"struct s *p", "p->nr", "&(struct s){.nr = %s}"},
	{"int a, struct s *p", "p->nr4", "1, &(struct s){.nr4 = %s}"},
}

// function writes one, with all that it calls, and returns how to call it.
func (p *randomProgram) function(name string, depth int) (pass string) {
	par := parameters[p.IntN(len(parameters))]
	var body string
	n := 1 + p.IntN(2)
	for i := range n {
		if depth == 0 || p.IntN(4) == 0 {
			body += fmt.Sprintf("\t{ %s }\n\tr += NAKED(%d, %s);\n", p.noise(), p.leaves, p.change(par.nr))
			continue
		}
		callee := fmt.Sprintf("%s_%d", name, i)
		with := p.function(callee, depth-1)
		body += fmt.Sprintf("\t{ %s }\n\tr += %s(%s);\n", p.noise(), callee, fmt.Sprintf(with, p.change(par.nr)))
	}
	if strings.HasPrefix(par.nr, "p->") && p.IntN(3) == 0 {
		body = []string{"\tp->nr += 100; p->nr4 += 100;\n", "\toutside(p);\n", "\tp->a = number();\n"}[p.IntN(3)] + body
	}
	fmt.Fprintf(p, "APART long leaf%d(%s) { // %s\n\tlong r = 0;\n%s\treturn r;\n}\n#define %s leaf%d\n", p.leaves, par.declare, name, body, name, p.leaves)
	p.leaves++
	return par.pass
}

func newRandomProgram(seed uint64) (src string, leaves int) {
	p := &randomProgram{Rand: rand.New(rand.NewPCG(seed, 1))}
	p.WriteString(randomHead)
	var calls string
	for i := range 6 {
		name := fmt.Sprintf("f%d", i)
		// The number of a function is told when it is written: its calls carry the same.
		with := p.function(name, 1+p.IntN(3))
		for range 1 + p.IntN(3) {
			calls += fmt.Sprintf("\tr += %s(%s);\n", name, fmt.Sprintf(with, p.change(p.constant())))
		}
	}
	fmt.Fprintf(p, "__attribute__((visibility(\"default\"))) long all(void) {\n\tlong r = 0;\n%s\treturn r;\n}\n", calls)
	p.WriteString("#ifdef ORACLE\nint main(void) { for (int i = 0; i < 12; i++) { flag = i; all(); } return 0; }\n#endif\n")
	return p.String(), p.leaves
}

// Random programs against what they do: each number that a function would hand to the kernel is
// found there, or the function has an instruction whose number is unknown.
func TestRandomPrograms(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil || runtime.GOOS != "linux" {
		if os.Getenv("CI") != "" {
			t.Fatal("no gcc")
		}
		t.Skip("no gcc, whose code is looked at")
	}
	programs := uint64(6)
	if testing.Short() {
		programs = 2
	}
	functions, known := 0, 0
	for seed := range programs {
		src, leaves := newRandomProgram(seed)
		dir := t.TempDir()
		path := filepath.Join(dir, "random.c")
		if err := os.WriteFile(path, []byte(src), 0o666); err != nil {
			t.Fatal(err)
		}
		said := oracle(t, path, leaves)
		for _, compiler := range []string{"gcc", "clang", "aarch64-linux-gnu-gcc"} {
			if _, err := exec.LookPath(compiler); err != nil {
				continue
			}
			for _, level := range []string{"-O0", "-O2", "-Os"} {
				object := filepath.Join(dir, compiler+level)
				out, err := exec.Command(compiler, level, "-fPIC", "-shared", "-nostdlib", "-g0", "-o", object, path).CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", compiler, err, out)
				}
				n := compareRandom(t, fmt.Sprintf("seed %d, %s %s", seed, compiler, level), object, said)
				functions, known = functions+leaves, known+n
			}
		}
		if t.Failed() {
			t.Fatal(src)
		}
	}
	t.Logf("all numbers are known in %d of %d functions", known, functions)
	if known*3 < functions {
		t.Error("that is too few")
	}
}

// oracle runs a program and returns what it says of each function.
func oracle(t *testing.T, path string, leaves int) [][]uint64 {
	t.Helper()
	program := strings.TrimSuffix(path, ".c")
	if out, err := exec.Command("gcc", "-DORACLE", "-O1", "-g0", "-o", program, path).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	out, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	said := make([][]uint64, leaves)
	for line := range strings.Lines(string(out)) {
		var id int
		var nr int64
		if _, err := fmt.Sscan(line, &id, &nr); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		said[id] = append(said[id], uint64(nr))
	}
	return said
}

func compareRandom(t *testing.T, name, object string, said [][]uint64) (known int) {
	t.Helper()
	o := openObject(t, object)
	for start, fn := range o.names {
		var id int
		if n, _ := fmt.Sscanf(fn, "leaf%d", &id); n != 1 {
			continue
		}
		var nrs []uint64
		complete := true
		for _, a := range o.resolve(start) {
			for _, nr := range a.nrs {
				nrs = append(nrs, uint64(int64(int32(nr))))
			}
			complete = complete && len(a.unknown) == 0
		}
		if complete {
			known++
		}
		for _, nr := range sorted(slices.Clone(said[id])) {
			if complete && !slices.Contains(nrs, uint64(int64(int32(nr)))) {
				t.Errorf("%s: %s calls %d, which was not found: %v", name, fn, nr, sorted(nrs))
			}
		}
	}
	return known
}
