package syscalls

// arm is the EABI, with either byte order of data but one token (arch/arm/tools/syscall.tbl; the
// private calls are in arch/arm/include/uapi/asm/unistd.h). The old ABI (OABI) has no token of its
// own and is not in the table.
var arm = Arch{
	Name:        "arm",
	GOARCH:      "arm",
	OCI:         "SCMP_ARCH_ARM",
	Audit:       0x40000028,
	Bits:        32,
	PointerBits: 32,
	Host:        "aarch64",
	aliases:     []string{"armhf", "armel", "armv6l", "armv7", "armv7l", "arm32"},
	column:      &armColumn,
}
