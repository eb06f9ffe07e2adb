package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
)

var june = time.Date(2026, time.June, 15, 12, 0, 0, 0, time.UTC)

// found is a finding at a place of /repo/sub/p.json.
func found(check string, line, column int, arch, names string) finding.Finding {
	f := finding.Finding{
		Check: check, Severity: finding.Error, Arch: arch, Message: "m", Syscalls: strings.Fields(names),
		Pos: finding.Pos{File: "p.json", Line: line, Column: column},
	}
	if arch != "" {
		f.Arches = []string{arch}
	}
	return f
}

// subject is a profile of a text, which need not be one.
func subject(text string) Subject {
	return Subject{Profile: &profile.Profile{Name: "p.json", Format: "spo"}, Source: []byte(text), Arches: []string{"x86_64", "x86"}}
}

func ignores(t *testing.T, lines ...string) *Config {
	t.Helper()
	return mustParse(t, "version: 1\nignores:\n- {"+strings.Join(lines, "}\n- {")+"}\n")
}

// An ignore suppresses what it names, and nothing else.
func TestIgnoreFits(t *testing.T) {
	bpf := found("PC714", 3, 5, "x86_64", "bpf")
	both := found("PC714", 3, 5, "x86_64", "bpf ptrace")
	wide := found("PC714", 3, 5, "", "bpf")
	wide.Arches = []string{"x86_64", "x86"}
	for _, x := range []struct {
		ignore   string
		suppress string // which of the three above
	}{
		{"check: PC714, reason: r", "bpf both wide"},
		{"check: bpf-open, reason: r", "bpf both wide"},
		{"check: PC701, reason: r", ""},
		{"check: PC714, reason: r, syscall: bpf", "bpf wide"},
		{"check: PC714, reason: r, syscall: [ptrace, bpf]", "bpf both wide"},
		{"check: PC714, reason: r, syscall: ptrace", ""},
		{"check: PC714, reason: r, arch: amd64", "bpf both"},
		{"check: PC714, reason: r, arch: [x86, x86_64]", "bpf both wide"},
		{"check: PC714, reason: r, arch: arm64", ""},
		{"check: PC714, reason: r, path: sub/p.json", "bpf both wide"},
		{"check: PC714, reason: r, path: [x, '*.json']", "bpf both wide"},
		{"check: PC714, reason: r, path: /p.json", ""},
		{"check: PC714, reason: r, expires: 2026-06-15", "bpf both wide"},
		{"check: PC714, reason: r, expires: 2026-06-14", ""},
	} {
		list := NewJudge(ignores(t, x.ignore), june).Apply(subject(""), []finding.Finding{bpf, both, wide})
		var got []string
		for i, name := range []string{"bpf", "both", "wide"} {
			if s := list[i].Suppressed; s != nil {
				got = append(got, name)
				if s.By != finding.ByConfig || s.Reason != "r" || s.Pos.Line != 3 {
					t.Errorf("%s: %+v", x.ignore, s)
				}
			}
		}
		if strings.Join(got, " ") != x.suppress {
			t.Errorf("%s: suppresses %v, want %s", x.ignore, got, x.suppress)
		}
	}
	if bpf.Suppressed != nil {
		t.Error("the caller's finding was changed")
	}
}

// The last day is one of UTC, wherever the clock is.
func TestExpires(t *testing.T) {
	i := &Ignore{Suppression: finding.Suppression{Expires: "2026-06-15"}}
	east, west := time.FixedZone("east", 10*3600), time.FixedZone("west", -10*3600)
	for _, x := range []struct {
		now  time.Time
		want bool
	}{
		{time.Date(2026, 6, 15, 23, 59, 59, 0, time.UTC), false},
		{time.Date(2026, 6, 16, 0, 0, 0, 0, time.UTC), true},
		{time.Date(2026, 6, 16, 9, 0, 0, 0, east), false},
		{time.Date(2026, 6, 15, 14, 0, 0, 0, west), true},
	} {
		if got := i.Expired(x.now); got != x.want {
			t.Errorf("%v: %v", x.now, got)
		}
	}
	if (&Ignore{}).Expired(june) {
		t.Error("without a last day")
	}
}

func TestLevels(t *testing.T) {
	c := mustParse(t, "version: 1\nchecks: {PC714: off, PC701: info, PC801: on}\npaths: [{match: p.json, checks: {PC801: warning}}]\n")
	list := NewJudge(c, june).Apply(subject(""), []finding.Finding{
		found("PC701", 1, 1, "", ""), found("PC714", 1, 1, "", ""), found("PC801", 1, 1, "", ""), found("PC802", 1, 1, "", ""),
	})
	var got []string
	for _, f := range list {
		got = append(got, f.Severity.String()+" "+f.Check)
	}
	if strings.Join(got, ", ") != "error PC802, warning PC801, info PC701" {
		t.Errorf("%v", got)
	}
}

