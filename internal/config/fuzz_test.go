package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

// Whatever the text is, it is read or refused in one line with a place in it.
func FuzzParse(f *testing.F) {
	f.Add(full)
	f.Add(Template)
	f.Add("version: 1\npaths: [{match: a, checks: {PC714: off}}]\n")
	f.Add("version: 1\n<<: &a {a: *a}\n")
	f.Add("\xff\xfev\x00")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || strings.Contains(err.Error(), "\n") || e.Pos.File != "c.yaml" || e.Pos.Line < 0 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		c.For("a.json")
		for _, i := range c.Ignores {
			if i.Reason == "" || i.Check == "" || i.Pos.Line < 1 {
				t.Fatalf("%+v", i)
			}
		}
	})
}

// Comments never suppress without a reason, and only in their own text.
func FuzzComments(f *testing.F) {
	f.Add("a # profcheck:ignore PC714 x\n# profcheck:ignore PC701 expires:2026-01-01 y\nb", 1, 1)
	f.Add(ruleText, 4, 9)
	f.Add("{\"comment\": \"profcheck:ignore PC714 r", 1, 1)
	f.Fuzz(func(t *testing.T, text string, line, column int) {
		list, _ := profile.Read("p.json", []byte(text), profile.ReadOptions{})
		s := subject(text)
		if len(list) > 0 {
			s.Profile = list[0]
			s.Profile.Name = "p.json"
		}
		s.Profile.Rules = append(s.Profile.Rules, profile.Rule{Comment: text, Pos: profile.Pos{File: "p.json", Line: line, Column: 1}})
		j := NewJudge(nil, june)
		at := found("PC714", line, column, "", "")
		other := at
		other.Pos.File = "q.json"
		out := j.Apply(s, []finding.Finding{at, other})
		for _, x := range out {
			if x.Suppressed != nil && (x.Suppressed.Reason == "" || x.Pos.File != "p.json") {
				t.Fatalf("%+v", x.Suppressed)
			}
		}
		j.Findings()
	})
}

// What a baseline holds is there after a round trip.
func FuzzBaseline(f *testing.F) {
	f.Add(string(FormatBaseline([]Known{{printA, "p", "c", "m"}})))
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ParseBaseline("b", []byte(text))
		if err != nil {
			return
		}
		all := func(string) bool { return true }
		first := b.Gone(all)
		again, err := ParseBaseline("b", FormatBaseline(first))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range first {
			if !again.Has(k) {
				t.Fatalf("%+v is lost", k)
			}
		}
	})
}
