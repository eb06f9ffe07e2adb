package native

import (
	"fmt"

	"github.com/profcheck/profcheck/syscalls"
)

// compatReason says what it means that a 32-bit entry is made with number nr: the kernel reads it in
// the table of the 32-bit architecture, and a filter sees that architecture.
func compatReason(nr uint64) string {
	name, ok := syscalls.ByName("x86").NameOf(int32(nr))
	if !ok {
		return fmt.Sprintf("enters the kernel through int 0x80, whose calls are those of another architecture: number %d of x86", nr)
	}
	return fmt.Sprintf("enters the kernel through int 0x80, whose calls are those of another architecture: %s of x86", name)
}
