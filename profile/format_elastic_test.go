//go:build linux

package profile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	elastic "github.com/elastic/go-seccomp-bpf"
	elasticarch "github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
)

// theirs makes the library's own policy of a profile that we read.
func theirs(p *Profile) *elastic.Policy {
	action := func(a ActionName) elastic.Action { return elastic.Action(actions[a]) }
	op := map[Op]elastic.Operation{}
	for word, o := range elasticOps {
		op[o] = elastic.Operation(word)
	}
	policy := &elastic.Policy{DefaultAction: action(p.DefaultAction)}
	for i, r := range p.Rules {
		if i == 0 || r.group != p.Rules[i-1].group {
			policy.Syscalls = append(policy.Syscalls, elastic.SyscallGroup{Action: action(r.Action)})
		}
		g := &policy.Syscalls[len(policy.Syscalls)-1]
		var conds elastic.ArgumentConditions
		for _, a := range r.Args {
			conds = append(conds, elastic.Condition{Argument: uint32(a.Index), Operation: op[a.Op], Value: a.Value})
		}
		for _, n := range r.Names {
			if conds == nil {
				g.Names = append(g.Names, n.Text)
			} else {
				g.NamesWithCondtions = append(g.NamesWithCondtions, elastic.NameWithConditions{Name: n.Text, Conditions: conds})
			}
		}
	}
	return policy
}

// assembled is the library's filter, for the architecture that the test runs on.
func assembled(t *testing.T, policy *elastic.Policy) filter.Program {
	t.Helper()
	list, err := policy.Assemble()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := bpf.Assemble(list)
	if err != nil {
		t.Fatal(err)
	}
	var p filter.Program
	for _, in := range raw {
		p = append(p, filter.Insn{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K})
	}
	return p
}

// sameAsElastic proves that what we say a policy does is what the library's filter does.
func sameAsElastic(t *testing.T, p *Profile) {
	t.Helper()
	a := arch(t, "x86_64")
	r, err := p.Resolve(p.DefaultTarget(a))
	if err != nil {
		t.Fatal(err)
	}
	ours, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	d, err := simulate.Diff(simulate.OfPrograms(ours), simulate.OfPrograms(assembled(t, theirs(p))), sameOrder(a))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Changes)+len(d.Unknown) > 0 {
		t.Errorf("%s: %.300s", p.Name, fmt.Sprint(d.Changes, d.Unknown))
	}
}

// amd64 reports whether the library makes filters for amd64 here.
func amd64() bool {
	info, err := elasticarch.GetInfo("")
	return err == nil && info.ID == elasticarch.X86_64.ID
}

func needsAMD64(t *testing.T) {
	t.Helper()
	if !amd64() {
		t.Skip("the library makes filters for the architecture that it runs on only, and this is not amd64")
	}
}

