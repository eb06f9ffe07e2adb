package lint

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

// container returns the container of a manifest that the profile is for; nil if it is for none.
func (p *Pass) container() *profile.Container { return p.Input.Profile.Container }

// reportContainer reports a finding about the manifest, which is the same on every ABI.
func (p *Pass) reportContainer(severity finding.Severity, pos profile.Pos, remedy, format string, args ...any) {
	p.Report(finding.Finding{Severity: severity, Pos: place(pos), Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// who names the containers that a finding is about, as the subject of a sentence.
func who(c *profile.Container) string {
	if len(c.Also) == 0 {
		return "the " + c.Name + " of " + c.Resource
	}
	const most = 3
	names := []string{c.FullName()}
	names = append(names, c.Also[:min(most-1, len(c.Also))]...)
	text := strings.Join(names, ", ")
	if more := len(c.Also) + 1 - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// verbHas is "has" or "have", as who needs it.
func verbHas(c *profile.Container) string {
	if len(c.Also) == 0 {
		return "has"
	}
	return "have"
}

// verbRuns is "runs" or "run", as who needs it.
func verbRuns(c *profile.Container) string {
	if len(c.Also) == 0 {
		return "runs"
	}
	return "run"
}

// seccompPos is where the manifest gives a container's profile, or the container.
func seccompPos(c *profile.Container) profile.Pos {
	if c.Seccomp != nil {
		return c.Seccomp.Pos
	}
	return c.Pos
}
