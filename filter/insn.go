package filter

import (
	"encoding/binary"
	"fmt"
)

// InsnSize is the size of one encoded instruction in bytes.
const InsnSize = 8

// MaxDecode is the largest number of instructions that Decode reads: what the 16-bit length of
// struct sock_fprog can say. It is more than MaxInsns, so that Verify can be asked about programs
// that are too long to load.
const MaxDecode = 1<<16 - 1

// Insn is one instruction, struct sock_filter of include/uapi/linux/filter.h.
type Insn struct {
	Code   uint16
	Jt, Jf uint8 // instructions to skip; only conditional jumps use them
	K      uint32
}

// Program is a filter as the kernel takes it. It has no byte order of its own, but the offsets it
// loads from mean different halves of an argument on big- and little-endian machines.
type Program []Insn

// Decode reads an array of struct sock_filter in the given byte order. It does not judge the
// instructions; Verify does. It refuses no bytes at all, a size that is no multiple of 8, and more
// than MaxDecode instructions.
func Decode(b []byte, order binary.ByteOrder) (Program, error) {
	switch {
	case len(b) == 0:
		return nil, fmt.Errorf("filter: no instructions")
	case len(b)%InsnSize != 0:
		return nil, fmt.Errorf("filter: %d bytes are no multiple of %d", len(b), InsnSize)
	case len(b)/InsnSize > MaxDecode:
		return nil, fmt.Errorf("filter: %d instructions, more than %d", len(b)/InsnSize, MaxDecode)
	}
	p := make(Program, len(b)/InsnSize)
	for i := range p {
		raw := b[i*InsnSize : (i+1)*InsnSize]
		p[i] = Insn{Code: order.Uint16(raw), Jt: raw[2], Jf: raw[3], K: order.Uint32(raw[4:])}
	}
	return p, nil
}

// Encode is the inverse of Decode.
func (p Program) Encode(order binary.ByteOrder) []byte {
	b := make([]byte, len(p)*InsnSize)
	for i, in := range p {
		raw := b[i*InsnSize:]
		order.PutUint16(raw, in.Code)
		raw[2], raw[3] = in.Jt, in.Jf
		order.PutUint32(raw[4:], in.K)
	}
	return b
}
