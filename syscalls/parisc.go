package syscalls

// parisc is the 32-bit ABI (arch/parisc/kernel/syscalls/syscall.tbl).
var parisc = Arch{
	Name:        "parisc",
	OCI:         "SCMP_ARCH_PARISC",
	Audit:       0x0000000f,
	BigEndian:   true,
	Bits:        32,
	PointerBits: 32,
	Host:        "parisc64",
	aliases:     []string{"hppa"},
	column:      &pariscColumn,
}

// parisc64 has the numbers of parisc.
var parisc64 = Arch{
	Name:        "parisc64",
	OCI:         "SCMP_ARCH_PARISC64",
	Audit:       0x8000000f,
	BigEndian:   true,
	Bits:        64,
	PointerBits: 64,
	Host:        "parisc64",
	aliases:     []string{"hppa64"},
	column:      &parisc64Column,
}
