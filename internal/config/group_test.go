package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

// grouped judges a finding at the place that the first container of a manifest gives for it. It returns
// where the finding is then, whether it is suppressed, and what is said about the ignores.
func grouped(t *testing.T, text, check string, at func(*profile.Container) profile.Pos) (line int, suppressed bool, said []string) {
	t.Helper()
	list, err := profile.Read("p.json", []byte(text), profile.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	group := profile.Group(list)
	if len(group) != 1 || len(group[0].Container.Same) != len(list)-1 {
		t.Fatalf("%d containers are not one group: %d", len(list), len(group))
	}
	j := NewJudge(nil, june)
	f := found(check, 0, 0, "", "")
	f.Pos = place(at(group[0].Container))
	out := j.Apply(Subject{Profile: group[0], Source: []byte(text), Arches: []string{"x86_64"}}, []finding.Finding{f})
	for _, x := range j.Findings() {
		said = append(said, fmt.Sprintf("%s:%d", x.Check, x.Pos.Line))
	}
	return out[0].Pos.Line, out[0].Suppressed != nil, said
}

// An ignore speaks for its own container: a finding about several is ignored where all of them say so.
func TestGroup(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
	container := func(c *profile.Container) profile.Pos { return c.Pos }
	rules := func(c *profile.Container) profile.Pos { return c.Seccomp.Pos }
	const off, own = "  - name: %s", "  - {name: %s, securityContext: {seccompProfile: {type: RuntimeDefault}}}"
	const ok, old, other = " # profcheck:ignore PC901 r", " # profcheck:ignore PC901 expires:2026-06-14 r", " # profcheck:ignore PC902 r"
	for _, x := range []struct {
		form       string
		at         func(*profile.Container) profile.Pos
		comments   []string
		line       int
		suppressed bool
		said       string
	}{
		{off, container, []string{ok}, 6, true, ""},
		{off, container, []string{"", ""}, 6, false, ""},
		{off, container, []string{ok, ""}, 7, false, ""},
		{off, container, []string{"", ok}, 6, false, ""},
		{off, container, []string{ok, ok}, 6, true, ""},
		{off, container, []string{ok, old}, 7, false, "PC940:7"},
		{off, container, []string{old, ok}, 6, false, "PC940:6"},
		{off, container, []string{ok, other}, 7, false, "PC941:7"},
		{off, container, []string{ok, ok, ""}, 8, false, ""},
		{off, container, []string{ok, ok, ok}, 6, true, ""},
		{own, rules, []string{ok, ""}, 7, false, ""},
		{own, rules, []string{ok, ok}, 6, true, ""},
	} {
		text := pod
		for i, comment := range x.comments {
			text += fmt.Sprintf(x.form, string(rune('a'+i))) + comment + "\n"
		}
		line, suppressed, said := grouped(t, text, "PC901", x.at)
		if line != x.line || suppressed != x.suppressed || strings.Join(said, " ") != x.said {
			t.Errorf("%s\nline %d, suppressed %v, %v; want line %d, %v, %s", text, line, suppressed, said, x.line, x.suppressed, x.said)
		}
	}
	// The field of a pod is one place for all of its containers.
	const shared = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  securityContext:\n    seccompProfile: {type: RuntimeDefault}%s\n  containers:\n  - name: a\n  - name: b\n"
	for comment, want := range map[string]bool{ok: true, old: false, "": false} {
		if _, got, _ := grouped(t, fmt.Sprintf(shared, comment), "PC901", rules); got != want {
			t.Errorf("at the pod with %q: %v", comment, got)
		}
	}
}

// An ignore in the file of settings that names one container of a group does not speak for the others.
func TestGroupPaths(t *testing.T) {
	const text = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n  - name: b\n"
	for path, want := range map[string]bool{
		"sub/p.json": true, "'sub/*.json'": true, "'sub/p.json#Pod/p container a'": false, "'sub/p.json#Pod/p container b'": false,
		"'sub/p.json#Pod/p container *'": true, "['sub/p.json#Pod/p container a', 'sub/p.json#Pod/p container b']": true,
	} {
		list, err := profile.Read("p.json", []byte(text), profile.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		group := profile.Group(list)
		j := NewJudge(ignores(t, "check: PC901, reason: r, path: "+path), june)
		out := j.Apply(Subject{Profile: group[0], Source: []byte(text)}, []finding.Finding{found("PC901", 6, 5, "", "")})
		if got := out[0].Suppressed != nil; len(group) != 1 || got != want {
			t.Errorf("%s: suppressed %v in %d groups", path, got, len(group))
		}
	}
}

// What stands in a scalar is no comment; the same text behind or below it is one.
func TestScalarsAreNoComments(t *testing.T) {
	const ignore = "# profcheck:ignore PC714 r"
	for _, x := range []struct {
		text  string
		lines string // of which findings are suppressed
	}{
		{"a: \"i " + ignore + "\"\n", "[]"},
		{"a: \"i\" " + ignore + "\n", "[1]"},
		{"a: 'i '' " + ignore + "'\n", "[]"},
		{"a: 'i ''' " + ignore + "\n", "[1]"},
		{"a: \"i \\\" " + ignore + "\"\n", "[]"},
		{"a: \"i \\\\\" " + ignore + "\n", "[1]"},
		{"a: &x !!str \"i " + ignore + "\"\n", "[]"},
		{"a: &x !!str # \" no\n  \"i " + ignore + "\" # x\n", "[]"},
		{"a: &x !!str \"i\" " + ignore + "\n", "[1]"},
		{"\"k " + ignore + "\": v\n", "[]"},
		{"\"k\": [v, \"é '\", 'w'] " + ignore + "\n", "[1]"},
		{"a: \"two\n  " + ignore + "\n  lines\"\n", "[]"},
		{"a: \"two\n  lines\"\n" + ignore + "\nb: c\n", "[4]"},
		{"a: \"i " + ignore + "\" # profcheck:ignore PC701 s\n", "[]"},
		{"a: \"i # profcheck:ignore PC701 s\" " + ignore + "\n", "[1]"},
		{"args:\n- |\n  " + ignore + "\n- b\n", "[]"},
		{"args:\n- | " + ignore + "\n  text\n- b\n", "[2]"},
		{"args:\n- |\n  text\n" + ignore + "\n- b\n", "[5]"},
		{"args:\n- |\n\n  text\n\n  " + ignore + "\n- b\n", "[]"},
		{"args:\n- >-\n  text " + ignore + "\n- b\n", "[]"},
		{"args:\n- |2\n    text\n  " + ignore + "\n- b\n", "[]"},
		{"args: |+1\n " + ignore + "\nb: c\n", "[]"},
		{"args: |\n" + ignore + "\nb: c\n", "[3]"},
		{"args: |\r\n  x\r\n  " + ignore + "\r\nb: c " + ignore + "\r\n", "[4]"},
		{"a: |\n  x " + ignore + "\n---\nb: |\n  y " + ignore + "\n---\nc: d " + ignore + "\n", "[7]"},
		{"\ufeffa: \"x " + ignore + "\"\n", "[]"},
		{"\ufeffa: \"x\" " + ignore + "\n", "[1]"},
		{"a: plain#no " + ignore + "\n", "[1]"},
		{"a: b " + ignore + "\nc: [\n", "[]"}, // no YAML
		{"a: b " + ignore + "\nc: []\n", "[1]"},
		{"{\"a\": 1 " + ignore + "\n}\n", "[]"}, // JSON
	} {
		var list []finding.Finding
		for line := range strings.Count(x.text, "\n") {
			list = append(list, found("PC714", line+1, 1, "", ""))
		}
		var got []int
		for _, f := range NewJudge(nil, june).Apply(subject(x.text), list) {
			if f.Suppressed != nil {
				got = append(got, f.Pos.Line)
			}
		}
		slices.Sort(got)
		if fmt.Sprint(got) != x.lines {
			t.Errorf("%q: suppressed %v, want %s", x.text, got, x.lines)
		}
	}
}
