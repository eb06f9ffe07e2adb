package symbolize

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"io"
	"strings"
	"sync/atomic"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

var le = binary.LittleEndian

// section is a section header; module.Module has those alone that are loaded.
type section struct {
	name         string
	kind         elf.SectionType
	flags        elf.SectionFlag
	offset, size uint64
	link         uint32
}

// object is an ELF file as far as debug data goes: 64-bit, little-endian.
type object struct {
	data     []byte
	sections []section
	inflated int64 // bytes that may still come out of compressed sections
	spare    *atomic.Int64
}

// spareBytes is what may come out of compressed sections beyond eight times a file's size.
const spareBytes = 64 << 20

// NewSpare returns what the files of one process share, see Source.Spare.
func NewSpare() *atomic.Int64 {
	var n atomic.Int64
	n.Store(spareBytes)
	return &n
}

// share makes the object take its spare bytes from those of all.
func (o *object) share(spare *atomic.Int64) *object {
	if spare != nil {
		o.spare, o.inflated = spare, o.inflated-spareBytes
	}
	return o
}

const (
	maxSectionName = 64
	headerBytes    = 64 // of the file and of each section
)

// parseObject reads the section headers. A file without usable ones has no sections.
func parseObject(data []byte) *object {
	o := &object{data: data, inflated: spareBytes + 8*int64(len(data))}
	if len(data) < headerBytes || string(data[:4]) != elf.ELFMAG || elf.Class(data[4]) != elf.ELFCLASS64 || elf.Data(data[5]) != elf.ELFDATA2LSB {
		return o
	}
	offset, count, names := le.Uint64(data[0x28:]), uint64(le.Uint16(data[0x3c:])), uint64(le.Uint16(data[0x3e:]))
	if offset == 0 || offset > uint64(len(data)) || le.Uint16(data[0x3a:]) != headerBytes {
		return o
	}
	table := data[offset:]
	if len(table) < headerBytes {
		return o
	}
	if count == 0 { // more than the field can hold: the first header has it
		count = le.Uint64(table[0x20:])
	}
	if names == uint64(elf.SHN_XINDEX) {
		names = uint64(le.Uint32(table[0x28:]))
	}
	count = min(count, uint64(len(table)/headerBytes))
	if names >= count {
		return o
	}
	o.sections = make([]section, count)
	for i := range o.sections {
		h := table[i*headerBytes:]
		o.sections[i] = section{
			kind: elf.SectionType(le.Uint32(h[4:])), flags: elf.SectionFlag(le.Uint64(h[8:])),
			offset: le.Uint64(h[0x18:]), size: le.Uint64(h[0x20:]), link: le.Uint32(h[0x28:]),
		}
	}
	strtab := o.raw(&o.sections[names])
	for i := range o.sections {
		o.sections[i].name = cstring(strtab, uint64(le.Uint32(table[i*headerBytes:])), maxSectionName)
	}
	return o
}

// cstring returns the string at an offset, "" if it is not there or longer than limit.
func cstring(data []byte, offset uint64, limit int) string {
	if offset >= uint64(len(data)) {
		return ""
	}
	data = data[offset:]
	n := bytes.IndexByte(data[:min(len(data), limit+1)], 0)
	return string(data[:max(n, 0)])
}

// raw returns a section's bytes in the file, nil if they are not there.
func (o *object) raw(s *section) []byte {
	if s.kind == elf.SHT_NOBITS || s.offset > uint64(len(o.data)) || s.size > uint64(len(o.data))-s.offset {
		return nil
	}
	return o.data[s.offset : s.offset+s.size]
}

func (o *object) section(name string) *section {
	for i := range o.sections {
		if o.sections[i].name == name {
			return &o.sections[i]
		}
	}
	return nil
}

