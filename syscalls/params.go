package syscalls

import "fmt"

// Kind says what a parameter is, by the type and the name that the kernel gives it.
type Kind uint8

// The kinds. The width of a parameter is in Param.Bits: an Unsigned of 64 bits is C's unsigned long
// on a 64-bit ABI.
const (
	Unknown  Kind = iota // nothing is known, the width included
	Int                  // signed number of at most 32 bits: int, pid_t, clockid_t
	Unsigned             // unsigned number of any width: unsigned int, unsigned long, uid_t, u64
	Long                 // signed number of register width, or a 64-bit one: long, loff_t
	Pointer              // address in user memory
	FD                   // file descriptor, or a directory descriptor such as AT_FDCWD; mostly 32 bits
	Flags                // set of bits: flags, mode, prot, mask
	Size                 // number of bytes or elements: size_t, or unsigned long named as a size
)

var kindNames = [...]string{"unknown", "int", "unsigned", "long", "pointer", "fd", "flags", "size"}

// String returns the kind in lower case: "pointer", "fd".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Param is one parameter of a syscall; the n-th one is in seccomp_data.args[n].
type Param struct {
	// Name is the kernel's name of the parameter. A 64-bit parameter that a 32-bit ABI passes in
	// two registers appears as two, with "_lo" and "_hi" added, in the order of the registers. A
	// register that the call ignores, such as one that aligns such a pair, is named "_", with
	// Kind Unknown.
	Name string

	// Bits is the width of the parameter's type on this ABI: 16, 32 or 64. Where it is smaller
	// than the register the kernel ignores the upper bits, which a filter sees nevertheless: 32
	// for an int in a 64-bit register, 16 for umode_t. 0 when Kind is Unknown.
	Bits int

	Kind Kind
}

// param is a Param as the table has it: for any ABI. A width of 0 is that of the registers.
type param struct {
	name string
	kind Kind
	bits uint8
}

// Params returns the parameters of a call on this ABI in the order of seccomp_data.args; false if
// the ABI lacks the call or its prototype is not known. A call without parameters gives an empty
// list and true. There are at most six: a seventh is not in seccomp_data. The list is the caller's.
func (a *Arch) Params(name string) ([]Param, bool) {
	i, ok := index(name)
	if !ok || a.column.prototypes[i] == 0 {
		return nil, false
	}
	list := make([]Param, 0, 6)
	for _, p := range prototypes[a.column.prototypes[i]] {
		list = a.appendParam(list, p)
	}
	return list, true
}

// appendParam gives p the widths of the ABI. A 64-bit value in 32-bit registers is two parameters,
// the first of which is the half that comes first in memory (include/linux/syscalls.h SC_ARG64 and
// arch/*: low half first on little-endian, high half first on big-endian).
func (a *Arch) appendParam(list []Param, p param) []Param {
	bits := int(p.bits)
	switch {
	case p.kind == Unknown:
		bits = 0
	case bits == 0:
		bits = a.Bits
	case bits > a.Bits:
		low, high := Param{p.name + "_lo", 32, p.kind}, Param{p.name + "_hi", 32, p.kind}
		if p.kind == Long {
			low.Kind = Unsigned // the sign is in the high half
		}
		if a.BigEndian {
			low, high = high, low
		}
		return append(list, low, high)
	}
	return append(list, Param{p.name, bits, p.kind})
}
