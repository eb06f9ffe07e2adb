package syscalls

// m68k has numbers of its own (arch/m68k/kernel/syscalls/syscall.tbl).
var m68k = Arch{
	Name:        "m68k",
	OCI:         "SCMP_ARCH_M68K",
	Audit:       0x00000004,
	BigEndian:   true,
	Bits:        32,
	PointerBits: 32,
	Socketcall:  true,
	IPC:         true,
	Host:        "m68k",
	column:      &m68kColumn,
}
