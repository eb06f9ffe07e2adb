package syscalls

// s390 is the 31-bit ABI (arch/s390/kernel/syscalls/syscall.tbl); it gets no new calls since 6.19.
var s390 = Arch{
	Name:        "s390",
	OCI:         "SCMP_ARCH_S390",
	Audit:       0x00000016,
	BigEndian:   true,
	Bits:        32,
	PointerBits: 32,
	Socketcall:  true,
	IPC:         true,
	Host:        "s390x",
	column:      &s390Column,
}

// s390x is the 64-bit ABI.
var s390x = Arch{
	Name:        "s390x",
	GOARCH:      "s390x",
	OCI:         "SCMP_ARCH_S390X",
	Audit:       0x80000016,
	BigEndian:   true,
	Bits:        64,
	PointerBits: 64,
	Socketcall:  true,
	IPC:         true,
	Host:        "s390x",
	column:      &s390xColumn,
}