// about lists what is said of ignores, as "CHECK LINE:COLUMN severity message".
func about(j *Judge) string {
	var out []string
	for _, f := range j.Findings() {
		out = append(out, fmt.Sprintf("%s %s:%d:%d %s %s", f.Check, f.Pos.File, f.Pos.Line, f.Pos.Column, f.Severity, f.Message))
	}
	return strings.Join(out, "\n")
}

// What is said of ignores that met nothing depends on whether they could have.
func TestUnused(t *testing.T) {
	for ignore, want := range map[string]string{
		"check: PC714, reason: r":                                    "PC941 c.yaml:3:3 info no finding of PC714 bpf-open was there to ignore in this run",
		"check: PC714, reason: r, path: '*.json'":                    "PC941 c.yaml:3:3 info no finding of PC714 bpf-open was there to ignore in this run",
		"check: PC714, reason: r, path: sub/p.json":                  "PC941 c.yaml:3:3 warning no finding of PC714 bpf-open is there to ignore",
		"check: PC714, reason: r, path: sub/q.json":                  "",
		"check: PC714, reason: r, arch: [arm64, x86]":                "PC941 c.yaml:3:3 info no finding of PC714 bpf-open was there to ignore in this run",
		"check: PC714, reason: r, arch: arm64":                       "",
		"check: PC613, reason: r":                                    "", // a check of programs
		"check: PC701, reason: r":                                    "", // which is used
		"check: PC714, reason: r, expires: 2026-06-01":               "PC940 c.yaml:3:3 warning the ignore of PC714 was to hold until 2026-06-01: r",
		"check: PC613, reason: r, expires: 2026-06-01":               "PC940 c.yaml:3:3 warning the ignore of PC613 was to hold until 2026-06-01: r",
		"check: PC714, reason: r, path: q.json, expires: 2026-06-01": "",
	} {
		j := NewJudge(ignores(t, ignore), june)
		j.Apply(subject(""), []finding.Finding{found("PC701", 1, 1, "", "")})
		if got := about(j); got != want {
			t.Errorf("%s:\n%s\nwant %s", ignore, got, want)
		}
	}
	// With programs it is the other way round.
	j := NewJudge(ignores(t, "check: PC714, reason: r", "check: PC613, reason: r"), june)
	s := subject("")
	s.Program = true
	j.Apply(s, nil)
	if got := about(j); got != "PC941 c.yaml:4:3 info no finding of PC613 used-but-denied was there to ignore in this run" {
		t.Errorf("with a program:\n%s", got)
	}
	// What fits for one target is used, though it does not for another.
	j = NewJudge(ignores(t, "check: PC714, reason: r, path: sub/p.json"), june)
	j.Apply(subject(""), nil)
	j.Apply(subject(""), []finding.Finding{found("PC714", 1, 1, "", "")})
	if got := about(j); got != "" {
		t.Errorf("used the second time:\n%s", got)
	}
	// Of the comments in the parts that were not asked for nothing is known.
	for part, want := range map[bool]string{true: "", false: "PC941 p.json:1:5 warning no finding of PC714 bpf-open is there to ignore"} {
		j = NewJudge(nil, june)
		s := subject("x # profcheck:ignore PC714 r\n")
		s.Part = part
		j.Apply(s, nil)
		if got := about(j); got != want {
			t.Errorf("part %v:\n%s", part, got)
		}
	}
	// The settings hold for what is said of ignores, too.
	c := mustParse(t, "version: 1\nchecks: {PC941: off}\nignores: [{check: PC714, reason: r}]\n")
	j = NewJudge(c, june)
	j.Apply(subject(""), nil)
	if got := about(j); got != "" {
		t.Errorf("off:\n%s", got)
	}
}

