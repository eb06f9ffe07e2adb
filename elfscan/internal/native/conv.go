package native

import (
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

func systemV(m *isa.Machine) *flow.Convention {
	if m == isa.ARM64 {
		kept := isa.Regs(19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31)
		return &flow.Convention{Machine: m, Kept: kept, Params: []isa.Reg{0, 1, 2, 3, 4, 5, 6, 7}, Result: 0, StackArg: 0, Gap: 4}
	}
	return &flow.Convention{Machine: m, Kept: isa.Regs(3, 4, 5, 12, 13, 14, 15), Params: []isa.Reg{7, 6, 2, 1, 8, 9}, Result: 0, StackArg: 8, Gap: 1}
}
