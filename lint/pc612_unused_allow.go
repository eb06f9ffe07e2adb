package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

var _ = register(&Check{
	ID: "PC612", Name: "unused-allow", Severity: finding.Info,
	Title: "the profile allows calls that nothing needs",
	Why: "Every call that is open and not needed is kernel code that an intruder can reach for nothing. The list names the " +
		"riskiest first; the rank is the catalogue's.",
	When: "Information, as one finding for all programs together. It says \"not seen\" instead of \"not needed\" if a scan " +
		"is incomplete or the program loads code that was not read, which may need more.",
	Wrong:  "Programs that the checked one starts inherit the filter and may need more.",
	Remedy: "Make a profile of what is needed, and keep a shared default for programs that nobody has scanned.",
	Sources: []string{
		"https://docs.docker.com/engine/security/seccomp/",
	},
	NeedsBinary: true,
	Run: func(p *Pass) {
		if len(p.unused) == 0 {
			return
		}
		var names, programs []string
		seen := make(map[string]bool)
		arch := p.unused[0].Arch.Name
		for _, o := range p.unused {
			if !seen[o.Name] {
				names, seen[o.Name] = append(names, o.Name), true
			}
			if o.Arch.Name != arch {
				arch = ""
			}
		}
		complete := true
		for _, u := range p.Input.Usage {
			programs = append(programs, u.Program)
			complete = complete && u.Complete && !u.Unread
		}
		byDanger(names)
		f := finding.Finding{
			Severity: finding.Info, Arch: arch, Syscalls: names, Pos: p.whole(),
			Message: fmt.Sprintf("%s allowed but not needed by %s: %s", count(len(names), "call"), list(programs, 3), list(names, 5)),
			Remedy:  "drop what the programs do not need",
		}
		if !complete {
			f.Message = fmt.Sprintf("%s allowed and not seen in %s: %s", count(len(names), "call"), list(programs, 3), list(names, 5))
			f.Remedy = ""
		}
		p.Report(f)
	},
})