// debug returns a section of DWARF, decompressed. There are two ways to say that it is compressed.
func (o *object) debug(name string) []byte {
	if s := o.section(".debug_" + name); s != nil {
		data := o.raw(s)
		if s.flags&elf.SHF_COMPRESSED == 0 {
			return data
		}
		if len(data) < 24 || elf.CompressionType(le.Uint32(data)) != elf.COMPRESS_ZLIB {
			return nil
		}
		return o.inflate(data[24:], le.Uint64(data[8:]))
	}
	if s := o.section(".zdebug_" + name); s != nil {
		if data := o.raw(s); len(data) >= 12 && string(data[:4]) == "ZLIB" {
			return o.inflate(data[12:], binary.BigEndian.Uint64(data[4:]))
		}
	}
	return nil
}

// inflate decompresses to exactly size bytes, nil if that is not what is there or too much.
func (o *object) inflate(data []byte, size uint64) []byte {
	const bestRatio = 1032 // of deflate: a larger size is a lie, and nothing is allocated for it
	if size > bestRatio*uint64(len(data)) {
		return nil
	}
	if more := int64(size) - o.inflated; more > 0 {
		if o.spare == nil {
			return nil
		}
		if o.spare.Add(-more) < 0 {
			o.spare.Add(more)
			return nil
		}
	}
	o.inflated -= min(o.inflated, int64(size))
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(r, out); err != nil {
		return nil
	}
	return out
}

// symtab returns the defined symbols of .symtab.
func (o *object) symtab() []module.Symbol {
	s := o.section(".symtab")
	if s == nil || uint64(s.link) >= uint64(len(o.sections)) {
		return nil
	}
	data, strtab := o.raw(s), o.raw(&o.sections[s.link])
	var symbols []module.Symbol
	work := 64*len(data) + 4*len(strtab) // names may overlap, and each is copied
	for ; len(data) >= elf.Sym64Size && work > 0; data = data[elf.Sym64Size:] {
		kind := elf.ST_TYPE(data[4])
		if kind != elf.STT_FUNC && kind != sttGNUIFunc && kind != elf.STT_NOTYPE {
			continue
		}
		where := elf.SectionIndex(le.Uint16(data[6:]))
		name := cstring(strtab, uint64(le.Uint32(data)), 1<<16)
		work -= len(name)
		symbols = append(symbols, module.Symbol{
			Name: name, Addr: le.Uint64(data[8:]), Size: le.Uint64(data[16:]), Type: kind, Bind: elf.ST_BIND(data[4]),
			Defined: where != elf.SHN_UNDEF, Absolute: where == elf.SHN_ABS,
		})
	}
	return symbols
}

// buildID returns the hex digits of the NT_GNU_BUILD_ID note, "" if there is none.
func (o *object) buildID() string {
	const gnuBuildID = 3
	for i := range o.sections {
		if o.sections[i].kind != elf.SHT_NOTE {
			continue
		}
		note := o.raw(&o.sections[i])
		for len(note) >= 12 {
			name, desc, kind := uint64(le.Uint32(note)), uint64(le.Uint32(note[4:])), le.Uint32(note[8:])
			at := 12 + (name+3)&^3
			if at+desc > uint64(len(note)) {
				break
			}
			if kind == gnuBuildID && name == 4 && string(note[12:16]) == "GNU\x00" && desc <= 64 {
				return hex.EncodeToString(note[at : at+desc])
			}
			note = note[min(uint64(len(note)), at+(desc+3)&^3):]
		}
	}
	return ""
}

// debugLink returns the file name in .gnu_debuglink and the checksum of that file.
func (o *object) debugLink() (name string, sum uint32, ok bool) {
	s := o.section(".gnu_debuglink")
	if s == nil {
		return "", 0, false
	}
	data := o.raw(s)
	name = cstring(data, 0, 255)
	at := (len(name) + 1 + 3) &^ 3
	if name == "" || name == "." || name == ".." || strings.Contains(name, "/") || at+4 > len(data) {
		return "", 0, false
	}
	return name, le.Uint32(data[at:]), true
}

// checksum is the one of .gnu_debuglink.
func checksum(data []byte) uint32 { return crc32.ChecksumIEEE(data) }
