//go:build linux

package profile

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// byLibseccomp asks for filters, one for each block, and returns the results of their rules and the
// programs.
func byLibseccomp(t *testing.T, blocks []string, orders []*syscalls.Arch) (results []string, programs []filter.Program) {
	t.Helper()
	cmd := exec.Command(buildScmp(t))
	cmd.Stdin = strings.NewReader(strings.Join(blocks, ""))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for i := range blocks {
		if !lines.Scan() {
			t.Fatal("too few answers")
		}
		result, code, _ := strings.Cut(lines.Text(), ": ")
		raw, err := hex.DecodeString(code)
		if err != nil {
			t.Fatal(err)
		}
		p, err := filter.Decode(raw, orders[i].Order())
		if err != nil {
			t.Fatal(err)
		}
		results, programs = append(results, result), append(programs, p)
	}
	return results, programs
}

// block writes what was resolved for the C program.
func block(r *Resolved) string {
	var b strings.Builder
	fmt.Fprintf(&b, "filter %x\n", uint32(r.Default))
	for _, a := range r.Arches {
		fmt.Fprintf(&b, "arch %x\n", scmpToken(a))
	}
	if !slices.ContainsFunc(r.Arches, func(a *syscalls.Arch) bool { return a.GOARCH == runtime.GOARCH }) {
		b.WriteString("alone\n")
	}
	for _, rule := range r.Rules {
		fmt.Fprintf(&b, "rule %x %s %d", uint32(rule.Action), rule.Name, len(rule.Conds))
		for _, c := range rule.Conds {
			first, second := c.Value, uint64(0)
			if c.Op == MaskedEqual {
				first, second = c.Mask, c.Value
			}
			fmt.Fprintf(&b, " %d %d %d %d", c.Arg, 1+slices.Index(allOps, c.Op), first, second)
		}
		b.WriteString("\n")
	}
	b.WriteString("end\n")
	return b.String()
}

// leave says why a change between Meant and libseccomp's filter does not count; "" if it does.
func leave(r *Resolved, newer missing, c simulate.Change) (why string) {
	if c.To-c.From > 100 {
		return ""
	}
	for n := c.From; n <= c.To; n++ {
		nr := int32(n)
		switch {
		case slices.ContainsFunc(r.Conflicts, func(x Conflict) bool { return x.Arch.Audit == c.Arch.Audit && x.Nr == nr }):
			why = "conflicting rules"
		case newer[c.Arch][nr]:
			why = "newer than libseccomp"
		default:
			return ""
		}
	}
	return why
}

// Docker's default, as libseccomp makes it here for hosts of both byte orders and widths, is proven
// to be what is meant, but for calls that this libseccomp does not know.
func TestProofLibseccompDockerDefault(t *testing.T) {
	newer := newerThanLibseccomp(t)
	p, err := Open("docker-default")
	if err != nil {
		t.Fatal(err)
	}
	var all []*Resolved
	var blocks []string
	var hosts []*syscalls.Arch
	for _, host := range []string{"x86_64", "x86", "aarch64", "arm", "riscv64", "ppc64le", "mipsel64", "s390x", "s390", "mips64", "ppc"} {
		for _, caps := range [][]string{nil, dockerCaps, capabilities} {
			target := p.DefaultTarget(arch(t, host))
			target.Host, target.Caps = target.ABI, caps
			r, err := p.Resolve(target)
			if err != nil {
				t.Fatal(err)
			}
			r.Stub = nil
			all, blocks, hosts = append(all, r), append(blocks, block(r)), append(hosts, r.Arches[0])
		}
	}
	_, programs := byLibseccomp(t, blocks, hosts)
	left := map[string]int{}
	for i, r := range all {
		if hosts[i].BigEndian {
			unswap(programs[i], r)
		}
		if len(programs[i]) < 300 {
			t.Fatalf("%s: libseccomp's filter has %d instructions", hosts[i], len(programs[i]))
		}
		d := differenceOf(t, r, programs[i], sameOrder(hosts[i]))
		for _, u := range d.Unknown {
			t.Errorf("%s: %v", hosts[i], u)
		}
		for _, c := range d.Changes {
			if why := leave(r, newer, c); why != "" {
				left[why]++
				continue
			}
			t.Errorf("%s: %v", hosts[i], c)
		}
	}
	t.Logf("%d filters proven; left out: %v", len(all), left)
}

// Random rules of EQ and MASKED_EQ, where libseccomp is known to keep to its rules: each of its
// filters is proven. With ordered comparisons it is not always so: there the differences are
// libseccomp's, and only counted.
func TestProofLibseccompRandom(t *testing.T) {
	host := arch(t, runtime.GOARCH)
	arches := slices.DeleteFunc(syscalls.Arches(), func(a *syscalls.Arch) bool { return a.Host != host.Host })
	rnd := rand.New(rand.NewPCG(41, 42))
	var sets []ruleSet
	var blocks []string
	var hosts []*syscalls.Arch
	equal := rounds(400, 8000)
	for i := range equal + 100 {
		ops := []Op{Equal, MaskedEqual}
		if i >= equal {
			ops = allOps
		}
		set := randomSetWith(rnd, arches, i%2 == 0, ops, i >= equal)
		sets, blocks, hosts = append(sets, set), append(blocks, set.scmp), append(hosts, host)
	}
	results, programs := byLibseccomp(t, blocks, hosts)
	proven, refused, ordered, conflicts, against := 0, 0, 0, 0, 0
	for i, set := range sets {
		r, err := mustParse(t, set.json).Resolve(Target{Runtime: RuntimeCrun, ABI: host, Host: host})
		var load *LoadError
		if err != nil && !errors.As(err, &load) {
			t.Fatal(err)
		}
		if theirs := slices.Contains(strings.Fields(results[i]), eexist); theirs != (err != nil) {
			if i < equal {
				t.Errorf("set %d: libseccomp refuses: %v, we: %v\n%s", i, theirs, err, set.json)
			}
			continue
		}
		if err != nil {
			refused++
			continue
		}
		d := differenceOf(t, r, programs[i], sameOrder(host))
		rest := slices.DeleteFunc(d.Changes, func(c simulate.Change) bool { return leave(r, nil, c) != "" })
		conflicts += len(d.Changes) - len(rest)
		switch {
		case i >= equal:
			ordered++
			against += min(1, len(rest))
		case len(rest)+len(d.Unknown) > 0:
			t.Errorf("set %d: %v %v\n%s", i, rest, d.Unknown, set.json)
		default:
			proven++
		}
	}
	t.Logf("%d proven, %d refused by both, %d calls of conflicting rules left out; of %d sets with ordered comparisons libseccomp answers %d otherwise", proven, refused, conflicts, ordered, against)
	if proven < equal/2 || refused < 10 {
		t.Errorf("only %d proven and %d refused", proven, refused)
	}
}
