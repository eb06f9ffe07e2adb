package module

import "bytes"

// Segment returns the segment that holds addr, or nil.
func (m *Module) Segment(addr uint64) *Segment {
	for i := range m.Segments {
		if s := &m.Segments[i]; addr-s.Addr < s.Size {
			return s
		}
	}
	return nil
}

// Bytes returns the n bytes at addr that the file backs, or nil if it does not back all of them.
func (m *Module) Bytes(addr, n uint64) []byte {
	s := m.Segment(addr)
	if s == nil {
		return nil
	}
	off := addr - s.Addr
	if off > uint64(len(s.Data)) || n > uint64(len(s.Data))-off {
		return nil
	}
	return s.Data[off : off+n : off+n]
}

// tail returns all bytes from addr to the end of what the file backs.
func (m *Module) tail(addr uint64) []byte {
	s := m.Segment(addr)
	if s == nil || addr-s.Addr >= uint64(len(s.Data)) {
		return nil
	}
	return s.Data[addr-s.Addr:]
}

// Word reads the pointer-sized word at addr, as it is before relocation. Memory that only exists
// zero-filled reads as 0.
func (m *Module) Word(addr uint64) (uint64, bool) {
	s := m.Segment(addr)
	if s == nil || s.Size-(addr-s.Addr) < wordSize {
		return 0, false
	}
	off := addr - s.Addr
	if off >= uint64(len(s.Data)) {
		return 0, true
	}
	if b := s.Data[off:]; len(b) >= wordSize {
		return le.Uint64(b), true
	}
	var b [wordSize]byte // the end of the file's part, and zeros
	copy(b[:], s.Data[off:])
	return le.Uint64(b[:]), true
}

// CString reads a string that ends in a zero byte, "" if there is none at addr.
func (m *Module) CString(addr uint64) string { return zeroTerminated(m.tail(addr)) }

// Writable reports whether the program can write to addr after the loader has finished with the
// module. The loader protects whole pages only: what PT_GNU_RELRO begins of its last page stays
// writable.
func (m *Module) Writable(addr uint64) bool {
	s := m.Segment(addr)
	if s == nil || !s.Write {
		return false
	}
	for _, r := range m.Relro {
		if end := (r.Addr + r.Size) &^ (page - 1); r.Addr <= addr && addr < end {
			return false
		}
	}
	return true
}

// Executable reports whether addr lies in memory that is mapped executable.
func (m *Module) Executable(addr uint64) bool {
	s := m.Segment(addr)
	return s != nil && s.Exec
}

// holds reports whether a range lies in one segment.
func (m *Module) holds(r Span) bool {
	s := m.Segment(r.Addr)
	return s != nil && r.Size <= s.Size-(r.Addr-s.Addr)
}

// maxName bounds names read from a file; generic instantiations reach some kilobytes.
const maxName = 1 << 16

// zeroTerminated returns the string at the beginning of b, "" if no zero byte ends it.
func zeroTerminated(b []byte) string {
	i := bytes.IndexByte(b[:min(len(b), maxName)], 0)
	if i < 0 {
		return ""
	}
	return string(b[:i])
}