// The policies of the corpora, of the goldens, and random ones mean what the library makes of them.
func TestElasticWitness(t *testing.T) {
	needsAMD64(t)
	list, err := filepath.Glob(filepath.Join(shared(t, "corpora/profiles"), "elastic", "*"))
	goldens, _ := filepath.Glob("testdata/formats/elastic/*.in")
	if err != nil || len(list) < 3 {
		t.Fatal(list, err)
	}
	read := 0
	for _, path := range append(list, goldens...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := Parse(filepath.Base(path), data); err == nil {
			sameAsElastic(t, p)
			read++
		}
	}
	if read != len(list)+2 {
		t.Errorf("%d policies", read)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range rounds(150, 3000) {
		text := randomElastic(rng)
		p, err := Parse(fmt.Sprint("random ", i), []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		sameAsElastic(t, p)
	}
}

// randomElastic writes a policy in which groups overlap.
func randomElastic(rng *rand.Rand) string {
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	names := []string{"read", "write", "open", "clone", "mmap"}
	values := []string{"0", "1", "0x80000000", "0xffffffff", "0x100000000", "0x300000001", "0xffffffffffffffff"}
	var b strings.Builder
	fmt.Fprintf(&b, "seccomp:\n  default_action: %s\n  syscalls:\n", pick(elasticActionWords))
	for range 1 + rng.IntN(4) {
		fmt.Fprintf(&b, "  - action: %s\n", pick(elasticActionWords))
		if rng.IntN(2) == 0 {
			fmt.Fprintf(&b, "    names: [%s]\n", pick(names[:2]))
		}
		fmt.Fprintf(&b, "    names_with_args:\n")
		for range 1 + rng.IntN(3) {
			fmt.Fprintf(&b, "    - name: %s\n      arguments:\n", pick(names[2:]))
			for range 1 + rng.IntN(3) {
				fmt.Fprintf(&b, "      - {argument: %d, operation: %s, value: %s}\n", rng.IntN(3), pick(elasticOpWords), pick(values))
			}
		}
	}
	return b.String()
}

// Its tables are those of the library, on every architecture that it has.
func TestElasticTables(t *testing.T) {
	for word, a := range map[string]string{"amd64": "x86_64", "386": "x86", "arm64": "aarch64", "arm": "arm"} {
		info, err := elasticarch.GetInfo(word)
		if err != nil {
			t.Fatal(err)
		}
		abi := arch(t, a)
		for name, nr := range info.SyscallNames {
			if got, ok := elasticNumber(abi, name); !ok || got != int32(nr) {
				t.Errorf("%s on %s: %d, %v, not %d", name, a, got, ok, nr)
			}
		}
		for _, s := range abi.Syscalls() {
			if _, ok := elasticNumber(abi, s.Name); ok {
				if _, known := info.SyscallNames[s.Name]; !known {
					t.Errorf("%s on %s: the library does not have it", s.Name, a)
				}
			}
		}
	}
}

// What it refuses for an architecture is refused there, and who does not read the file enforces nothing.
func TestElasticRefused(t *testing.T) {
	p, err := Parse("p.yml", []byte("seccomp: {default_action: allow, syscalls: [{action: errno, names: [open]}]}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		arch, runtime string
		kind          LoadKind
	}{
		{"x86_64", RuntimeKernel, ""}, {"x86", RuntimeKernel, ""}, {"arm", RuntimeKernel, ""}, {"x32", RuntimeKernel, ""},
		{"aarch64", RuntimeKernel, UnknownName}, {"s390x", RuntimeKernel, UnknownArch}, {"x86_64", RuntimeRunc, WrongReader},
	} {
		_, err := p.Resolve(Target{Runtime: c.runtime, ABI: arch(t, c.arch)})
		var load *LoadError
		if errors.As(err, &load); (err == nil) != (c.kind == "") || err != nil && (load == nil || load.Kind != c.kind) {
			t.Errorf("%s on %s: %v", c.runtime, c.arch, err)
		}
	}
}

// A call whose arguments do not match goes on with a word of them as its number.
func TestElasticGoesOnWithArgument(t *testing.T) {
	const text = `seccomp: {default_action: allow, syscalls: [
		{action: errno, names_with_args: [{name: clone, arguments: [{argument: 0, operation: Equal, value: 1}]}]},
		{action: kill_process, names: [execve]}]}`
	p, err := Parse("p.yml", []byte(strings.ReplaceAll(text, "\t", " ")))
	if err != nil {
		t.Fatal(err)
	}
	a := arch(t, "x86_64")
	r, err := p.Resolve(p.DefaultTarget(a))
	if err != nil {
		t.Fatal(err)
	}
	program, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	clone, _ := a.Number("clone")
	execve, _ := a.Number("execve")
	for arg, want := range map[uint64]filter.Action{1: filter.ErrnoAction(1), 2: filter.Allow, uint64(execve): filter.KillProcess} {
		if got := simulate.Run(program, &filter.Data{Nr: clone, Arch: a.Audit, Args: [6]uint64{arg}}, a.Order()); got != want {
			t.Errorf("clone(%d): %s, not %s", arg, got, want)
		}
	}
}

// Under a denylist all of i386 is open, and x32 is not.
func TestElasticOtherArchitectures(t *testing.T) {
	p, err := Parse("p.yml", []byte("seccomp: {default_action: allow, syscalls: [{action: kill_process, names: [connect]}]}"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Resolve(p.DefaultTarget(arch(t, "x86_64")))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]filter.Action{"x86_64": filter.KillProcess, "x86": filter.Allow, "x32": filter.ErrnoAction(38)} {
		a := arch(t, name)
		nr, _ := a.Number("connect")
		if got := r.Meaning(a, nr, [6]uint64{}); got != want {
			t.Errorf("connect on %s: %s, not %s", name, got, want)
		}
	}
}
