package module

import (
	"debug/elf"
	"sync"
)

// nameIndex finds symbols by name; it is built when the first one is looked up.
type nameIndex struct {
	once  sync.Once
	first map[string]uint32 // the first symbol of a name, by index
	next  []uint32          // the next symbol of the same name, 0 if none
}

// Lookup returns the index of the definition that the loader binds a reference to a version of a
// name to, if this module is the one it searches: an exact version, or an unversioned definition;
// for a reference without version ("") the base one, or the only one that is not hidden.
func (m *Module) Lookup(name, version string) (index uint32, ok bool) {
	return m.lookup(name, version, versionGlobal+1)
}

// LookupNewest returns the index of the definition that dlsym finds, if this module is the one that
// it searches: the default version.
func (m *Module) LookupNewest(name string) (index uint32, ok bool) {
	return m.lookup(name, "", versionGlobal)
}

// lookup is check_match of glibc's elf/dl-lookup.c. oldest is the last index of a version that
// serves a reference without version, even if it is hidden.
func (m *Module) lookup(name, version string, oldest uint16) (index uint32, ok bool) {
	m.names.once.Do(m.indexNames)
	var only uint32
	for i := m.names.first[name]; i != 0; i = m.names.next[i] {
		s := &m.Symbols[i]
		if m.versym == nil {
			return i, true
		}
		v := le.Uint16(m.versym[2*i:])
		switch {
		case version != "":
			if s.Version == version || s.Version == "" && v&versionHidden == 0 {
				return i, true
			}
		case v&versionIndex <= oldest:
			return i, true
		case v&versionHidden == 0 && only == 0:
			only = i
		}
	}
	return only, only != 0
}

// indexNames enters all symbols that a reference can bind to, as the loader sees it.
func (m *Module) indexNames() {
	m.names.first = make(map[string]uint32, len(m.Symbols))
	m.names.next = make([]uint32, len(m.Symbols))
	for i := len(m.Symbols) - 1; i > 0; i-- {
		if s := &m.Symbols[i]; s.Name != "" && s.bindable() {
			m.names.next[i] = m.names.first[s.Name]
			m.names.first[s.Name] = uint32(i)
		}
	}
}

// bindable reports whether references of other modules can bind to a symbol.
func (s *Symbol) bindable() bool {
	if !s.Defined || s.Bind == elf.STB_LOCAL || s.Addr == 0 && !s.Absolute && s.Type != elf.STT_TLS {
		return false
	}
	if s.Visibility == elf.STV_HIDDEN || s.Visibility == elf.STV_INTERNAL {
		return false
	}
	switch s.Type {
	case elf.STT_NOTYPE, elf.STT_OBJECT, elf.STT_FUNC, elf.STT_COMMON, elf.STT_TLS, elf.STT_GNU_IFUNC:
		return true
	}
	return false
}
