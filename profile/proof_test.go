package profile

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// differenceOf proves a program to be what was meant, or says where it is not.
func differenceOf(t testing.TB, r *Resolved, p filter.Program, abis []*syscalls.Arch) *simulate.Difference {
	t.Helper()
	d, err := simulate.Diff(simulate.OfRules(r.Meant()), simulate.OfPrograms(p), abis)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// prove fails the test unless all forms of a filter are proven to be what was meant, on all ABIs of
// its byte order. It returns how many were proven: a list may be too long to load.
func prove(t *testing.T, what string, r *Resolved) (proven int) {
	t.Helper()
	if r.Disabled {
		return 0
	}
	for name, o := range forms {
		p, err := r.CompileWith(o)
		var size *SizeError
		if errors.As(err, &size) && o.Plain {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %s: %v", what, name, err)
		}
		d := differenceOf(t, r, p, sameOrder(r.Arches[0]))
		for i, c := range d.Changes {
			if i < 3 {
				t.Errorf("%s: %s: %v", what, name, c)
			}
		}
		for i, u := range d.Unknown {
			if i < 3 {
				t.Errorf("%s: %s: %v", what, name, u)
			}
		}
		proven++
	}
	return proven
}

// Docker's default is proven for every host and every runtime.
func TestProofDockerDefault(t *testing.T) {
	p, err := Open("docker-default")
	if err != nil {
		t.Fatal(err)
	}
	proven := 0
	for _, a := range syscalls.Arches() {
		if a.GOARCH == "" {
			continue
		}
		for _, runtime := range append(runtimeNames(), "docker/crun", "docker/gvisor") {
			if a.Name != "x86_64" && runtime != RuntimeDocker && runtime != RuntimeKernel {
				continue
			}
			if runtime == RuntimeSystemd {
				continue // which reads units only
			}
			target := p.DefaultTarget(a)
			target.Runtime = runtime
			r, err := p.Resolve(target)
			if err != nil {
				t.Fatal(err)
			}
			proven += prove(t, a.Name+" "+runtime, r)
		}
	}
	if proven < 100 {
		t.Errorf("only %d filters proven", proven)
	}
	t.Logf("%d filters proven", proven)
}

// So are all profiles of the corpora that are loaded, for three runtimes, in a full run for all,
// and on a big-endian host.
func TestProofCorpora(t *testing.T) {
	list, err := filepath.Glob(filepath.Join(shared(t, "corpora/profiles"), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	profiles, proven := 0, 0
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(filepath.Base(path), data)
		if err != nil || p.Format == Raw { // of which there is nothing to compile
			continue
		}
		before := proven
		if r, err := p.Resolve(p.DefaultTarget(arch(t, "s390x"))); err == nil {
			proven += prove(t, p.Name+" s390x", r)
		}
		runtimes := []string{RuntimeDocker, RuntimeCrun, RuntimeGVisor}
		if os.Getenv("PROFCHECK_FULL") != "" {
			runtimes = runtimeNames()
		}
		for _, runtime := range runtimes {
			target := p.DefaultTarget(arch(t, "x86_64"))
			target.Runtime = runtime
			if r, err := p.Resolve(target); err == nil {
				proven += prove(t, p.Name+" "+runtime, r)
			}
		}
		if proven > before {
			profiles++
		}
	}
	if profiles < 70 {
		t.Errorf("only %d profiles proven", profiles)
	}
	t.Logf("%d filters of %d profiles proven", proven, profiles)
}

// rounds is more in a full run.
func rounds(some, full int) int {
	if os.Getenv("PROFCHECK_FULL") != "" {
		return full
	}
	return some
}

// So are random profiles, with conflicts and without: against Meant, the order of the file counts.
func TestProofRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(31, 32))
	shapes := []shape{
		{ops: ops, actions: allActions, defects: allDefaults, rules: 8, calls: someCalls},
		{ops: ops[:6], actions: allActions[:3], defects: allDefaults, rules: 8, calls: someCalls[:8], sameOne: true},
		{ops: []Op{MaskedEqual, Equal}, actions: allActions, defects: allDefaults, rules: 12, calls: someCalls},
	}
	runtimes := []string{RuntimeRunc, RuntimeKernel, RuntimeCrun}
	proven := 0
	for i := range rounds(600, 20000) {
		runtime := runtimes[i%len(runtimes)]
		arches := randomArches(rnd, runtime == RuntimeRunc)
		text := randomProfile(rnd, shapes[i%len(shapes)], arches)
		r, err := mustParse(t, text).Resolve(Target{Runtime: runtime, ABI: arches[0], Host: arches[0]})
		var load *LoadError
		if errors.As(err, &load) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if proven += prove(t, text, r); t.Failed() {
			return
		}
	}
	t.Logf("%d filters proven", proven)
	if proven < 1000 {
		t.Errorf("only %d filters proven", proven)
	}
}

// The twin: a filter with one altered instruction is not proven, and the difference has a witness.
func TestProofFindsAlteration(t *testing.T) {
	r := resolveDefault(t, "x86_64")
	p, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	found, altered := 0, 0
	for pc := 0; pc < len(p); pc += 9 {
		q := append(filter.Program(nil), p...)
		switch q[pc].Code {
		case filter.OpRetK:
			q[pc].K ^= 1 << 17
		case filter.OpJeqK, filter.OpJgeK, filter.OpJsetK:
			q[pc].K++
		default:
			continue
		}
		altered++
		if len(differenceOf(t, r, q, sameOrder(r.Arches[0])).Changes) > 0 {
			found++
		}
	}
	if found != altered || altered < 20 {
		t.Errorf("%d of %d altered filters found", found, altered)
	}
}
