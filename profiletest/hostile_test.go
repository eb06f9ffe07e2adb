package profiletest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// hostile are programs that the kernel takes and that are hard to evaluate.
func hostile() map[string]filter.Program {
	numbers := filter.Program{filter.Load(filter.OffsetNr)}
	for i := range 2000 { // compares the number with much, and does nothing about it
		numbers = append(numbers, filter.Jump(filter.OpJeqK, uint32(i)*1000003, 0, 0))
	}
	ladder := filter.Program{filter.Stmt(filter.OpLdImm, 0)}
	for i := range 600 { // 2^600 paths, and the answer depends on all of them
		ladder = append(ladder,
			filter.Load(filter.ArgLow(i%6, nil)),
			filter.Jump(filter.OpJsetK, 1<<(i/6%32), 0, 3),
			filter.Stmt(filter.OpLdMem, 0), filter.Stmt(filter.OpAddK, uint32(i)), filter.Stmt(filter.OpSt, 0))
	}
	ladder = append(filter.Program{filter.Stmt(filter.OpSt, 0)}, ladder...)
	words := filter.Program{filter.Load(filter.OffsetNr)}
	for i := range 500 { // each number has its own question
		words = append(words, filter.Jump(filter.OpJeqK, uint32(i)*7, 0, 3),
			filter.Load(filter.ArgLow(i%6, nil)), filter.Jump(filter.OpJeqK, uint32(i), 0, 1), filter.Return(filter.Trap|filter.Action(i)))
	}
	return map[string]filter.Program{
		"numbers": append(numbers, filter.Return(filter.Allow)),
		"ladder":  append(ladder, filter.Stmt(filter.OpLdMem, 0), filter.Stmt(filter.OpRetA, 0)),
		"words":   append(words, filter.Return(filter.Allow)),
	}
}

// No filter and no file takes long: the bounds are those of simulate and of this package.
func TestHostile(t *testing.T) {
	dir := t.TempDir()
	for name, p := range hostile() {
		if err := p.Verify(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".bpf"), p.Encode(syscalls.ByName("x86_64").Order()), 0o644); err != nil {
			t.Fatal(err)
		}
		text := "profile: " + name + ".bpf\narches: x86_64\nexpect:\n- allow: all\n- deny: [read, 'write(arg0 & 3 == 1, arg3 != 9)', rest]\n"
		f, err := Parse(filepath.Join(dir, "x"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		r, err := f.Run()
		if err != nil || r.Passed+r.Failed+r.Unknown != 4 {
			t.Errorf("%s: %+v, %v", name, r, err)
			continue
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s takes %v", name, took)
		} else {
			t.Logf("%s: %v: %d passed, %d failed, %d unknown", name, took, r.Passed, r.Failed, r.Unknown)
		}
	}
	var many strings.Builder
	many.WriteString("profile: docker-default\narches: x86_64\nexpect:\n- allow: [")
	for i := 0; many.Len() < MaxFile/8; i++ {
		fmt.Fprintf(&many, "'read(arg0 in {%d, %d..%d})', ", i, i+5, i+9000)
	}
	many.WriteString("write]\n")
	start := time.Now()
	f, err := Parse("x", []byte(many.String()))
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Run()
	if err != nil || !r.OK() {
		t.Fatalf("%v", err)
	}
	t.Logf("%d expectations in %v", r.Passed, time.Since(start))
}
