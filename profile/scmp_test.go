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
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// buildScmp compiles the program that asks libseccomp.
func buildScmp(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "scmp")
	msg, err := exec.Command("gcc", "-o", out, filepath.Join("testdata", "scmp.c"), "-lseccomp").CombinedOutput()
	if err != nil {
		absent(t, "no C compiler or no libseccomp: %v %s", err, msg)
	}
	return out
}

// A ruleSet is one filter to ask for, in both languages.
type ruleSet struct {
	json string // the profile
	scmp string // the block for the C program
}

// allOps lists the comparisons in the order of enum scmp_compare, which counts from 1.
var allOps = []Op{NotEqual, Less, LessEqual, Equal, GreaterEqual, Greater, MaskedEqual}

// scmpToken is libseccomp's token for an ABI: the kernel's, but for x32.
func scmpToken(a *syscalls.Arch) uint32 {
	if a.Name == "x32" {
		return 0x4000003e
	}
	return a.Audit
}

// randomSet writes rules on few calls with few values, so that they meet often: equal conditions,
// conditions that contain one another, rules without conditions before and after. Only EQ and
// MASKED_EQ are used: of ordered comparisons libseccomp does not always keep the meaning.
func randomSet(rnd *rand.Rand, arches []*syscalls.Arch, conditional bool) ruleSet {
	return randomSetWith(rnd, arches, conditional, []Op{Equal, MaskedEqual}, false)
}

// randomSetWith is randomSet with other comparisons, and, if dense, many of them and one action.
func randomSetWith(rnd *rand.Rand, arches []*syscalls.Arch, conditional bool, ops []Op, dense bool) ruleSet {
	var text, scmp strings.Builder
	text.WriteString(`{"defaultAction":"SCMP_ACT_ERRNO","architectures":[`)
	fmt.Fprintf(&scmp, "filter %x\n", uint32(filter.ErrnoAction(eperm)))
	for i, a := range arches {
		fmt.Fprintf(&text, "%.*s%q", min(i, 1), ",", a.OCI)
		if a.GOARCH != runtime.GOARCH {
			fmt.Fprintf(&scmp, "arch %x\n", scmpToken(a))
		}
	}
	text.WriteString(`],"syscalls":[{"names":["exit_group","getpid","close"],"action":"SCMP_ACT_ALLOW"}`)
	for _, name := range []string{"exit_group", "getpid", "close"} {
		fmt.Fprintf(&scmp, "rule %x %s 0\n", uint32(filter.Allow), name)
	}
	calls := []string{"openat", "socket", "connect", "accept", "send", "socketcall", "ipc", "semop", "shmat", "clone", "write", "nosuch"}
	first := rnd.IntN(len(calls))
	for range 1 + rnd.IntN(6) {
		name := calls[(first+rnd.IntN(3))%len(calls)]
		action := pick(rnd, []ActionName{"SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_TRAP", "SCMP_ACT_KILL_PROCESS"})
		if dense {
			action = "SCMP_ACT_ALLOW"
		}
		var conds, cConds []string
		for index := range 3 {
			if (rnd.IntN(3) != 0) != dense || name == "socketcall" || name == "ipc" {
				continue
			}
			value := pick(rnd, []uint64{1, 2, 3, 9, 0x100000001, 0xffffffff})
			if op := pick(rnd, ops); op != MaskedEqual {
				conds = append(conds, fmt.Sprintf(`{"index":%d,"op":%q,"value":%d}`, index, op, value))
				cConds = append(cConds, fmt.Sprintf("%d %d %d 0", index, 1+slices.Index(allOps, op), value))
				continue
			}
			mask := pick(rnd, []uint64{3, 1, 0xffffffff, 0xffffffff00000000, ^uint64(0), 0x7e020000})
			conds = append(conds, fmt.Sprintf(`{"index":%d,"op":"SCMP_CMP_MASKED_EQ","value":%d,"valueTwo":%d}`, index, mask, value))
			cConds = append(cConds, fmt.Sprintf("%d 7 %d %d", index, mask, value))
		}
		if conditional && len(conds) == 0 && name != "socketcall" && name != "ipc" {
			conds, cConds = []string{`{"index":5,"op":"SCMP_CMP_EQ","value":4}`}, []string{"5 4 4 0"}
		}
		fmt.Fprintf(&text, `,{"names":[%q],"action":%q,"args":[%s]}`, name, action, strings.Join(conds, ","))
		fmt.Fprintf(&scmp, "rule %x %s %d %s\n", uint32(action.Value(nil)), name, len(conds), strings.Join(cConds, " "))
	}
	text.WriteString("]}")
	scmp.WriteString("end\n")
	return ruleSet{text.String(), scmp.String()}
}

// A missing tells which calls of which ABIs the libseccomp at hand does not know yet.
type missing map[*syscalls.Arch]map[int32]bool

