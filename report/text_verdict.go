package report

import (
	"fmt"
	"slices"
	"strings"
)

// verdict prints the first line.
func (p *printer) verdict(c *Check) {
	p.lead(severityStyles[c.Verdict], c.Verdict, ": "+c.headline())
}

// headline is the first line behind the word of the verdict.
func (c *Check) headline() string {
	names := c.named(c.Verdict)
	verb := "runs"
	if len(names) > 1 {
		verb = "run"
	}
	arches := []string{c.Target.Arch}
	for _, b := range c.Binaries {
		if !slices.Contains(arches, b.Arch) {
			arches = append(arches, b.Arch)
		}
	}
	where := fmt.Sprintf("under %s (%s, %s)", c.Profile.Name, c.Target.Runtime, strings.Join(arches, " and "))
	var text string
	because := ": "
	switch c.Verdict {
	case VerdictOK:
		text = fmt.Sprintf("%s %s %s", words(names), verb, where)
		if c.Partial {
			text += ", for what was seen"
		}
	case VerdictDenied:
		// Not that it does not run: a scan sees what a program can call, not which of it a run does.
		text = fmt.Sprintf("%s can make calls that are denied %s", words(names), where)
		because = "; " // it is no reason for that
	default:
		text = fmt.Sprintf("whether %s %s %s cannot be told", words(names), verb, where)
	}
	if c.Reason != "" {
		text += because + c.Reason
	}
	for _, verdict := range []string{VerdictDenied, VerdictUnknown, VerdictOK} {
		if others := c.named(verdict); verdict != c.Verdict && len(c.Programs) > 0 && len(others) > 0 {
			text += "; " + verdict + ": " + strings.Join(others, ", ")
		}
	}
	switch n := tally(c.listed(), "error", "warning"); {
	case n == "":
	case c.Verdict == VerdictOK && tally(c.listed(), "error") != "":
		text += "; but the profile has " + n
	default:
		text += "; " + n
	}
	return text
}

// named returns the binaries that got a verdict.
func (c *Check) named(verdict string) []string {
	if len(c.Programs) == 0 {
		return Programs(c.Binaries)
	}
	var out []string
	for _, p := range c.Programs {
		if p.Verdict == verdict {
			out = append(out, p.Name)
		}
	}
	return out
}

// listed returns the findings that count, without the one that the line on unused calls stands for.
func (c *Check) listed() []Finding {
	var out []Finding
	for _, f := range c.Findings {
		if c.spelt(f, false) {
			out = append(out, f)
		}
	}
	return out
}

// spelt reports whether a text has a place for a finding: not for the one that the line on unused calls
// stands for, and for those that are suppressed only in a verbose one.
func (c *Check) spelt(f Finding, verbose bool) bool {
	return (c.Unused == nil || f.Check != c.Unused.Check) && (verbose || f.Suppressed == nil)
}

// tally counts findings of the given severities: "2 errors, 1 warning"; "" if there are none.
func tally(list []Finding, of ...string) string {
	var parts []string
	for _, s := range of {
		n := 0
		for _, f := range list {
			if f.Severity == s {
				n++
			}
		}
		if n > 0 {
			noun := s
			if s == "info" {
				noun = "note"
			}
			parts = append(parts, count(n, noun))
		}
	}
	return strings.Join(parts, ", ")
}
