package lint

import (
	"fmt"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// handmade is an ABI with a filter that no profile makes.
func handmade(t *testing.T, arch string, p filter.Program) *ABI {
	t.Helper()
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	return &ABI{
		Arch: syscalls.ByName(arch), Host: &Host{Resolved: &profile.Resolved{}},
		Covered: true, program: p, answers: make(map[int32]answer),
	}
}

// What is open has arguments for which the filter really says so; where none exist, it is not.
func TestWitness(t *testing.T) {
	cond := func(index int, op string, value, two uint64) string {
		return fmt.Sprintf(`{"index": %d, "value": %d, "valueTwo": %d, "op": "SCMP_CMP_%s"}`, index, value, two, op)
	}
	cases := []struct {
		args string
		open bool
	}{
		{cond(0, "EQ", 5, 0), true},
		{cond(0, "EQ", 5<<32, 0), true},
		{cond(1, "EQ", 5<<32|7, 0), true},
		{cond(0, "NE", 0, 0), true},
		{cond(0, "GT", 9, 0), true},
		{cond(0, "GT", 9<<32, 0), true},
		{cond(0, "LT", 9, 0), true},
		{cond(0, "MASKED_EQ", 0xf0, 0x30), true},
		{cond(0, "EQ", 5, 0) + "," + cond(3, "GE", 1<<33, 0), true},
		{cond(0, "LT", 0, 0), false},
		{cond(0, "GT", 1<<64-1, 0), false},
	}
	for _, c := range cases {
		p, err := profile.Parse("p.json", []byte(`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
			"syscalls": [{"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "args": [`+c.args+`]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(Input{Profile: p})
		if err != nil {
			t.Fatal(err)
		}
		confirm(t, r)
		found := false
		for _, f := range r.Findings {
			found = found || f.Check == "PC714"
		}
		if found != c.open {
			t.Errorf("%s: open %v, want %v", c.args, found, c.open)
		}
	}
}

// A filter that lets a call through from one address only is open, and no arguments show it.
func TestWitnessInstructionPointer(t *testing.T) {
	byAddress := handmade(t, "x86_64", filter.Program{
		filter.Load(8), // low half of the instruction pointer
		filter.Jump(filter.OpJeqK, 0x1000, 0, 1),
		filter.Return(filter.Allow),
		filter.Return(filter.KillProcess),
	})
	if o, found := byAddress.reach("bpf", anyArgs); found != open || o.action != filter.Allow || o.witness != nil {
		t.Errorf("%d %+v", found, o)
	}
	always := handmade(t, "x86_64", filter.Program{filter.Return(filter.Log)})
	if o, found := always.reach("bpf", anyArgs); found != open || o.action != filter.Log || o.witness == nil {
		t.Errorf("not open: %+v", o)
	}
}

func TestJoin(t *testing.T) {
	p := &Pass{ABIs: []*ABI{
		{Arch: syscalls.ByName("x86_64")}, {Arch: syscalls.ByName("x86")}, {Arch: syscalls.ByName("x32")},
	}}
	on := func(message string, severity finding.Severity, arches ...string) (out []finding.Finding) {
		for _, a := range arches {
			out = append(out, finding.Finding{Check: "PC000", Severity: severity, Message: message, Arch: a})
		}
		return out
	}
	all := append(on("everywhere", finding.Info, "x86_64", "x86", "x32"), on("twice", finding.Error, "x86_64", "x32")...)
	all = append(all, on("once", finding.Error, "x86")...)
	var got []string
	for _, f := range p.join(all) {
		got = append(got, fmt.Sprintf("%s %q %s", f.Severity, f.Arch, f.Message))
	}
	want := `[error "x86_64" twice (also on x32) error "x86" once info "" everywhere]`
	if fmt.Sprint(got) != want {
		t.Errorf("joined:\n got %v\nwant %s", got, want)
	}
}
