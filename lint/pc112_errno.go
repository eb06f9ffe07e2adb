package lint

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC112", Name: "errno-out-of-place", Severity: finding.Warning,
	Title: "an errno that is not what the call returns",
	Why: "A filter's answer has 16 bits for the errno, and the kernel returns none above 4095. With 0 the call is not made " +
		"and reports success, so the program goes on as if it had been. On ALLOW, LOG and the KILL actions an errno means " +
		"nothing; crun refuses such a profile, runc and Docker say nothing.",
	When: "An error for an errno that does not fit. A warning for 0, and for one on an action that carries none.",
	Wrong: "Success without the call can be meant, for a call that does no harm to leave out. profcheck lint refuses what the " +
		"target would not load, which is more than this: libseccomp takes no errno above 4094.",
	Remedy: "Write an errno that the program understands, 1 for EPERM or 38 for ENOSYS, or none.",
	Sources: []string{
		"https://github.com/torvalds/linux/blob/v6.12/kernel/seccomp.c __seccomp_filter, SECCOMP_RET_ERRNO with MAX_ERRNO",
		"https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp, on errnoRet",
		"https://github.com/containers/crun/blob/main/src/libcrun/seccomp.c",
	},
	Run: func(p *Pass) {
		for _, problem := range p.problems(profile.ErrnoRange, profile.ErrnoUnused, profile.ErrnoZero) {
			f := finding.Finding{Severity: finding.Warning, Pos: place(problem.Pos), Message: problem.Text}
			switch problem.Kind {
			case profile.ErrnoRange:
				f.Severity, f.Remedy = finding.Error, "write an errno of this kernel, such as 1 (EPERM) or 38 (ENOSYS)"
			case profile.ErrnoUnused:
				f.Remedy = fmt.Sprintf("remove %s", problem.Name)
			case profile.ErrnoZero:
				f.Remedy = "write an errno, such as 1 (EPERM), unless the call is to seem to succeed"
			}
			p.Report(f)
		}
	},
})
