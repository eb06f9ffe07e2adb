package filter

import (
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// auditNames are where the kernel's name for an architecture is not ours in capitals
// (include/uapi/linux/audit.h).
var auditNames = map[string]string{"I386": "x86", "SH": "sheb", "SHEL": "sh"}

// auditConstants are the AUDIT_ARCH_... of the kernel's headers for the architectures in the table.
// x32 has none of its own.
var auditConstants = func() map[string]uint32 {
	m := make(map[string]uint32)
	renamed := make(map[string]bool)
	for constant, name := range auditNames {
		renamed[name] = true
		m["AUDIT_ARCH_"+constant] = syscalls.ByName(name).Audit
	}
	for _, a := range syscalls.Arches() {
		if !renamed[a.Name] && syscalls.ByAudit(a.Audit, 0) == a {
			m["AUDIT_ARCH_"+strings.ToUpper(a.Name)] = a.Audit
		}
	}
	return m
}()
