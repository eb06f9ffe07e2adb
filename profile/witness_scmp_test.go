//go:build linux

package profile

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A made is what libseccomp made of one set of rules.
type made struct {
	results string // of its rules
	program filter.Program
	endless bool // it came to no end
}

// makeFilters asks libseccomp for filters. The program dies of a set that has no end, and is started
// again behind it.
func makeFilters(t *testing.T, scmp string, blocks []string, orders []*syscalls.Arch) (all []made) {
	t.Helper()
	for len(all) < len(blocks) {
		cmd := exec.Command(scmp)
		cmd.Stdin = strings.NewReader(strings.Join(blocks[len(all):], ""))
		out, failed := cmd.Output()
		lines := bufio.NewScanner(bytes.NewReader(out))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			results, code, whole := strings.Cut(lines.Text(), ": ")
			if !whole {
				break
			}
			raw, err := hex.DecodeString(code)
			if err != nil {
				t.Fatal(err)
			}
			p, err := filter.Decode(raw, orders[len(all)].Order())
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, made{results: results, program: p})
		}
		switch {
		case failed != nil && strings.Contains(failed.Error(), "alarm"):
			all = append(all, made{endless: true})
		case failed != nil || len(all) < len(blocks):
			t.Fatalf("scmp: %v after %d of %d answers", failed, len(all), len(blocks))
		}
	}
	return all
}

// rulesOnly resolves a profile up to the rules, also where the target then refuses them.
func rulesOnly(t *testing.T, p *Profile, target Target) *Resolved {
	t.Helper()
	target, err := target.complete()
	if err != nil {
		t.Fatal(err)
	}
	r := &resolver{p: p, listed: map[*syscalls.Arch]bool{}, Resolved: &Resolved{Target: target, Profile: p, BadArch: filter.KillThread}}
	if r.reader, r.maker, err = parseRuntime(target.Runtime); err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{r.errnos, func() error {
		r.Default = r.actionValue(p.DefaultAction, r.defaultErrno)
		return nil
	}, r.arches, func() error { return r.rules(r.choose()) }} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return r.Resolved
}

// einval is what libseccomp returns for an action that it does not take.
const einval = "-22"

var errNotTaken = errors.New("libseccomp does not take an action")

// A departure is how libseccomp's filter differs from the rules.
type departure struct {
	what  string // "endless", "refused", "not refused", "looser", "tighter", "other", "unproven"; "": it does not
	call  string // a call that shows it
	known bool   // Conflicts lists the call, or all calls for what is not about one
	err   error  // why we say that it is not loaded
}

// departures compares libseccomp's filters with what we say.
func departures(t *testing.T, scmp string, profiles []*Profile, target Target, newer missing) []departure {
	t.Helper()
	list := make([]departure, len(profiles))
	resolved := make([]*Resolved, len(profiles))
	var blocks []string
	var orders []*syscalls.Arch
	for i, p := range profiles {
		r, err := p.Resolve(target)
		var load *LoadError
		if err != nil && !errors.As(err, &load) {
			t.Fatal(err)
		}
		list[i].err, resolved[i] = err, r
		if err != nil {
			r = rulesOnly(t, p, target)
		}
		blocks, orders = append(blocks, block(r)), append(orders, target.Host)
	}
	for i, m := range makeFilters(t, scmp, blocks, orders) {
		list[i] = departureOf(t, resolved[i], m, list[i].err, newer)
	}
	return list
}

func departureOf(t *testing.T, r *Resolved, m made, refused error, newer missing) departure {
	t.Helper()
	if slices.Contains(strings.Fields(m.results), einval) && r != nil && r.Target.Maker() == RuntimeKernel {
		return departure{err: errNotTaken} // an errno that the kernel takes, and libseccomp does not
	}
	d := departure{err: refused, known: r != nil && len(r.Conflicts) > 0}
	theirs := slices.Contains(strings.Fields(m.results), eexist)
	switch {
	case m.endless:
		d.what = "endless"
		return d
	case theirs && refused == nil:
		d.what = "refused"
		return d
	case refused != nil:
		if !theirs {
			d.what = "not refused"
		}
		return d
	}
	r.Stub = nil // runc puts it in front
	host := r.Target.Host
	if host.BigEndian {
		unswap(m.program, r)
	}
	diff := differenceOf(t, r, m.program, sameOrder(host))
	for _, u := range diff.Unknown {
		return departure{what: "unproven", call: fmt.Sprint(u)}
	}
	for _, c := range diff.Changes {
		why := leave(r, newer, c)
		name, _ := c.Arch.NameOf(int32(c.From))
		if why == "newer than libseccomp" || r.Target.Maker() == RuntimeKernel && c.From == c.To && (name == "socketcall" || name == "ipc") {
			continue // or the rules as written: only libseccomp's are carried over to the multiplexers
		}
		if why == "" || d.what == "" { // the worst comes last
			d.what, d.call, d.known = c.Direction.String(), fmt.Sprint(c), why != ""
		}
		if why == "" {
			return d
		}
	}
	return d
}

