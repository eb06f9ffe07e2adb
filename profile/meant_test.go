package profile

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// checkMeant holds Meant against Meaning: on every number and at the edges of every condition, and
// that the stretches are all numbers, each once.
func checkMeant(t *testing.T, r *Resolved, abis []*syscalls.Arch) (asked int) {
	t.Helper()
	rules := r.Meant()
	tokens := map[uint32]bool{}
	for _, token := range rules.Tokens {
		if tokens[token.Arch] {
			t.Errorf("token %#x comes twice", token.Arch)
		}
		tokens[token.Arch] = true
		next := uint64(0)
		for _, s := range token.Stretches {
			if uint64(s.From) != next || s.To < s.From {
				t.Fatalf("token %#x: stretch %#x to %#x, want one from %#x", token.Arch, s.From, s.To, next)
			}
			next = uint64(s.To) + 1
		}
		if next != 1<<32 {
			t.Errorf("token %#x: the last stretch ends before %#x", token.Arch, next)
		}
	}
	rnd := rand.New(rand.NewPCG(9, 9))
	for _, a := range abis {
		for _, nr := range append(numbers(a, r.Stub), int32(rnd.Uint32()), int32(rnd.Uint32())) {
			var conds []Cond
			for _, other := range r.Arches {
				if c := r.tables[other.Name][nr]; c != nil && other.Audit == a.Audit {
					for _, e := range c.entries {
						conds = append(conds, e.conds...)
					}
				}
			}
			for _, args := range points(rnd, conds, 1+len(conds)) {
				want := r.Meaning(a, nr, args)
				got, c := rules.Answer(&filter.Data{Nr: nr, Arch: a.Audit, Args: args})
				if got != want {
					t.Fatalf("%s %d %#x: %v, Meaning has %v", a, nr, args, got, want)
				}
				if c != nil && (c.Rule < 0 || c.Rule >= len(r.Profile.Rules) || r.Profile.Rules[c.Rule].Action.Value(r.Profile.Rules[c.Rule].ErrnoRet) != got) {
					t.Fatalf("%s %d %#x: decided by rule %d, whose action is another", a, nr, args, c.Rule)
				}
				asked++
			}
		}
	}
	return asked
}

// Meant says of random profiles what Meaning says.
func TestMeantIsMeaning(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	s := shape{ops: ops, actions: allActions, defects: allDefaults, rules: 20, calls: someCalls}
	done, asked := 0, 0
	for range 150 {
		runtime := pick(rnd, []string{RuntimeRunc, RuntimeKernel})
		arches := randomArches(rnd, runtime == RuntimeRunc)
		text := randomProfile(rnd, s, arches)
		r, err := mustParse(t, text).Resolve(Target{Runtime: runtime, ABI: arches[0], Host: arches[0]})
		var load *LoadError
		if errors.As(err, &load) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		asked += checkMeant(t, r, sameOrder(arches[0]))
		done++
	}
	if done < 60 {
		t.Errorf("only %d profiles", done)
	}
	t.Logf("%d profiles, %d calls", done, asked)
}

// So it does of Docker's default for every ABI, and of the corpora.
func TestMeantCorpora(t *testing.T) {
	for _, a := range syscalls.Arches() {
		if a.GOARCH == "" {
			continue
		}
		checkMeant(t, resolveDefault(t, a.Name), []*syscalls.Arch{a})
	}
	list, err := filepath.Glob(filepath.Join(shared(t, "corpora/profiles"), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	x64 := arch(t, "x86_64")
	done := 0
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(path, data)
		if err != nil || p.Format == Raw || p.Container != nil { // a built-in's errnos are words
			continue
		}
		r, err := p.Resolve(p.DefaultTarget(x64))
		if err != nil {
			continue
		}
		checkMeant(t, r, []*syscalls.Arch{x64, arch(t, "x32"), arch(t, "x86"), arch(t, "riscv64")})
		done++
	}
	if done < 50 {
		t.Errorf("only %d profiles of the corpora", done)
	}
}

// The twin: Meant for some ABIs leaves the others out, and a disabled profile has no tokens.
func TestMeantSubset(t *testing.T) {
	r := resolveDefault(t, "x86_64")
	rules := r.Meant(arch(t, "x86"))
	if len(rules.Tokens) != 1 || rules.Tokens[0].Arch != 0x40000003 || rules.Other != filter.KillThread {
		t.Errorf("%d tokens, other %v", len(rules.Tokens), rules.Other)
	}
	rules = r.Meant(arch(t, "x86_64"))
	if a, _ := rules.Answer(&filter.Data{Nr: x32Bit, Arch: 0xc000003e}); a != filter.KillThread {
		t.Errorf("x32 read under x86_64 alone: %v", a)
	}
	if a, _ := rules.Answer(&filter.Data{Nr: 0, Arch: 0xc000003e}); a != filter.Allow {
		t.Errorf("read: %v", a)
	}
	off, err := mustParse(t, "{}").Resolve(Target{Runtime: RuntimeDocker, ABI: arch(t, "x86_64")})
	if err != nil {
		t.Fatal(err)
	}
	if rules := off.Meant(); len(rules.Tokens) != 0 || rules.Other != filter.Allow {
		t.Errorf("disabled: %+v", rules)
	}
	last := r.Meant().Tokens[0].Stretches
	if s := last[len(last)-1]; s.To != math.MaxUint32 {
		t.Errorf("last stretch ends at %#x", s.To)
	}
}
