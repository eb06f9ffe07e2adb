//go:build linux

package profile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// asPolicy writes a profile as a policy, reads it again, and tells whether its filter is proven to give every
// call of the ABI what the profile gives it, and whether a loss was said that changes that. The data of
// actions, and upper halves of arguments, are left out of it where a loss was said about them.
func asPolicy(t *testing.T, p *Profile, host string) (again *Profile, same, said bool) {
	t.Helper()
	abi := arch(t, host)
	target := Target{ABI: abi, Host: hostOf(abi), Caps: append(DockerCaps(), "CAP_SYS_PTRACE")}
	target.Runtime = p.ownReader()
	before, err := p.Resolve(target)
	out, err2 := p.Write(Elastic, target)
	if (err == nil) != (err2 == nil) {
		t.Fatalf("%s: resolved: %v, written: %v", p.Name, err, err2)
	}
	if err != nil {
		return nil, true, true
	}
	data, seen := false, *abi
	for _, l := range out.Lost {
		data = data || l.data
		seen.UpperHalves = seen.UpperHalves && !l.upper
		said = said || l.Changes && !l.others && !l.data && !l.upper
	}
	again, err = ParseAs(p.Name, out.Text, Elastic)
	if err != nil || len(again.Problems) > 0 {
		t.Fatalf("%s: %v, %v\n%s", p.Name, err, again, out.Text)
	}
	r, err := again.Resolve(Target{Runtime: RuntimeKernel, ABI: abi})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := r.Compile()
	if err != nil {
		t.Fatal(err)
	}
	before.Stub = nil // told among what others get
	ours, err := before.Compile()
	if err != nil {
		t.Fatal(err)
	}
	if data {
		ours, theirs = withoutData(ours), withoutData(theirs)
	}
	d, err := simulate.Diff(simulate.OfPrograms(ours), simulate.OfPrograms(theirs), []*syscalls.Arch{&seen})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Unknown) > 0 {
		t.Errorf("%s: %v", p.Name, d.Unknown)
	}
	for _, c := range d.Changes {
		if !(sharesToken(abi) && c.From >= x32Bit) {
			if !said {
				t.Errorf("%s on %s: %s", p.Name, host, c)
			}
			return again, false, said
		}
	}
	return again, true, said
}

// withoutData gives each answer of a filter the data that the library gives it.
func withoutData(p filter.Program) filter.Program {
	p = slices.Clone(p)
	for i := range p {
		switch a := filter.Action(p[i].K); {
		case p[i].Code != filter.OpRetK:
		case a.Base() == filter.Errno:
			p[i].K = uint32(filter.ErrnoAction(eperm))
		case a.Base() == filter.Trace:
			p[i].K = uint32(filter.Trace)
		}
	}
	return p
}

// Every profile of the corpora means the same as a policy, in the filter that the library makes of it, or the
// writer says what is different. The library itself takes the policy, and makes the same filter.
func TestWriteElasticKeepsMeaning(t *testing.T) {
	dir := shared(t, "corpora/profiles")
	proven, told, seen := 0, 0, 0
	for _, sub := range []string{"moby", "oci", "elastic", "containers-common"} {
		list, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d profiles (%v)", sub, len(list), err)
		}
		for i, path := range list {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Parse(filepath.Base(path), data)
			if err != nil {
				continue // another test's
			}
			for _, host := range []string{"x86_64", []string{"aarch64", "x86", "arm"}[i%3]} {
				if p.Format == Elastic && host != "x86_64" {
					continue // its names are x86_64's
				}
				again, same, said := asPolicy(t, p, host)
				switch {
				case again == nil:
				case said:
					if told++; !same {
						seen++
					}
				default:
					proven++
				}
				if again != nil && host == "x86_64" {
					sameAsElasticHere(t, again)
				}
			}
		}
	}
	t.Logf("%d proven, %d told (%d of them seen)", proven, told, seen)
	if proven < 50 {
		t.Errorf("only %d proven", proven)
	}
}

// sameAsElasticHere is sameAsElastic where the library can be asked.
func sameAsElasticHere(t *testing.T, p *Profile) {
	t.Helper()
	if amd64() {
		sameAsElastic(t, p)
	}
}

