package syscalls

// riscv64 takes its numbers from the generic table (include/uapi/asm-generic/unistd.h), with two calls
// of its own from 258 on.
var riscv64 = Arch{
	Name:        "riscv64",
	GOARCH:      "riscv64",
	OCI:         "SCMP_ARCH_RISCV64",
	Audit:       0xc00000f3,
	Bits:        64,
	PointerBits: 64,
	Host:        "riscv64",
	aliases:     []string{"riscv", "rv64"},
	column:      &riscv64Column,
}