// witnessHosts are a host of each width and byte order that libseccomp writes for, with the ABIs that
// it runs.
var witnessHosts = map[string][]string{
	"x86_64": {"x86_64", "x86", "x32"}, "aarch64": {"aarch64", "arm"}, "s390x": {"s390x", "s390"}, "x86": {"x86"},
}

// Whatever libseccomp makes of random rules is what we say, or the call is among Conflicts: of rules
// with ordered comparisons it makes other things, and with EQ and MASKED_EQ alone it does not.
func TestWitnessRandomRules(t *testing.T) {
	scmp := buildScmp(t)
	calls := []string{"personality", "socket", "openat", "clone", "semop"}
	allow := []string{`"SCMP_ACT_ALLOW"`}
	several := []string{`"SCMP_ACT_ALLOW"`, `"SCMP_ACT_ALLOW"`, `"SCMP_ACT_TRAP"`, `"SCMP_ACT_ERRNO","errnoRet":7`, `"SCMP_ACT_LOG"`}
	for name, m := range map[string]mix{
		"equal":               {ops: []Op{Equal, MaskedEqual}, actions: several, calls: calls, most: 5, args: 3, twice: true, bare: true},
		"ordered, one action": {ops: allOps, actions: allow, calls: calls, most: 4, args: 3, twice: true},
		"ordered, one each":   {ops: allOps, actions: allow, calls: calls, most: 5, args: 1, twice: true},
		"ordered, several":    {ops: allOps, actions: several, calls: calls, most: 4, args: 3, twice: true, bare: true},
	} {
		for hostName, words := range witnessHosts {
			t.Run(name+" "+hostName, func(t *testing.T) {
				host := arch(t, hostName)
				var arches []*syscalls.Arch
				for _, w := range words {
					arches = append(arches, arch(t, w))
				}
				rnd := rand.New(rand.NewPCG(uint64(len(name)), uint64(len(hostName))))
				var profiles []*Profile
				var texts []string
				for range rounds(120, 3000) {
					texts = append(texts, m.random(rnd, arches).text())
					profiles = append(profiles, mustParse(t, texts[len(texts)-1]))
				}
				same, refused, listed := 0, 0, map[string]int{}
				for i, d := range departures(t, scmp, profiles, Target{Runtime: RuntimeRunc, ABI: host, Host: host}, nil) {
					switch {
					case d.what == "" && d.err != nil:
						refused++
					case d.what == "":
						same++
					case d.known && name != "equal" || d.known && d.what != "endless" && d.what != "refused":
						listed[d.what]++
					case d.what == "not refused" && name != "equal":
						listed[d.what]++ // the container starts after all: what it is then is another matter
					default:
						t.Errorf("%s %s (%v): %s", d.what, d.call, d.err, texts[i])
					}
				}
				t.Logf("%d the same, %d refused by both, otherwise and listed: %v", same, refused, listed)
				if same < len(profiles)/3 {
					t.Errorf("only %d of %d the same", same, len(profiles))
				}
			})
		}
	}
}

