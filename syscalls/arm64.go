package syscalls

// arm64 takes its numbers from the generic table (include/uapi/asm-generic/unistd.h).
var arm64 = Arch{
	Name:        "aarch64",
	GOARCH:      "arm64",
	OCI:         "SCMP_ARCH_AARCH64",
	Audit:       0xc00000b7,
	Bits:        64,
	PointerBits: 64,
	Host:        "aarch64",
	aliases:     []string{"armv8", "armv8l"},
	column:      &aarch64Column,
}
