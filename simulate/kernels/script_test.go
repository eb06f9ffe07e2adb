package kernels

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// MIPS instructions, and registers by their numbers: v0 is 2, a0 to a5 are 4 to 9, a3 is the error
// flag, s0 is 16.
const mipsSyscall = 0x0000000c

func mipsImm(op, rs, rt, imm uint32) uint32    { return op<<26 | rs<<21 | rt<<16 | imm&0xffff }
func lui(rt, imm uint32) uint32                { return mipsImm(0x0f, 0, rt, imm) }
func ori(rt, imm uint32) uint32                { return mipsImm(0x0d, 0, rt, imm) }
func load64(rt uint32, at, base uint32) uint32 { return mipsImm(0x37, base, rt, at) }
func save64(rt uint32, at, base uint32) uint32 { return mipsImm(0x3f, base, rt, at) }

const n32Code = 0x10000 + 52 + 32 // where the code of n32Program is: behind the ELF headers

// n32Program is an executable of the ABI n32 for little-endian MIPS that makes the calls of a script,
// see guest/script.go: it maps descriptor 3 at 0x20000000 and takes ten numbers of 64 bits for each.
func n32Program() []byte {
	code := []uint32{
		lui(4, 0x2000), lui(5, 0x80), // mmap(0x20000000, 8 MiB,
		ori(6, 3), ori(7, 0x11), ori(8, 3), ori(9, 0), // read and write, shared and fixed, 3, 0)
		ori(2, 6009), mipsSyscall,
		lui(16, 0x2000),
		load64(2, 0, 16), // the loop begins
		load64(4, 8, 16), load64(5, 16, 16), load64(6, 24, 16), load64(7, 32, 16), load64(8, 40, 16), load64(9, 48, 16),
		mipsSyscall,
		save64(2, 56, 16), save64(7, 64, 16),
		ori(17, 1), save64(17, 72, 16),
		mipsImm(0x04, 0, 0, 0xfff3), // beq to the loop's first instruction
		mipsImm(0x19, 16, 16, 80),   // daddiu s0, 80, in the delay slot
	}
	size := uint32(n32Code-0x10000) + uint32(4*len(code))
	var b bytes.Buffer
	header := elf.Header32{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_MIPS), Version: 1, Entry: n32Code,
		Phoff: 52, Flags: 0x80000000 | 0x20 | 1, // MIPS64R2, ABI2 (which is n32), no reordering
		Ehsize: 52, Phentsize: 32, Phnum: 1, Shentsize: 40,
	}
	copy(header.Ident[:], "\x7fELF\x01\x01\x01")
	segment := elf.Prog32{Type: uint32(elf.PT_LOAD), Vaddr: 0x10000, Paddr: 0x10000, Filesz: size, Memsz: size, Flags: uint32(elf.PF_R | elf.PF_X), Align: 0x10000}
	for _, part := range []any{header, segment, code} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			panic(fmt.Sprint("writing to memory: ", err))
		}
	}
	return b.Bytes()
}
