package lint

import (
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// cost says how grave it is that a call of this class is denied.
func cost(class finding.Class, name string) finding.Severity {
	switch class {
	case finding.Conditional, finding.VDSO:
		return finding.Warning
	case finding.Kernel:
		// Without its signal return a process dies of its first signal. A restarted call can only
		// fail where it was interrupted by a stop.
		if strings.HasSuffix(name, "sigreturn") {
			return finding.Error
		}
		return finding.Warning
	}
	return finding.Error // required, startup, child, runtime, and what is not known
}

// classOrder is the order in which classes are named where a call has several: first what counts
// most.
var classOrder = []finding.Class{
	finding.Required, finding.Startup, finding.Child, finding.Runtime, finding.Kernel, finding.VDSO, finding.Conditional,
}

// classRank returns the place of a class in classOrder.
func classRank(class finding.Class) int {
	for i, c := range classOrder {
		if c == class {
			return i
		}
	}
	return len(classOrder)
}

// occasion says in words when programs make the call name.
func occasion(programs []string, name string, class finding.Class, condition string) string {
	who, calls, start := list(programs, maxNamed), " calls ", " at its start"
	if len(programs) > 1 {
		calls, start = " call ", " at their start"
	}
	switch class {
	case finding.Startup:
		return who + calls + name + start
	case finding.Child:
		return who + calls + name + " between fork and exec"
	case finding.Runtime:
		return who + calls + name + " before the program starts"
	case finding.VDSO:
		return who + calls + name + " where the vDSO has no answer"
	case finding.Kernel:
		return "the kernel makes " + who + " call " + name
	case finding.Conditional:
		if condition != "" {
			return who + calls + name + " if " + condition
		}
		return who + " can call " + name
	}
	return who + calls + name
}
