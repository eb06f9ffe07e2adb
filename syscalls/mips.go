package syscalls

// mips is o32, big-endian (arch/mips/kernel/syscalls/syscall_o32.tbl).
var mips = Arch{
	Name:        "mips",
	GOARCH:      "mips",
	OCI:         "SCMP_ARCH_MIPS",
	Audit:       0x00000008,
	BigEndian:   true,
	Bits:        32,
	PointerBits: 32,
	UpperHalves: true,
	Base:        4000,
	Socketcall:  true,
	IPC:         true,
	Host:        "mips64",
	aliases:     []string{"mipseb"},
	column:      &mipsColumn,
}

// mipsel is o32, little-endian.
var mipsel = Arch{
	Name:        "mipsel",
	GOARCH:      "mipsle",
	OCI:         "SCMP_ARCH_MIPSEL",
	Audit:       0x40000008,
	Bits:        32,
	PointerBits: 32,
	UpperHalves: true,
	Base:        4000,
	Socketcall:  true,
	IPC:         true,
	Host:        "mipsel64",
	column:      &mipsColumn,
}

// mips64 is n64, big-endian (arch/mips/kernel/syscalls/syscall_n64.tbl).
var mips64 = Arch{
	Name:        "mips64",
	GOARCH:      "mips64",
	OCI:         "SCMP_ARCH_MIPS64",
	Audit:       0x80000008,
	BigEndian:   true,
	Bits:        64,
	PointerBits: 64,
	Base:        5000,
	Host:        "mips64",
	column:      &mips64Column,
}

// mipsel64 is n64, little-endian.
var mipsel64 = Arch{
	Name:        "mipsel64",
	GOARCH:      "mips64le",
	OCI:         "SCMP_ARCH_MIPSEL64",
	Audit:       0xc0000008,
	Bits:        64,
	PointerBits: 64,
	Base:        5000,
	Host:        "mipsel64",
	aliases:     []string{"mips64el"},
	column:      &mips64Column,
}

// mips64n32 has 32-bit pointers in 64-bit registers (arch/mips/kernel/syscalls/syscall_n32.tbl); a
// token of its own tells it from n64.
var mips64n32 = Arch{
	Name:        "mips64n32",
	OCI:         "SCMP_ARCH_MIPS64N32",
	Audit:       0xa0000008,
	BigEndian:   true,
	Bits:        64,
	PointerBits: 32,
	Base:        6000,
	Host:        "mips64",
	aliases:     []string{"mipsn32"},
	column:      &mips64n32Column,
}

// mipsel64n32 is n32, little-endian.
var mipsel64n32 = Arch{
	Name:        "mipsel64n32",
	OCI:         "SCMP_ARCH_MIPSEL64N32",
	Audit:       0xe0000008,
	Bits:        64,
	PointerBits: 32,
	Base:        6000,
	Host:        "mipsel64",
	aliases:     []string{"mipsn32el"},
	column:      &mips64n32Column,
}
