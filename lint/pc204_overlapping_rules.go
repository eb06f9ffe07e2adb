package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC204", Name: "overlapping-rules", Severity: finding.Warning,
	Title: "two rules with different actions match the same call",
	Why: "Nothing says which of two rules counts where the arguments fulfil the conditions of both. libseccomp decides by the order " +
		"in which its tree compares, which depends on the operators and on the place of the arguments, not on the order in the " +
		"file, and may differ between releases. Other runtimes decide otherwise.",
	When: "Always a warning, with a call that both rules match.",
	Wrong: "Where one of the two answers is as good as the other, such as two errnos. profcheck itself takes the first rule in the " +
		"file, and no proof of equality rests on that.",
	Remedy: "Add the opposite of one rule's condition to the other, or leave out one of them.",
	Sources: []string{
		"https://github.com/seccomp/libseccomp/blob/main/src/db.c _db_tree_add",
		"https://github.com/opencontainers/runtime-spec/pull/1159",
	},
	Run: func(p *Pass) {
		p.conflicts(profile.ConflictOverlap, finding.Warning, "make their conditions exclude each other")
	},
})

// conflicts reports the calls of the judged ABIs of which nobody can tell the answer, for one reason,
// and of each the first pair of rules: there can be a million.
func (p *Pass) conflicts(kind profile.ConflictKind, severity finding.Severity, remedy string) {
	for _, abi := range p.ABIs {
		pairs := make(map[string]int)
		for _, c := range abi.Host.Resolved.Conflicts {
			if c.Kind == kind && c.Arch == abi.Arch {
				pairs[c.Name]++
			}
		}
		for _, c := range abi.Host.Resolved.Conflicts {
			if n := pairs[c.Name]; n > 0 && c.Kind == kind && c.Arch == abi.Arch {
				p.conflict(abi, c, n, severity, remedy)
				delete(pairs, c.Name)
			}
		}
	}
}

// conflict reports one call, with the number of pairs of rules that it is about.
func (p *Pass) conflict(abi *ABI, c profile.Conflict, pairs int, severity finding.Severity, remedy string) {
	f := finding.Finding{
		Severity: severity, Arch: abi.Name, Syscalls: []string{c.Name}, Remedy: remedy, Pos: p.whole(),
		Message: fmt.Sprintf("%s: %s", c.Name, c.Why()),
	}
	if c.Second != nil { // else there are too many pairs of rules to look at
		f.Witness = &finding.Witness{Arch: abi.Name, Syscall: c.Name, Nr: c.Nr, Args: c.Args}
		f.Message += fmt.Sprintf(" (%s, and %s in line %d)", answered(c.Second.Action), answered(c.First.Action), c.First.Pos.Line)
		f.Pos = place(c.Second.Pos)
	}
	if pairs > 1 {
		f.Message += fmt.Sprintf("; %d pairs of rules in all", pairs)
	}
	p.Report(f)
}
