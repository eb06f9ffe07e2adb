package filter

import (
	"encoding/binary"
	"fmt"
)

// DataSize is the size of struct seccomp_data in bytes, and what the len instructions load.
const DataSize = 64

// Byte offsets into struct seccomp_data (include/uapi/linux/seccomp.h).
const (
	OffsetNr   = 0  // 32 bits, signed
	OffsetArch = 4  // 32 bits
	OffsetIP   = 8  // 64 bits
	OffsetArgs = 16 // six times 64 bits
)

// Data is what a filter sees of a syscall: struct seccomp_data. The values are numbers; their byte
// order in memory, and with it the word in which a half of an argument is found, is that of the
// machine.
type Data struct {
	Nr   int32     // the register cut to 32 bits; x32 carries 0x40000000, -1 reaches the filter too
	Arch uint32    // AUDIT_ARCH token
	IP   uint64    // address of the syscall instruction, or of the one after it
	Args [6]uint64 // zero-extended where the registers have 32 bits
}

// Words returns the 16 words that the load instructions see, word i at byte offset 4*i. A nil
// order means little-endian.
func (d *Data) Words(order binary.ByteOrder) [16]uint32 {
	w := [16]uint32{0: uint32(d.Nr), 1: d.Arch}
	// lo is where the low half of a 64-bit value lies, counted in words from its start.
	lo := 0
	if IsBigEndian(order) {
		lo = 1
	}
	hi := 1 - lo
	w[2+lo], w[2+hi] = uint32(d.IP), uint32(d.IP>>32)
	for i, v := range d.Args {
		w[4+2*i+lo&15], w[4+2*i+hi&15] = uint32(v), uint32(v>>32)
	}
	return w
}

// ArgLow returns the byte offset of the low half of argument i (0 to 5).
func ArgLow(i int, order binary.ByteOrder) uint32 {
	if IsBigEndian(order) {
		return OffsetArgs + 8*uint32(i) + 4
	}
	return OffsetArgs + 8*uint32(i)
}

// ArgHigh returns the byte offset of the high half of argument i (0 to 5).
func ArgHigh(i int, order binary.ByteOrder) uint32 {
	return ArgLow(i, order) ^ 4
}

// one is the number 1 to a big-endian reader. It is a variable so that asking costs no allocation.
var one = []byte{0, 1}

// IsBigEndian tells the two byte orders apart, the native one included. A nil order is
// little-endian.
func IsBigEndian(order binary.ByteOrder) bool {
	return order != nil && order.Uint16(one) == 1
}

// WordName names word i of struct seccomp_data, at byte offset 4*i, as a trace shows it: "nr", "arch",
// "ip low", "arg0 high".
func WordName(i int, order binary.ByteOrder) string {
	half := [2]string{"low", "high"}
	if IsBigEndian(order) {
		half = [2]string{"high", "low"}
	}
	switch i {
	case 0:
		return "nr"
	case 1:
		return "arch"
	case 2, 3:
		return "ip " + half[i%2]
	}
	return fmt.Sprintf("arg%d %s", (i-4)/2, half[i%2])
}
