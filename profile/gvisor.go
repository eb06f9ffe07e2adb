package profile

import (
	"fmt"
	"math"
	"slices"

	"github.com/profcheck/profcheck/syscalls"
)

// What gVisor makes of an OCI section is its own (runsc/specutils/seccomp, pkg/seccomp): no
// libseccomp is in it. Rules decide in the order of the file, rules that say the same as the default
// stay, errnos are not read, and a MASKED_EQ whose datum has bits outside its mask never holds.

// gvisorActions lists the actions that gVisor knows.
var gvisorActions = []ActionName{"SCMP_ACT_KILL", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW"}

// gvisorNewest is the largest number in gVisor's tables, which skip those of gvisorLacks (pkg/sentry/
// syscalls/linux/linux64.go). The name of 156 on x86_64 is another there.
const gvisorNewest = 441

var gvisorLacks = map[string][]string{
	"x86_64":  {"process_madvise", "uprobe", "uretprobe", "_sysctl"},
	"aarch64": {"process_madvise", "kexec_file_load"},
}

// gvisorKnows reports whether gVisor finds a call by name.
func gvisorKnows(a *syscalls.Arch, name string) bool {
	nr, ok := a.Number(name)
	return ok && nr <= gvisorNewest && !slices.Contains(gvisorLacks[a.Name], name)
}

// gvisor checks what gVisor refuses: a host that it has no table for, and actions that it does not
// know.
func (r *resolver) gvisor(rules []*Rule) error {
	if gvisorLacks[r.Target.Host.Name] == nil {
		return r.loadError(UnknownArch, r.p.Pos, "", "gVisor runs on x86_64 and aarch64 only, not on %s", r.Target.Host)
	}
	if !slices.Contains(gvisorActions, r.p.DefaultAction) {
		return r.loadError(UnknownAction, r.p.DefaultActionPos, "", "gVisor does not know the action %s", r.p.DefaultAction)
	}
	for _, rule := range rules {
		if !slices.Contains(gvisorActions, rule.Action) {
			return r.loadError(UnknownAction, rule.ActionPos, fmt.Sprintf("syscalls[%d]", rule.Index), "gVisor does not know the action %s", rule.Action)
		}
	}
	return nil
}

// gvisorCond is cond without libseccomp's cut of the datum.
func gvisorCond(a Arg) Cond {
	if a.Op == MaskedEqual {
		return Cond{a.Index, a.Op, a.Value, a.ValueTwo}
	}
	return Cond{a.Index, a.Op, math.MaxUint64, a.Value}
}

// append adds an entry by gVisor's rules: the first that matches decides.
func (r *resolver) append(a *syscalls.Arch, c *call, e entry, d *drops) {
	d.seen(e)
	for _, old := range c.entries {
		if len(old.conds) > 0 {
			continue
		}
		reason := SkipLater
		if old.action == e.action {
			reason = SkipDuplicate
		}
		d.add(a, e, reason, old.rule)
		return
	}
	c.entries = append(c.entries, e)
}
