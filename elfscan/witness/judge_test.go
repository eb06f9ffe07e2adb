package witness

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/finding"
)

// scan scans a binary that is known to be a whole Go program.
func scan(t testing.TB, path string) *elfscan.Result {
	t.Helper()
	res, err := elfscan.Scan(path)
	if err != nil {
		t.Fatal(err)
	}
	if res.Kind != "go" {
		t.Fatalf("%s: kind %q, want go", path, res.Kind)
	}
	for _, u := range res.Unresolved {
		t.Errorf("%s: unresolved number at %#x in %s: %s", path, u.Address, u.Function, u.Reason)
	}
	for _, n := range res.Needs {
		if n.Condition != "" && !slices.Contains(allConditions, n.Condition) && !ofLibrary(n) {
			t.Errorf("%s: %s depends on %q, which no pair of programs is for", path, n.Name, n.Condition)
		}
	}
	if !res.Complete() {
		t.Errorf("%s: not complete: %v", path, res.Gaps)
	}
	return res
}

// needs returns the needs by name.
func needs(res *elfscan.Result) map[string]*elfscan.Need {
	byName := map[string]*elfscan.Need{}
	for i := range res.Needs {
		byName[res.Needs[i].Name] = &res.Needs[i]
	}
	return byName
}

// ofLibrary reports whether a call is made by a library or the loader: their conditions are package
// native's.
func ofLibrary(n elfscan.Need) bool {
	for _, s := range n.Sites {
		if k := len(s.Path); k > 0 && s.Path[k-1].Module != "" {
			return true
		}
	}
	return false
}

// missed returns the calls of a trace that the scan does not own up to, each with the reason: it
// lacks them, or makes them depend on a condition that is not among those that held.
func missed(res *elfscan.Result, tr trace, held ...string) []string {
	byName := needs(res)
	var out []string
	for _, name := range tr.names() {
		switch n := byName[name]; {
		case n == nil:
			out = append(out, name)
		case !found(n, held):
			out = append(out, fmt.Sprintf("%s (%s %q)", name, n.Class, n.Condition))
		}
	}
	return out
}

// found reports whether a call that was seen is told by its need.
func found(n *elfscan.Need, held []string) bool {
	switch n.Class {
	case finding.Required, finding.Startup, finding.Child, finding.Runtime, finding.VDSO:
		return true
	case finding.Kernel:
		return n.Name == "rt_sigreturn"
	case finding.Conditional:
		return slices.Contains(held, n.Condition)
	}
	return false
}

// certain returns the names of the needs that are not conditional, in order.
func certain(res *elfscan.Result) []string {
	var names []string
	for i := range res.Needs {
		if n := &res.Needs[i]; n.Class != finding.Conditional {
			names = append(names, n.Name)
		}
	}
	sort.Strings(names)
	return names
}

// classes renders how many needs each class has: "required 30, startup 3".
func classes(res *elfscan.Result) string {
	count := map[finding.Class]int{}
	for i := range res.Needs {
		count[res.Needs[i].Class]++
	}
	var parts []string
	for _, c := range []finding.Class{finding.Required, finding.Startup, finding.Child, finding.Runtime,
		finding.Kernel, finding.VDSO, finding.Conditional} {
		if count[c] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", c, count[c]))
		}
	}
	return strings.Join(parts, ", ")
}

// TestMissedSeesDefects is the negative twin of all that ask missed: a scan that lacks a call, or
// hides it behind a condition that did not hold, must not pass.
func TestMissedSeesDefects(t *testing.T) {
	res := &elfscan.Result{Needs: []elfscan.Need{
		{Nr: 0, Name: "read", Class: finding.Required},
		{Nr: 15, Name: "rt_sigreturn", Class: finding.Kernel},
		{Nr: 222, Name: "timer_create", Class: finding.Conditional, Condition: "a profiler"},
		{Nr: 228, Name: "clock_gettime", Class: finding.VDSO},
	}}
	tr := trace{"read": 1, "timer_create": 1, "write": 2, "clock_gettime": 1, "rt_sigreturn": 3}
	if got, want := strings.Join(missed(res, tr), "; "), `timer_create (conditional "a profiler"); write`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := strings.Join(missed(res, tr, "a profiler"), "; "); got != "write" {
		t.Errorf("with the condition: got %s, want write", got)
	}
	if got := strings.Join(certain(res), " "); got != "clock_gettime read rt_sigreturn" {
		t.Errorf("certain: %s", got)
	}
}