// Each public profile, for each target that makes its filter with libseccomp and for the rules as
// written, on hosts of both byte orders: libseccomp's filter is proven to be what we say, but for
// calls that this libseccomp does not know.
func TestWitnessPublicProfiles(t *testing.T) {
	scmp, newer := buildScmp(t), newerThanLibseccomp(t)
	dir := shared(t, "corpora/profiles")
	var profiles []*Profile
	for _, sub := range []string{"moby", "oci", "containers-common"} {
		list, err := filepath.Glob(filepath.Join(dir, sub, "*"))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %v", sub, err)
		}
		for _, path := range list {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if p, err := Parse(sub+"/"+filepath.Base(path), data); err == nil && !p.Disabled() { // TestCorpora has the others
				profiles = append(profiles, p)
			}
		}
	}
	proven, refused, skipped := 0, 0, 0
	for _, hostName := range []string{"x86_64", "aarch64", "s390x"} {
		host := arch(t, hostName)
		for _, runtime := range []string{RuntimeDocker, RuntimePodman, RuntimeRunc, RuntimeCrun, RuntimeKernel} {
			target := Target{Runtime: runtime, ABI: host, Host: host, Caps: DockerCaps()}
			var load []*Profile
			for _, p := range profiles {
				r, err := p.Resolve(target)
				var le *LoadError
				switch {
				case errors.As(err, &le) && le.Kind != SameCondition && le.Kind != WiderCondition:
					skipped++ // refused before libseccomp is asked
				case err != nil && le == nil:
					t.Fatal(err)
				case err == nil && r.Disabled, err == nil && r.Arches[0].BigEndian != host.BigEndian:
					skipped++
				default:
					load = append(load, p)
				}
			}
			for i, d := range departures(t, scmp, load, target, newer) {
				switch {
				case d.what != "":
					t.Errorf("%s, %s on %s: %s %s", load[i].Name, runtime, hostName, d.what, d.call)
				case d.err != nil:
					refused++
				default:
					proven++
				}
			}
		}
	}
	t.Logf("%d profiles: %d filters proven, %d refused by both, %d refused before", len(profiles), proven, refused, skipped)
	if len(profiles) < 60 || proven < 600 {
		t.Errorf("only %d filters of %d profiles proven", proven, len(profiles))
	}
}

// Each way in which libseccomp departs from the rules is kept as the least profile that shows it.
// Conflicts lists the call in each, so that nobody is given a sure answer; the twin of each, with
// its first rule alone, is answered as written.
func TestWitnessDepartures(t *testing.T) {
	scmp := buildScmp(t)
	list, err := filepath.Glob(filepath.Join("testdata", "witness", "*.json"))
	if err != nil || len(list) < 8 {
		t.Fatalf("%d cases (%v)", len(list), err)
	}
	var b strings.Builder
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p := mustParse(t, string(data))
		target := Target{Runtime: RuntimeRunc, ABI: arch(t, p.Architectures[0].Text)}
		target.Host = target.ABI
		d := departures(t, scmp, []*Profile{p}, target, nil)[0]
		fmt.Fprintf(&b, "%s: %s %s\n", strings.TrimSuffix(filepath.Base(path), ".json"), d.what, d.call)
		if d.what == "" {
			t.Errorf("%s: libseccomp does what the rules say", path)
		}
		if d.err == nil && !d.known {
			t.Errorf("%s: not among Conflicts", path)
		}
		twin := *p
		twin.Rules = p.Rules[:1]
		if d := departures(t, scmp, []*Profile{&twin}, target, nil)[0]; d.what != "" {
			t.Errorf("%s, with its first rule: %s %s", path, d.what, d.call)
		}
		if r, err := twin.Resolve(target); err != nil || len(r.Conflicts) > 0 {
			t.Errorf("%s, with its first rule: %v", path, err)
		}
	}
	golden(t, filepath.Join("witness", "departures.txt"), b.String())
}

// What libseccomp does otherwise and Conflicts does not list yet: filters whose first rule is for a
// call that the ABI lacks and its multiplexer carries lose rules. Profiles that begin with plain calls,
// as all public ones do, are clear of it.
func TestWitnessUnlisted(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "witness", "unlisted", "absent-call-first.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := mustParse(t, string(data))
	target := Target{Runtime: RuntimeRunc, ABI: arch(t, "x86"), Host: arch(t, "x86")}
	plain := *p
	plain.Rules = append([]Rule{*mustParseRule(t)}, p.Rules...)
	list := departures(t, buildScmp(t), []*Profile{p, &plain}, target, nil)
	if list[0].what != "tighter" || list[0].known {
		t.Errorf("%+v: keep it with the others if it is listed now", list[0])
	}
	if list[1].what != "" {
		t.Errorf("with a plain call in front: %+v", list[1])
	}
	t.Log(list[0].call)
}

// mustParseRule returns a rule for a plain call.
func mustParseRule(t *testing.T) *Rule {
	t.Helper()
	p := mustParse(t, `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["getpid"],"action":"SCMP_ACT_ALLOW"}]}`)
	return &p.Rules[0]
}
