package syscalls

// loong64 takes its numbers from the generic table (include/uapi/asm-generic/unistd.h).
var loong64 = Arch{
	Name:        "loongarch64",
	GOARCH:      "loong64",
	OCI:         "SCMP_ARCH_LOONGARCH64",
	Audit:       0xc0000102,
	Bits:        64,
	PointerBits: 64,
	Host:        "loongarch64",
	aliases:     []string{"loongarch"},
	column:      &loongarch64Column,
}
