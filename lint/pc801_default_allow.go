package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
)

var _ = register(&Check{
	ID: "PC801", Name: "default-allow", Severity: finding.Warning,
	Title: "calls that no rule names are open",
	Why: "A denylist holds what its author knew. Every kernel adds calls, and each is open under it from the first day: clone3, " +
		"the newer mount calls and io_uring all came past lists of that kind.",
	When: "A warning, for ALLOW and for LOG as what unnamed calls get.",
	Wrong: "A filter on top of an allowlist, or one that only closes a single call for a while. A profile that logs while it " +
		"is tried out.",
	Remedy: "Deny by default and list what is allowed.",
	Sources: []string{
		"https://github.com/flatpak/flatpak/pull/4456",
		"https://docs.docker.com/engine/security/seccomp/",
	},
	Run: func(p *Pass) {
		for _, abi := range p.ABIs {
			if !abi.Enforced() {
				continue
			}
			action := abi.run(abi.unnamed(), [6]uint64{})
			if !runs(action) {
				continue
			}
			f := finding.Finding{
				Severity: finding.Warning, Arch: abi.Name,
				Message: "calls that no rule names run, and with them every call that a newer kernel adds",
				Remedy:  "deny by default and list what is allowed",
				Pos:     place(p.Input.Profile.DefaultActionPos),
				Witness: &finding.Witness{Arch: abi.Name, Nr: abi.unnamed()},
			}
			if action.Base() == filter.Log {
				f.Message = fmt.Sprintf("calls that no rule names run and are only logged (%s)", action)
			}
			p.Report(f)
		}
	},
})

// unnamed returns a number that no kernel of the table uses, near those that the next ones will.
func (a *ABI) unnamed() int32 {
	last := a.Syscalls()[len(a.Syscalls())-1].Nr
	for nr := a.Base + 700; ; nr++ {
		if _, used := a.NameOf(nr); !used || nr > last {
			return nr
		}
	}
}
