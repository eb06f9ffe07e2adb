package lint

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

var _ = register(&Check{
	ID: "PC107", Name: "unknown-syscall", Severity: finding.Error,
	Title: "a name that is no system call",
	Why: "A runtime drops a name that it does not know, without failing. An allowlist then denies what its author meant " +
		"to allow, and a denylist leaves open what it meant to deny.",
	When: "An error if the name is much like a system call's, or that of a library function. A warning if it is like " +
		"nothing known: it may be younger than the table.",
	Wrong: "A profile written ahead of the kernel on purpose, with a name that happens to be like an older one.",
	Remedy: "Write the name of the system call, which may differ from the C function's: fstatat is newfstatat on x86_64, " +
		"pread is pread64.",
	Sources: []string{
		"https://github.com/opencontainers/runtime-spec/issues/972",
		"https://github.com/opencontainers/runc/pull/720",
		"https://github.com/containers/crun/issues/156",
	},
	Run: func(p *Pass) {
		for _, problem := range p.Input.Profile.Problems {
			if problem.Kind == profile.UnknownSyscall && !placeholder(problem.Name) {
				p.Report(unknownSyscall(problem))
			}
		}
	},
})

// unknownSyscall describes a name that no ABI has.
func unknownSyscall(problem profile.Problem) finding.Finding {
	f := finding.Finding{Severity: finding.Error, Pos: place(problem.Pos)}
	if names := catalog.KernelNames(problem.Name); names != nil {
		f.Message = fmt.Sprintf("%s is a library function and no system call, so the rule has no effect for it", problem.Name)
		f.Remedy = "write " + strings.Join(names, " and ")
		return f
	}
	f.Message = fmt.Sprintf("%s is no system call of any architecture up to Linux %s, so the rule has no effect for it",
		problem.Name, syscalls.NewestKernel())
	if problem.Nearest != "" {
		f.Remedy = fmt.Sprintf("if %s is meant, write that", problem.Nearest)
		return f
	}
	f.Severity = finding.Warning
	f.Remedy = "correct or remove the name"
	return f
}
