package profile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// What Compile writes answers as Meaning does: random rules of every kind, for random sets of ABIs,
// asked on every number, at the edges of each condition and at random.
func TestCompileIsMeaning(t *testing.T) {
	shapes := map[string]shape{
		"everything":   {ops: ops, actions: allActions, defects: allDefaults, rules: 30, calls: someCalls},
		"one argument": {ops: ops[:6], actions: allActions[:3], defects: allDefaults, rules: 12, calls: someCalls[:6], sameOne: true},
		"masks":        {ops: []Op{MaskedEqual, Equal}, actions: allActions, defects: allDefaults, rules: 20, calls: someCalls},
	}
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, uint64(len(name))))
			compiled, refused, asked := 0, 0, 0
			for range 120 {
				runtime := pick(rnd, []string{RuntimeRunc, RuntimeKernel})
				arches := randomArches(rnd, runtime == RuntimeRunc)
				text := randomProfile(rnd, s, arches)
				r, err := mustParse(t, text).Resolve(Target{Runtime: runtime, ABI: arches[0], Host: arches[0]})
				var load *LoadError
				if errors.As(err, &load) && (load.Kind == SameCondition || load.Kind == WiderCondition) {
					refused++
					continue
				}
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				p, err := r.Compile()
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				compiled++
				list, n := compare(r, p, sameOrder(arches[0]), 2)
				asked += n
				for _, d := range list {
					t.Fatalf("%s: %s %d %#x: %v, compiled %v", text, d.arch, d.nr, d.args, d.got, d.want)
				}
			}
			if compiled < 50 {
				t.Errorf("only %d compiled, %d refused", compiled, refused)
			}
			t.Logf("%d filters, %d calls, %d refused", compiled, asked, refused)
		})
	}
}

// The negative twin: a filter with one altered instruction is told from the meaning.
func TestCompareFindsAlteration(t *testing.T) {
	r := resolveDefault(t, "x86_64")
	p, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	found, altered := 0, 0
	for pc := 0; pc < len(p); pc += 3 {
		in := p[pc]
		q := append(filter.Program(nil), p...)
		switch in.Code {
		case filter.OpRetK:
			q[pc].K ^= 1
		case filter.OpJeqK, filter.OpJgeK:
			q[pc].K++
		default:
			continue
		}
		altered++
		if list, _ := compare(r, q, sameOrder(r.Arches[0]), 2); len(list) > 0 {
			found++
		}
	}
	if found != altered || altered < 80 {
		t.Errorf("%d of %d altered filters found", found, altered)
	}
}

func resolveDefault(t testing.TB, abi string) *Resolved {
	t.Helper()
	p, err := Open("docker-default")
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Resolve(p.DefaultTarget(arch(t, abi)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Programs that are longer than a conditional jump reaches, up to the limit, and beyond it.
func TestCompileLong(t *testing.T) {
	for _, c := range []struct {
		rules int
		fits  bool
	}{{10, true}, {100, true}, {400, true}, {800, false}, {4000, false}} {
		var b strings.Builder
		for i := range c.rules {
			// Conditions on two arguments with masks cannot be merged, and each action is another.
			fmt.Fprintf(&b, `,{"names":["ioctl"],"action":"SCMP_ACT_ERRNO","errnoRet":%d,"args":[{"index":%d,"op":"SCMP_CMP_MASKED_EQ","value":%d,"valueTwo":%d},{"index":4,"op":"SCMP_CMP_EQ","value":%d}]}`,
				i%4000+2, i%4, 0xfffff0, i<<4, i)
		}
		p := mustParse(t, `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[`+b.String()[1:]+`]}`)
		r, err := p.Resolve(Target{Runtime: RuntimeKernel, ABI: arch(t, "x86_64")})
		if err != nil {
			t.Fatal(err)
		}
		prog, err := r.Compile()
		var size *SizeError
		if c.fits != (err == nil) || err != nil && !errors.As(err, &size) {
			t.Fatalf("%d rules: %d instructions, %v", c.rules, len(prog), err)
		}
		if err != nil {
			continue
		}
		rnd := rand.New(rand.NewPCG(5, 6))
		a := arch(t, "x86_64")
		nr, _ := a.Number("ioctl")
		for i := range c.rules {
			args := [6]uint64{4: uint64(i)}
			args[i%4] = uint64(i<<4) | rnd.Uint64()&15
			d := filter.Data{Nr: nr, Arch: a.Audit, Args: args}
			if got, want := simulate.Run(prog, &d, a.Order()), r.Meaning(a, nr, args); got != want || got == filter.Allow {
				t.Fatalf("%d rules: rule %d: %v, want %v", c.rules, i, got, want)
			}
		}
	}
}

// Docker's profile on its biggest host, and the alternatives: small, and the native ABI first.
func TestCompileSize(t *testing.T) {
	for abi, most := range map[string]int{"x86_64": 400, "aarch64": 300, "s390x": 350, "mips64": 400, "riscv64": 200} {
		p, err := resolveDefault(t, abi).Compile()
		if err != nil || len(p) > most {
			t.Errorf("%s: %d instructions, want at most %d (%v)", abi, len(p), most, err)
		}
	}
}

// Compile for some of the ABIs leaves the others to the bad-arch action.
func TestCompileSubset(t *testing.T) {
	r := resolveDefault(t, "x86_64")
	x64, x86, x32 := arch(t, "x86_64"), arch(t, "x86"), arch(t, "x32")
	p, err := r.Compile(x64)
	if err != nil {
		t.Fatal(err)
	}
	read := func(a *syscalls.Arch) filter.Action {
		nr, _ := a.Number("read")
		return simulate.Run(p, &filter.Data{Nr: nr, Arch: a.Audit}, a.Order())
	}
	if read(x64) != filter.Allow || read(x86) != filter.KillThread || read(x32) != filter.KillThread {
		t.Errorf("x86_64 %v, x86 %v, x32 %v", read(x64), read(x86), read(x32))
	}
	if p, err = r.Compile(arch(t, "s390x")); err != nil || len(p) != 1 || p[0].K != uint32(filter.KillThread) {
		t.Errorf("an ABI that is not there: %v, %v", p, err)
	}
}

func TestCompileDisabled(t *testing.T) {
	r, err := mustParse(t, "{}").Resolve(Target{Runtime: RuntimeDocker, ABI: arch(t, "x86_64")})
	if err != nil || !r.Disabled {
		t.Fatalf("%+v, %v", r, err)
	}
	p, err := r.Compile()
	if err != nil || p.Verify() != nil || simulate.Run(p, &filter.Data{Nr: 1}, nil) != filter.Allow || r.Meaning(arch(t, "x86"), 1, [6]uint64{}) != filter.Allow {
		t.Errorf("%v, %v", p, err)
	}
}

func BenchmarkDockerDefault(b *testing.B) {
	text := Builtins()[0].Source()
	a := arch(b, "x86_64")
	for b.Loop() {
		p, err := Parse("docker-default", text)
		if err != nil {
			b.Fatal(err)
		}
		r, err := p.Resolve(p.DefaultTarget(a))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	r := resolveDefault(b, "x86_64")
	for b.Loop() {
		if _, err := r.Compile(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMeaning(b *testing.B) {
	r := resolveDefault(b, "x86_64")
	a := arch(b, "x86_64")
	for b.Loop() {
		for nr := range int32(470) {
			r.Meaning(a, nr, [6]uint64{})
		}
	}
}
