package profile

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// forms are the shapes of a filter that a test compares.
var forms = map[string]CompileOptions{
	"tree":  {},
	"plain": {Plain: true},
	"hot":   {Hot: []string{"read", "write", "futex", "clone", "personality", "epoll_wait", "set_tls", "read"}},
	"both":  {Plain: true, Hot: []string{"openat", "socket"}},
}

// All forms of Docker's default mean the same, on all hosts.
func TestFormsOfDockerDefault(t *testing.T) {
	for _, a := range syscalls.Arches() {
		if a.GOARCH == "" {
			continue
		}
		r := resolveDefault(t, a.Name)
		for name, o := range forms {
			p, err := r.CompileWith(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range first(compare(r, p, r.Arches, 2)) {
				t.Errorf("%s: %s %d %#x: %v, %s has %v", a, d.arch, d.nr, d.args, d.got, name, d.want)
			}
		}
	}
}

// So do those of random profiles.
func TestFormsOfRandomProfiles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	s := shape{ops: ops, actions: allActions, defects: allDefaults, rules: 12, calls: someCalls}
	done := 0
	for range 60 {
		arches := randomArches(rnd, false)
		text := randomProfile(rnd, s, arches)
		r, err := mustParse(t, text).Resolve(Target{Runtime: RuntimeKernel, ABI: arches[0], Host: arches[0]})
		var load *LoadError
		if errors.As(err, &load) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for name, o := range forms {
			p, err := r.CompileWith(o)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for _, d := range first(compare(r, p, sameOrder(arches[0]), 1)) {
				t.Fatalf("%s: %s: %s %d %#x: %v, compiled %v", text, name, d.arch, d.nr, d.args, d.got, d.want)
			}
		}
		done++
	}
	if done < 30 {
		t.Errorf("only %d profiles", done)
	}
}

// path counts the instructions that a call runs.
func path(p filter.Program, a *syscalls.Arch, nr int32) int {
	return len(simulate.Trace(p, &filter.Data{Nr: nr, Arch: a.Audit}, a.Order()).Trace)
}

// The tree is small and fast, the list is neither, and what is hot runs the fewest instructions.
func TestFormsSize(t *testing.T) {
	r, a := resolveDefault(t, "x86_64"), arch(t, "x86_64")
	hot := []string{"read", "write", "futex"}
	size, mean := map[string]int{}, map[string]float64{}
	for name, o := range map[string]CompileOptions{"tree": {}, "plain": {Plain: true}, "hot": {Hot: hot}} {
		p, err := r.CompileWith(o)
		if err != nil {
			t.Fatal(err)
		}
		sum, worst := 0, 0
		for nr := range int32(601) {
			n := path(p, a, nr)
			sum, worst = sum+n, max(worst, n)
		}
		size[name], mean[name] = len(p), float64(sum)/601
		t.Logf("%s: %d instructions, of numbers 0 to 600 with arguments 0 in the mean %.2f run and at most %d", name, len(p), mean[name], worst)
		if name != "hot" {
			continue
		}
		for i, word := range hot {
			nr, _ := a.Number(word)
			if n := path(p, a, nr); n != 5+i {
				t.Errorf("%s: %d instructions, want %d", word, n, 5+i)
			}
		}
	}
	// libseccomp's tree for the same rules has 1276 instructions, its list 1025 (moby's profile of
	// June 2026).
	if size["tree"] > 280 || size["plain"] < 3*size["tree"] || mean["tree"] > 9.5 || mean["plain"] < 100 {
		t.Errorf("sizes %v, means %v", size, mean)
	}
}

func TestHotUnknown(t *testing.T) {
	r := resolveDefault(t, "x86_64")
	if _, err := r.CompileWith(CompileOptions{Hot: []string{"nosuchcall"}}); err == nil {
		t.Error("an unknown call may be hot")
	}
	plain, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	// A call of other architectures has no effect on this one.
	hot, err := r.CompileWith(CompileOptions{Hot: []string{"s390_sthyi"}})
	if err != nil || len(hot) > len(plain)+2 {
		t.Errorf("%d instructions, %d without: %v", len(hot), len(plain), err)
	}
}

func BenchmarkCompilePlain(b *testing.B) {
	r := resolveDefault(b, "x86_64")
	for b.Loop() {
		if _, err := r.CompileWith(CompileOptions{Plain: true}); err != nil {
			b.Fatal(err)
		}
	}
}