func newerThanLibseccomp(t *testing.T) missing {
	t.Helper()
	var input bytes.Buffer
	for _, a := range syscalls.Arches() {
		for _, s := range a.Syscalls() {
			fmt.Fprintf(&input, "number %x %s\n", scmpToken(a), s.Name)
		}
	}
	cmd := exec.Command(buildScmp(t))
	cmd.Stdin = &input
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(out))
	unknown, all, count := missing{}, len(lines), 0
	for _, a := range syscalls.Arches() {
		unknown[a] = map[int32]bool{}
		for _, s := range a.Syscalls() {
			if strings.HasPrefix(lines[0], "-") {
				unknown[a][s.Nr] = true
				count++
			}
			lines = lines[1:]
		}
	}
	if count > all/2 {
		t.Fatalf("libseccomp does not know %d of %d calls", count, all)
	}
	return unknown
}

// without leaves out what differs on calls that libseccomp does not know, and counts it.
func (m missing) without(list []difference) (rest []difference, left int) {
	rest = slices.DeleteFunc(slices.Clone(list), func(d difference) bool { return m[d.arch][d.nr] })
	return rest, len(list) - len(rest)
}

// eexist is what libseccomp returns for the same condition with another action.
const eexist = "-17"

// libseccomp answers the sets of rules as Meaning does, and refuses those that Resolve refuses. (Of
// 16,000 such sets 2.5.4 answered one differently, against its rules; it is not among these.) The
// plain calls in front of each set keep clear of another fault of libseccomp, which concerns
// filters whose first call is one that the ABI lacks.
func TestMeaningIsLibseccomps(t *testing.T) {
	program := buildScmp(t)
	host := arch(t, runtime.GOARCH)
	arches := slices.DeleteFunc(syscalls.Arches(), func(a *syscalls.Arch) bool { return a.Host != host.Host || a.BigEndian != host.BigEndian })
	arches = slices.DeleteFunc(arches, func(a *syscalls.Arch) bool { return contains(notInRunc, a.Name) })
	rnd := rand.New(rand.NewPCG(7, 8))
	var sets []ruleSet
	var input bytes.Buffer
	for i := range 400 {
		set := randomSet(rnd, arches, i%2 == 0)
		sets = append(sets, set)
		input.WriteString(set.scmp)
	}
	cmd := exec.Command(program)
	cmd.Stdin = &input
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(bytes.NewReader(out))
	answers.Buffer(nil, 1<<20)
	compared, refused, conflicts, mixed := 0, 0, 0, 0
	last := ""
	for i, set := range sets {
		if !answers.Scan() {
			t.Fatal("too few answers")
		}
		results, code, _ := strings.Cut(answers.Text(), ": ")
		r, err := mustParse(t, set.json).Resolve(Target{Runtime: RuntimeRunc, ABI: host, Host: host})
		var load *LoadError
		theirs, ours := slices.Contains(strings.Fields(results), eexist), errors.As(err, &load) && (load.Kind == SameCondition || load.Kind == WiderCondition)
		if theirs != ours {
			t.Errorf("set %d: libseccomp refuses: %v (%s), we: %v (%v)\n%s%s", i, theirs, results, ours, err, set.json, set.scmp)
			continue
		}
		if ours {
			refused++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		compared++
		r.Stub = nil
		conflicts += len(r.Conflicts)
		if last != "" && compared < 40 { // the twin: the filter of another set
			mixed += len(differ(t, r, last, host))
		}
		last = code
		for _, d := range differ(t, r, code, host) {
			name, _ := d.arch.NameOf(d.nr)
			t.Errorf("set %d: %s %s %#x: %v, libseccomp %v\n%s\n%s", i, d.arch, name, d.args, d.got, d.want, set.json, set.scmp)
		}
	}
	if mixed == 0 {
		t.Error("the filter of one set passed for every other set")
	}
	t.Logf("%d compared, %d refused by both, %d conflicts", compared, refused, conflicts)
	if compared < 200 || refused < 10 {
		t.Errorf("only %d compared and %d refused", compared, refused)
	}
}

// differ compares a program of libseccomp's with Meaning, leaving out the calls whose rules
// conflict.
func differ(t *testing.T, r *Resolved, code string, host *syscalls.Arch) []difference {
	t.Helper()
	raw, err := hex.DecodeString(code)
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Decode(raw, host.Order())
	if err != nil {
		t.Fatal(err)
	}
	abis := append(slices.Clone(r.Arches), arch(t, "riscv64")) // and one that the filter leaves out
	list, _ := compare(r, p, abis, 8)
	return slices.DeleteFunc(list, func(d difference) bool {
		return slices.ContainsFunc(r.Conflicts, func(c Conflict) bool { return c.Arch.Audit == d.arch.Audit && c.Nr == d.nr })
	})
}