// Comments in texts with # are for their line, or from a line of their own for the next one.
func TestLineComments(t *testing.T) {
	const text = `spec:
  # profcheck:ignore PC714 the tracer needs it
  # and so do others
  - bpf
  - ptrace # profcheck:ignore PC712,PC714 expires:2026-06-14 the debugger
  - "a # b" # reviewed; profcheck:ignore ptrace-open in June
  - clone#profcheck:ignore PC714 no comment
  #	profcheck:ignore PC714
  - x # profcheck:ignored PC714 another word
  - y # profcheck:ignore
  - z # profcheck:ignore PC714 one profcheck:ignore PC712 two
  # profcheck:ignore PC714 at the end`
	j := NewJudge(nil, june)
	list := j.Apply(subject(text), []finding.Finding{
		found("PC714", 4, 5, "", ""), found("PC712", 4, 5, "", ""), found("PC714", 2, 5, "", ""),
		found("PC712", 5, 5, "", ""), found("PC712", 6, 1, "", ""), found("PC714", 7, 5, "", ""), found("PC714", 9, 5, "", ""),
		found("PC714", 11, 5, "", ""), found("PC712", 11, 5, "", ""),
	})
	var got []string
	for _, f := range list {
		if f.Suppressed != nil {
			got = append(got, fmt.Sprintf("%s %d %s", f.Check, f.Pos.Line, f.Suppressed.Reason))
		}
	}
	if s := strings.Join(got, "; "); s != "PC712 6 in June; PC712 11 two; PC714 4 the tracer needs it; PC714 11 one" {
		t.Errorf("suppressed: %s", s)
	}
	want := `PC942 p.json:8:5 warning the comment gives no reason to ignore PC714
PC942 p.json:10:9 warning the comment names no check to ignore
PC940 p.json:5:14 warning the ignore of PC712 was to hold until 2026-06-14: the debugger
PC940 p.json:5:14 warning the ignore of PC714 was to hold until 2026-06-14: the debugger
PC941 p.json:12:5 warning no finding of PC714 bpf-open is there to ignore`
	if got := about(j); got != want {
		t.Errorf("about:\n%s\nwant\n%s", got, want)
	}
}

// In a unit of systemd only whole lines are comments, and ; begins one as well.
func TestUnitComments(t *testing.T) {
	const text = "[Service]\r\n; profcheck:ignore PC714 the tracer\r\nSystemCallFilter=bpf\r\nSystemCallFilter=x # profcheck:ignore PC714 no comment\r\n"
	s := subject(text)
	s.Profile.Format = unitFormat
	list := NewJudge(nil, june).Apply(s, []finding.Finding{found("PC714", 3, 18, "", ""), found("PC714", 4, 18, "", "")})
	if list[0].Suppressed == nil || list[0].Suppressed.Reason != "the tracer" || list[1].Suppressed != nil {
		t.Errorf("%+v", list)
	}
}

const ruleText = `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "syscalls": [
    {"names": ["bpf"], "action": "SCMP_ACT_ALLOW",
     "comment": "\"}{ for the tracer. profcheck:ignore PC714 reviewed\nprofcheck:ignore PC701 x"}, {"names": ["bpf"],
     "action": "SCMP_ACT_ALLOW", "comment": "profcheck:ignore PC74 y"}
  ], "flags": []
}`

// In JSON the comment of a rule is for the whole rule, and ends with it.
func TestRuleComments(t *testing.T) {
	p, err := profile.Parse("p.json", []byte(ruleText))
	if err != nil {
		t.Fatal(err)
	}
	j := NewJudge(nil, june)
	list := j.Apply(Subject{Profile: p, Source: []byte(ruleText), Arches: []string{"x86_64"}}, []finding.Finding{
		found("PC714", 3, 15, "", ""), found("PC714", 4, 5, "", ""), found("PC714", 5, 1, "", ""), found("PC714", 5, 97, "", ""),
		found("PC714", 5, 98, "", ""), found("PC714", 5, 100, "", ""), found("PC714", 7, 5, "", ""),
	})
	var got []string
	for _, f := range list {
		if f.Suppressed != nil {
			got = append(got, fmt.Sprintf("%d:%d", f.Pos.Line, f.Pos.Column))
		}
	}
	if s := strings.Join(got, " "); s != "4:5 5:1 5:97" {
		t.Errorf("suppressed: %s; the rule ends at %d", s, strings.Index(strings.Split(ruleText, "\n")[4], "},")+1)
	}
	want := `PC942 p.json:5:100 warning unknown check "PC74"`
	if got := about(j); !strings.Contains(got, want) || !strings.Contains(got, "PC941 p.json:4:5 warning no finding of PC701") {
		t.Errorf("about:\n%s", got)
	}
}

// Many comments and findings cost what reading them costs.
func TestManyComments(t *testing.T) {
	const n = 50_000
	var list []finding.Finding
	for i := range n {
		list = append(list, found("PC714", i+1, 1, "", ""), found("PC714", 1, i+1, "", ""))
	}
	text := strings.Repeat("- # profcheck:ignore PC714 r profcheck:ignore PC701 s\n", n)
	out := NewJudge(nil, june).Apply(subject(text), list)
	for _, f := range out {
		if f.Suppressed == nil {
			t.Fatalf("%+v", f)
		}
	}
	text = "# " + strings.Repeat("profcheck:ignore PC714 r ", n) + "\nx\n"
	if out := NewJudge(nil, june).Apply(subject(text), list[:4]); out[3].Suppressed == nil && out[2].Suppressed == nil {
		t.Errorf("%+v", out)
	}
}

// Every check that this package reports is one of lint's.
func TestOwnChecks(t *testing.T) {
	for _, id := range own() {
		if c, ok := lint.Lookup(id); !ok || c.Run != nil {
			t.Errorf("%s: %+v", id, c)
		}
	}
}
