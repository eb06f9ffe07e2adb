package syscalls

// x8664 is the native ABI of 64-bit x86 (arch/x86/entry/syscalls/syscall_64.tbl, ABIs common and 64).
var x8664 = Arch{
	Name:        "x86_64",
	GOARCH:      "amd64",
	OCI:         "SCMP_ARCH_X86_64",
	Audit:       0xc000003e,
	Bits:        64,
	PointerBits: 64,
	Host:        "x86_64",
	aliases:     []string{"x64", "x86-64"},
	column:      &x86_64Column,
}

// x86 is the 32-bit ABI, entered by int 0x80, sysenter or a 32-bit syscall instruction; any 64-bit
// process can call it (arch/x86/entry/syscalls/syscall_32.tbl).
var x86 = Arch{
	Name:        "x86",
	GOARCH:      "386",
	OCI:         "SCMP_ARCH_X86",
	Audit:       0x40000003,
	Bits:        32,
	PointerBits: 32,
	UpperHalves: true,
	Socketcall:  true,
	IPC:         true,
	Host:        "x86_64",
	aliases:     []string{"i386", "i486", "i586", "i686", "ia32"},
	column:      &x86Column,
}

// x32 has 32-bit pointers in 64-bit mode (syscall_64.tbl, ABIs common and x32). Its numbers carry
// __X32_SYSCALL_BIT and its arguments come in full 64-bit registers (arch/x86/include/asm/syscall.h).
var x32 = Arch{
	Name:        "x32",
	OCI:         "SCMP_ARCH_X32",
	Audit:       0xc000003e,
	Bits:        64,
	PointerBits: 32,
	Base:        0x40000000,
	Host:        "x86_64",
	aliases:     []string{"amd64p32"},
	flag:        0x40000000,
	column:      &x32Column,
}
