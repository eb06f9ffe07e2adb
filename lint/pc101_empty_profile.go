package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC101", Name: "empty-profile", Severity: finding.Error,
	Title: "the profile turns seccomp off",
	Why: "A profile without a default action and without rules, such as {}, is not an empty list of allowed calls: " +
		"Docker and runc load no filter for it, and say nothing. The container then runs with every system call open.",
	When:   "Always an error.",
	Wrong:  "Nowhere known. Who wants no filter says so with seccomp=unconfined.",
	Remedy: "Give a default action, SCMP_ACT_ERRNO for an allowlist.",
	Sources: []string{
		"https://github.com/moby/profiles/tree/main/seccomp setupSeccomp: a profile without default action and rules gives no filter",
		"https://github.com/opencontainers/runc/blob/main/libcontainer/specconv/spec_linux.go SetupSeccomp",
	},
	Run: func(p *Pass) {
		if p.Input.Profile.Container != nil { // a container without a profile is not one with an empty profile
			return
		}
		remedy := "give a default action, such as SCMP_ACT_ERRNO"
		if p.Input.Profile.Format == profile.Systemd {
			remedy = "give a list of calls with SystemCallFilter="
		}
		for _, h := range p.Hosts {
			if h.Resolved.Disabled {
				p.Report(finding.Finding{
					Severity: finding.Error,
					Message:  "the profile " + p.Input.Profile.DisabledReason(),
					Remedy:   remedy,
					Pos:      place(p.Input.Profile.Pos),
				})
				return
			}
		}
	},
})
