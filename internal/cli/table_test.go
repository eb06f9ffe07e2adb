package cli

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// The ranges of numbers without a syscall say what the filter does with each of them, do not overlap,
// and leave out none: asked at their ends, one beyond them, and at random.
func TestOthers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"docker-default", "strict"} {
		p, err := profile.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, abi := range []string{"x86_64", "x32", "x86", "aarch64", "mips64", "s390x", "sh"} {
			abi := syscalls.ByName(abi)
			v := (&options{}).view(&subject{name, []*layer{{name: name, profile: p}}})
			stack, err := v.stack(abi)
			if err != nil {
				t.Fatal(err)
			}
			program := stack[0]
			table, err := v.answers(abi)
			if err != nil {
				t.Fatal(err)
			}
			ranges := table.doc().Others
			listed := func(nr uint32) string {
				found := ""
				for _, r := range ranges {
					if r.From <= nr && nr <= r.To {
						if found != "" {
							t.Fatalf("%s %s: %d is in two ranges", name, abi, nr)
						}
						found = fmt.Sprint(r.Action, " ", r.Data)
					}
				}
				return found
			}
			ask := func(nr uint32) {
				t.Helper()
				want := ""
				if _, known := abi.NameOf(int32(nr)); !known && syscalls.ByAudit(abi.Audit, int32(nr)) == abi {
					d := filter.Data{Nr: int32(nr), Arch: abi.Audit}
					action := simulate.Run(program, &d, abi.Order()).Effect()
					want = fmt.Sprint(action.Name(), " ", action.Data())
				}
				if got := listed(nr); got != want {
					t.Errorf("%s %s: number %d gives %q, the filter %q", name, abi, nr, got, want)
				}
			}
			for _, r := range ranges {
				ask(r.From - 1)
				ask(r.From)
				ask(r.To)
				ask(r.To + 1)
			}
			for range 2000 {
				ask(rng.Uint32())
				ask(rng.Uint32N(1000))
				ask(0x40000000 + rng.Uint32N(1000))
			}
		}
	}
}

// What simulate names as the reason fits the action that the filter gave.
func TestDecider(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	p, err := profile.Open("docker-default")
	if err != nil {
		t.Fatal(err)
	}
	reasons := make(map[string]int)
	narrow, err := profile.Parse("narrow", []byte(`{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
		"syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	docker := p
	for _, tt := range []struct {
		p   *profile.Profile
		abi string
	}{{docker, "x86_64"}, {docker, "aarch64"}, {docker, "x86"}, {narrow, "x86"}} {
		p, abi := tt.p, syscalls.ByName(tt.abi)
		v := (&options{}).view(&subject{p.Name, []*layer{{name: p.Name, profile: p}}})
		h, err := v.host(0, abi)
		if err != nil {
			t.Fatal(err)
		}
		for range 3000 {
			d := filter.Data{Nr: int32(rng.Uint32N(600)), Arch: abi.Audit, Args: [6]uint64{rng.Uint64N(50), rng.Uint64N(50)}}
			doc, err := v.simulate(call{abi, d})
			if err != nil {
				t.Fatal(err)
			}
			action := h.Meaning(abi, d.Nr, d.Args)
			switch {
			case doc.Action != action.Name() || doc.Data != action.Data():
				t.Fatalf("%s %d %v: %s(%d), want %s", abi, d.Nr, d.Args, doc.Action, doc.Data, action)
			case doc.Rule != nil:
				reasons["rule"]++
				if rule := p.Rules[doc.Rule.Index]; rule.Action.Value(rule.ErrnoRet) != action {
					t.Errorf("%s %d: %s gives another action than %s", abi, d.Nr, doc.Reason, action)
				}
			case doc.Reason == "the default action" && action != h.Default, doc.Reason == "the filter does not know the ABI" && action != h.BadArch:
				t.Errorf("%s %d: %s, and the action is %s", abi, d.Nr, doc.Reason, action)
			default:
				reasons[doc.Reason]++
			}
		}
	}
	for _, want := range []string{"rule", "the default action", "the filter does not know the ABI"} {
		if reasons[want] == 0 {
			t.Errorf("never decided by %s: %v", want, reasons)
		}
	}
	if reasons["the filter, by no single rule"] > 0 {
		t.Errorf("without a reason: %v", reasons)
	}
}
