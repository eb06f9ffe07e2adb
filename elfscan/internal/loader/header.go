package loader

import (
	"debug/elf"
	"encoding/binary"
)

// headerSize is what is read of a candidate before it is worth more: an ELF header of 64 bits.
const headerSize = 64

// header is what a loader looks at to decide whether a file is for this process.
type header struct {
	class   elf.Class
	order   elf.Data
	machine elf.Machine
	kind    elf.Type
}

// headerOf reads the start of a file. The reason is the message of ld.so for a file that makes it
// give up, see open_verify in elf/dl-load.c of glibc.
func headerOf(data []byte) (h header, reason string) {
	if len(data) < 52 { // an ELF header of 32 bits
		return h, "file too short"
	}
	if string(data[:4]) != elf.ELFMAG {
		return h, "invalid ELF header"
	}
	h.class, h.order = elf.Class(data[elf.EI_CLASS]), elf.Data(data[elf.EI_DATA])
	var bo binary.ByteOrder = binary.LittleEndian
	if h.order == elf.ELFDATA2MSB {
		bo = binary.BigEndian
	}
	h.kind, h.machine = elf.Type(bo.Uint16(data[16:])), elf.Machine(bo.Uint16(data[18:]))
	return h, ""
}

// fits compares a candidate with the program. A candidate of another class or machine is passed
// over; other differences end the search with an error.
func (h header) fits(program header) (skip bool, reason string) {
	switch {
	case h.class != program.class:
		return true, "wrong ELF class"
	case h.order != program.order:
		return false, "wrong byte order"
	case h.machine != program.machine:
		return true, "of another architecture"
	case h.kind != elf.ET_DYN && h.kind != elf.ET_EXEC:
		return false, "only ET_DYN and ET_EXEC can be loaded"
	case h.kind == elf.ET_EXEC:
		return false, "cannot dynamically load executable"
	}
	return false, ""
}