// Random conditions on some calls, whose numbers come as values of arguments too, so that the library takes one
// call for another: what that changes is said.
func TestWriteElasticRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	proven, told, seen := 0, 0, 0
	for i := range rounds(300, 5000) {
		var rules []string
		for range 1 + rng.IntN(4) {
			var args []string
			for _, arg := range rng.Perm(3)[:1+rng.IntN(2)] {
				values := []string{"0", "1", "3", "4", "7", "9", "12884901888", "2114060288", "18446744073709551615"}
				ops := []string{"EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ"}
				args = append(args, fmt.Sprintf(`{"index":%d,"op":"SCMP_CMP_%s","value":%s,"valueTwo":%s}`, arg, pick(ops), pick(values), pick(values)))
			}
			rules = append(rules, fmt.Sprintf(`{"names":["%s"],"action":"SCMP_ACT_%s","args":[%s]}`,
				pick([]string{"read", "open", "close", "poll", "mmap"}), pick([]string{"ALLOW", "ALLOW", "ALLOW", "LOG"}), strings.Join(args, ",")))
		}
		p := mustParse(t, fmt.Sprintf(`{"defaultAction":"SCMP_ACT_%s","syscalls":[%s]}`, pick([]string{"ERRNO", "KILL_PROCESS"}), strings.Join(rules, ",")))
		again, same, said := asPolicy(t, p, []string{"x86_64", "arm", "x86"}[i%3])
		switch {
		case again == nil:
		case !said:
			proven++
		case same:
			told++
		default:
			seen++
		}
		if t.Failed() {
			t.Fatalf("%s", rules)
		}
	}
	t.Logf("%d proven, %d told without need, %d told", proven, told, seen)
	if proven < 50 || seen < 20 {
		t.Errorf("%d proven, %d told", proven, seen)
	}
}

// A policy that no filter has room for is refused, not written.
func TestWriteElasticSize(t *testing.T) {
	var rules []string
	for i := range 3000 {
		rules = append(rules, fmt.Sprintf(`{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"op":"SCMP_CMP_EQ","value":%d}]}`, i))
	}
	for n, want := range map[int]bool{500: true, 3000: false} {
		p := mustParse(t, `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[`+strings.Join(rules[:n], ",")+`]}`)
		_, err := p.Write(Elastic, Target{ABI: arch(t, "x86_64")})
		var load *LoadError
		if (err == nil) != want || err != nil && (!errors.As(err, &load) || load.Kind != TooManyRules) {
			t.Errorf("%d rules: %v", n, err)
		}
	}
}

// What a policy cannot say is said, and what it can is not.
func TestWriteElasticLosses(t *testing.T) {
	const head = `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[`
	rule := func(name, action, args string) string {
		return `{"names":["` + name + `"],"action":"SCMP_ACT_` + action + `","args":[` + args + `]}`
	}
	for _, c := range []struct{ text, want string }{
		{head + rule("read", "ALLOW", "") + `]}`, ""},
		{head + rule("read", "NOTIFY", "") + `],"listenerPath":"/run/a"}`, "no NOTIFY"},
		{head + rule("read", "ERRNO", "") + `]}`, ""},
		{strings.Replace(head, `,`, `,"defaultErrnoRet":38,`, 1) + rule("read", "ALLOW", "") + `]}`, "instead of 38"},
		{head + rule("listns", "ALLOW", "") + `]}`, "does not know listns"},
		{head + rule("read", "LOG", `{"index":0,"op":"SCMP_CMP_EQ","value":1}`) + `,` + rule("read", "ALLOW", `{"index":0,"op":"SCMP_CMP_EQ","value":2}`) + `]}`, "two actions"},
		{head + rule("clone", "ALLOW", `{"index":0,"op":"SCMP_CMP_MASKED_EQ","value":2114060288}`) + `,` + rule("personality", "ALLOW", `{"index":0,"op":"SCMP_CMP_EQ","value":8}`) + `]}`, ""},
		{head + rule("clone", "ALLOW", `{"index":0,"op":"SCMP_CMP_EQ","value":1}`) + `,` + rule("personality", "ALLOW", `{"index":1,"op":"SCMP_CMP_EQ","value":8}`) + `]}`, "take a word of them"},
		{head + rule("read", "ALLOW", `{"index":0,"op":"SCMP_CMP_MASKED_EQ","value":15,"valueTwo":5}`) + `]}`, ""},
		{`{}`, ""},
	} {
		p := mustParse(t, c.text)
		out, err := p.Write(Elastic, Target{ABI: arch(t, "x86_64")})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, l := range out.Lost {
			if !l.others && l.Changes {
				lines = append(lines, l.Text)
			}
		}
		if got := strings.Join(lines, "\n"); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
		again, same, said := asPolicy(t, p, "x86_64")
		if !same && !said {
			t.Errorf("%s means something else", c.text)
		}
		sameAsElasticHere(t, again)
	}
	if _, err := mustParse(t, head+`]}`).Write(Elastic, Target{ABI: arch(t, "s390x")}); err == nil || !strings.Contains(err.Error(), "s390x") {
		t.Error(err)
	}
}
