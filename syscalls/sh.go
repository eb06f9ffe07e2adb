package syscalls

// sh is SuperH, little-endian (arch/sh/kernel/syscalls/syscall.tbl).
var sh = Arch{
	Name:        "sh",
	OCI:         "SCMP_ARCH_SH",
	Audit:       0x4000002a,
	Bits:        32,
	PointerBits: 32,
	Socketcall:  true,
	IPC:         true,
	Host:        "sh",
	aliases:     []string{"sh4", "superh"},
	column:      &shColumn,
}

// sheb is SuperH, big-endian.
var sheb = Arch{
	Name:        "sheb",
	OCI:         "SCMP_ARCH_SHEB",
	Audit:       0x0000002a,
	BigEndian:   true,
	Bits:        32,
	PointerBits: 32,
	Socketcall:  true,
	IPC:         true,
	Host:        "sheb",
	aliases:     []string{"sh4eb"},
	column:      &shColumn,
}
