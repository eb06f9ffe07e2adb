package syscalls

// ppc is the 32-bit ABI, big-endian alone: audit knows no little-endian one
// (include/uapi/linux/audit.h; arch/powerpc/kernel/syscalls/syscall.tbl).
var ppc = Arch{
	Name:        "ppc",
	OCI:         "SCMP_ARCH_PPC",
	Audit:       0x00000014,
	BigEndian:   true,
	Bits:        32,
	PointerBits: 32,
	Socketcall:  true,
	IPC:         true,
	Host:        "ppc64",
	aliases:     []string{"powerpc"},
	column:      &ppcColumn,
}

// ppc64 is the 64-bit ABI, big-endian.
var ppc64 = Arch{
	Name:        "ppc64",
	GOARCH:      "ppc64",
	OCI:         "SCMP_ARCH_PPC64",
	Audit:       0x80000015,
	BigEndian:   true,
	Bits:        64,
	PointerBits: 64,
	Socketcall:  true,
	IPC:         true,
	Host:        "ppc64",
	aliases:     []string{"powerpc64"},
	column:      &ppc64Column,
}

// ppc64le is the 64-bit ABI, little-endian.
var ppc64le = Arch{
	Name:        "ppc64le",
	GOARCH:      "ppc64le",
	OCI:         "SCMP_ARCH_PPC64LE",
	Audit:       0xc0000015,
	Bits:        64,
	PointerBits: 64,
	Socketcall:  true,
	IPC:         true,
	Host:        "ppc64le",
	aliases:     []string{"ppc64el", "powerpc64le"},
	column:      &ppc64Column,
}
