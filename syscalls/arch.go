package syscalls

import (
	"encoding/binary"
	"sort"
)

// Arch describes one ABI. The descriptors are read-only and compare by pointer.
type Arch struct {
	Name   string // libseccomp's name: "x86_64", "aarch64"; unique
	GOARCH string // Go's name; "" where Go has no Linux port
	OCI    string // name in an OCI runtime specification: "SCMP_ARCH_X86_64"; unique
	Audit  uint32 // AUDIT_ARCH token in seccomp_data.arch; x32 shares that of x86_64

	BigEndian bool // byte order of seccomp_data and of the filter's instructions

	// Bits is 32 or 64: the width of the registers that carry arguments into seccomp_data.args
	// (arch/*/include/asm/syscall.h syscall_get_arguments).
	Bits int

	// UpperHalves says that a filter can see upper halves of arguments that are not 0 although Bits
	// is 32 and the call itself ignores them: by int 0x80 a 64-bit program on x86_64 hands over
	// its whole registers, and MIPS o32 on a 64-bit kernel passes them sign-extended. Both were
	// seen on running kernels. On the other 32-bit ABIs upper halves are 0.
	UpperHalves bool

	// PointerBits is 32 or 64: the width of a pointer and of C's long in a program of this ABI.
	// It differs from Bits for x32 and mips64n32 alone. Libseccomp compares arguments by this
	// width: where it is 32 it looks at the low word only.
	PointerBits int

	Base       int32 // what the ABI adds to the numbers of its table; Number already includes it
	Socketcall bool  // the socketcall multiplexer exists
	IPC        bool  // the ipc multiplexer exists

	// Host names the ABI whose kernel also serves this one: "x86_64" for x86, x32 and x86_64. It
	// is the ABI's own name where no 64-bit kernel does (m68k, sh).
	Host string

	aliases []string // further words that Lookup takes
	flag    int32    // a bit of the number that tells this ABI from another with the same token
	column  *column
}

// A column holds the numbers of one or more ABIs: both byte orders of a machine share it.
type column struct {
	numbers    [nameCount]int32   // by index in names, without base; -1: no such call
	byNumber   []uint16           // indices in names, ascending by number
	prototypes *[nameCount]uint16 // by index in names, an index in prototypes
}

// Syscall is a name with its number on one ABI.
type Syscall struct {
	Name string
	Nr   int32 // as in seccomp_data.nr, base included
}

// Arches returns all architectures, always in the same order.
func Arches() []*Arch {
	all := arches
	return all[:]
}

// ByName returns the architecture of exactly this Name, nil if there is none.
func ByName(name string) *Arch {
	for _, a := range arches {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// ByAudit returns the architecture that the kernel means by a token and a number as they stand in
// seccomp_data, nil for a token that is not in the table. The number matters for x32 alone, whose
// numbers carry bit 0x40000000. Number -1 is what a tracer sets to skip a call: it has every bit
// and belongs to no table, so it counts as x86_64, as in arch/x86/entry/common.c do_syscall_64.
func ByAudit(token uint32, nr int32) *Arch {
	var plain *Arch
	for _, a := range arches {
		switch {
		case a.Audit != token:
		case a.flag == 0:
			plain = a
		case nr&a.flag != 0 && nr != -1:
			return a
		}
	}
	return plain
}

// Number returns the number of a call as seccomp_data.nr carries it; false if the ABI lacks it.
func (a *Arch) Number(name string) (int32, bool) {
	i, ok := index(name)
	if !ok || a.column.numbers[i] < 0 {
		return 0, false
	}
	return a.column.numbers[i] + a.Base, true
}

// NameOf returns the name of a number as in seccomp_data.nr; false if the ABI has no such number.
func (a *Arch) NameOf(nr int32) (string, bool) {
	c := a.column
	raw := int64(nr) - int64(a.Base)
	at := sort.Search(len(c.byNumber), func(i int) bool {
		return int64(c.numbers[c.byNumber[i]]) >= raw
	})
	if at == len(c.byNumber) || int64(c.numbers[c.byNumber[at]]) != raw {
		return "", false
	}
	return names[c.byNumber[at]], true
}

// Syscalls returns all calls of the ABI, ascending by number.
func (a *Arch) Syscalls() []Syscall {
	list := make([]Syscall, len(a.column.byNumber))
	for i, n := range a.column.byNumber {
		list[i] = Syscall{names[n], a.column.numbers[n] + a.Base}
	}
	return list
}

// Order returns the byte order of the ABI.
func (a *Arch) Order() binary.ByteOrder {
	if a.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// String returns the Name.
func (a *Arch) String() string { return a.Name }
