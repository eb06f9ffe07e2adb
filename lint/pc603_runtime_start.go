package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC603", Name: "missing-runtime-start", Severity: finding.Error,
	Title: "the container runtime cannot start anything under the profile",
	Why: "runc loads the filter before it starts the program, so the calls that it makes in between, execve among them, " +
		"must be allowed, too. A profile made from the program's own calls lacks them, and the container does not start.",
	When: "An error for the targets docker and runc where a call is denied without which no container starts; which calls " +
		"these are depends on the release of runc, the newest if none is given, and on noNewPrivileges. A warning where only some starts fail: the call " +
		"depends on timing, or the answer on arguments or a listener. Nothing where the runtime goes on after the error, " +
		"unless what it calls instead is denied, too; nor for target kernel.",
	Wrong:  "The calls were measured on x86_64; a release that was not measured may do without some of them.",
	Remedy: "Allow the calls. Most of them are calls that every program makes.",
	Sources: []string{
		"https://github.com/opencontainers/runc/blob/main/libcontainer/standard_init_linux.go",
		"https://github.com/opencontainers/runc/issues/2097",
		"https://github.com/kubernetes-sigs/security-profiles-operator/pull/3041",
	},
	Run: func(p *Pass) {
		for _, h := range p.Hosts {
			p.runtimeStart(h, finding.Error, "denied", "so %s starts no container")
			p.runtimeStart(h, finding.Warning, "not always allowed", "so %s may fail to start a container")
		}
	},
})

// runtimeStart reports, as one finding, the calls of a runtime's start whose answer is of a severity.
func (p *Pass) runtimeStart(h *Host, severity finding.Severity, how, so string) {
	var names []string
	why := ""
	var since []string // releases that make one of the calls
	for _, c := range p.calls {
		d := c.worst(true)
		if c.abi != h.Native || d == nil {
			continue
		}
		if d.err != nil {
			p.note(c.abi, c.name)
			continue
		}
		s, bad := d.severity(c.name)
		if !bad || s != severity || c.said(s) {
			continue
		}
		if names == nil || slices.Compare(d.start.Since, since) < 0 {
			since = d.start.Since // none is less than some, and 1.2.0 less than 1.2.8
		}
		names = append(names, c.name)
		why = d.condition
	}
	if names == nil {
		return
	}
	byDanger(names)
	message := fmt.Sprintf("%s %s %s, %s", list(names, 5), are(len(names)), how, fmt.Sprintf(so, h.named(since)))
	if len(names) == 1 {
		message += " (" + why + ")"
	}
	remedy := "allow " + list(names, 8)
	if h.onlyEarly(names) {
		remedy += ", or run the container with no-new-privileges, where the filter is loaded later"
	}
	p.Report(finding.Finding{
		Severity: severity, Arch: h.Native.Name, Syscalls: names, Message: message, Remedy: remedy, Pos: p.whole(),
	})
}

// named names the runtime, and releases of runc if not all of them are meant.
func (h *Host) named(since []string) string {
	name := h.Target.Runtime
	if len(since) == 0 {
		return name
	}
	if name != profile.RuntimeRunc {
		name += " with runc"
	}
	return name + " " + strings.Join(since, ", ") + " and later"
}

// onlyEarly reports whether the runtime could do without the calls if it loaded the filter last.
func (h *Host) onlyEarly(names []string) bool {
	late := h.Target
	late.NoNewPrivs = true
	return !h.Target.NoNewPrivs && !slices.ContainsFunc(profile.StartCalls(late), func(c profile.StartCall) bool {
		return (c.Need == profile.StartRequired || c.Fallback != nil) && slices.Contains(names, c.Name)
	})
}

// said reports whether a finding on a program (PC613, PC614) says at least as much about the call.
func (c *call) said(severity finding.Severity) bool {
	d := c.worst(false)
	if d == nil {
		return false
	}
	s, bad := d.severity(c.name)
	return bad && s >= severity
}
