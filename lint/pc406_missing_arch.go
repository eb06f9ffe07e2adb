package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

var _ = register(&Check{
	ID: "PC406", Name: "native-arch-missing", Severity: finding.Error,
	Title: "the profile does not cover the program's architecture",
	Why: "A filter answers every call of an ABI that it does not list with the bad-arch action, which is KILL_THREAD under " +
		"libseccomp. A 32-bit program under a profile for the 64-bit ABI alone dies at its first call.",
	When: "An error for a program of an architecture that the filter does not know. A warning if an architecture was asked " +
		"for without a program.",
	Wrong:  "Where that program never runs under this profile.",
	Remedy: "Add the architecture, and its 32-bit ABIs where needed.",
	Sources: []string{
		"https://man7.org/linux/man-pages/man3/seccomp_arch_add.3.html, on SCMP_FLTATR_ACT_BADARCH",
		"https://github.com/moby/profiles/blob/main/seccomp/default.json archMap",
	},
	Run: func(p *Pass) {
		for _, abi := range p.ABIs {
			if abi.Covered || !abi.Enforced() || opens(abi.badArch()) {
				continue
			}
			var programs []string
			for _, u := range p.Input.Usage {
				if u.Arch == abi.Arch {
					programs = append(programs, u.Program)
				}
			}
			f := finding.Finding{
				Severity: finding.Warning, Arch: abi.Name,
				Message: fmt.Sprintf("the profile does not cover %s: every call gets %s", abi.Name, answered(abi.badArch())),
				Remedy:  "add " + abi.OCI + " to the architectures",
				Pos:     p.whole(),
			}
			if len(programs) > 0 {
				f.Severity = finding.Error
				f.Message = fmt.Sprintf("the profile does not cover %s, the architecture of %s: every call gets %s",
					abi.Name, list(programs, 3), answered(abi.badArch()))
			}
			p.Report(f)
		}
	},
})
