package loader

import (
	"debug/elf"
	"encoding/binary"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// bindInfo is what binding needs of a module beyond what module.Module has.
type bindInfo struct {
	symbolic bool   // DT_SYMBOLIC or DF_SYMBOLIC: its own definitions come first
	second   string // the version with index 2, the oldest one that it defines
	defines  []string
	requires []requirement
}

// requirement is a version that a module asks of a library.
type requirement struct {
	library, version string
	weak             bool
}

// Bounds for the version tables: real libraries have a few hundred versions.
const (
	maxVersions = 1 << 16
	maxDynamic  = 1 << 16
)

// tables are the addresses in a dynamic section that bindInfo is read from.
type tables struct {
	strtab, verdef, verneed uint64
}

// bindInfoOf reads the dynamic section of a file that module.Open has accepted.
func bindInfoOf(m *module.Module, data []byte) bindInfo {
	var info bindInfo
	t := info.dynamic(m, dynamicAddr(data))
	if t.strtab == 0 {
		return info
	}
	info.definitions(m, t)
	info.requirements(m, t)
	return info
}

// dynamicAddr is the address of PT_DYNAMIC, 0 if there is none.
func dynamicAddr(data []byte) uint64 {
	const size, tableSize = 64, 56
	if len(data) < size {
		return 0
	}
	le := binary.LittleEndian
	at, n := le.Uint64(data[32:]), uint64(le.Uint16(data[56:]))
	if at > uint64(len(data)) {
		return 0
	}
	for i := uint64(0); i < n && at+(i+1)*tableSize <= uint64(len(data)); i++ {
		p := data[at+i*tableSize:]
		if elf.ProgType(le.Uint32(p)) == elf.PT_DYNAMIC {
			return le.Uint64(p[16:])
		}
	}
	return 0
}

func (info *bindInfo) dynamic(m *module.Module, at uint64) (t tables) {
	if at == 0 {
		return t
	}
	for range maxDynamic {
		entry := m.Bytes(at, 16)
		if entry == nil {
			return t
		}
		at += 16
		value := binary.LittleEndian.Uint64(entry[8:])
		switch elf.DynTag(binary.LittleEndian.Uint64(entry)) {
		case elf.DT_NULL:
			return t
		case elf.DT_STRTAB:
			t.strtab = value
		case elf.DT_VERDEF:
			t.verdef = value
		case elf.DT_VERNEED:
			t.verneed = value
		case elf.DT_SYMBOLIC:
			info.symbolic = true
		case elf.DT_FLAGS:
			info.symbolic = info.symbolic || elf.DynFlag(value)&elf.DF_SYMBOLIC != 0
		}
	}
	return t
}

// definitions walks DT_VERDEF: Elf64_Verdef with its first Elf64_Verdaux, the name.
func (info *bindInfo) definitions(m *module.Module, t tables) {
	le := binary.LittleEndian
	at := t.verdef
	for range maxVersions {
		def := m.Bytes(at, 20)
		if at == 0 || def == nil {
			return
		}
		name := ""
		if aux := m.Bytes(at+uint64(le.Uint32(def[12:])), 4); aux != nil {
			name = m.CString(t.strtab + uint64(le.Uint32(aux)))
		}
		const base = 1 // VER_FLG_BASE: the name of the library itself
		if le.Uint16(def[2:])&base == 0 {
			info.defines = append(info.defines, name)
			if le.Uint16(def[4:])&0x7fff == 2 {
				info.second = name
			}
		}
		next := uint64(le.Uint32(def[16:]))
		if next == 0 {
			return
		}
		at += next
	}
}

// requirements walks DT_VERNEED: for each library an Elf64_Verneed, for each version an
// Elf64_Vernaux.
func (info *bindInfo) requirements(m *module.Module, t tables) {
	le := binary.LittleEndian
	at := t.verneed
	for len(info.requires) < maxVersions {
		need := m.Bytes(at, 16)
		if at == 0 || need == nil {
			return
		}
		library := m.CString(t.strtab + uint64(le.Uint32(need[4:])))
		aux := at + uint64(le.Uint32(need[8:]))
		for range le.Uint16(need[2:]) {
			entry := m.Bytes(aux, 16)
			if entry == nil || len(info.requires) >= maxVersions {
				break
			}
			const weak = 2 // VER_FLG_WEAK
			info.requires = append(info.requires, requirement{
				library: library, version: m.CString(t.strtab + uint64(le.Uint32(entry[8:]))),
				weak: le.Uint16(entry[4:])&weak != 0,
			})
			aux += uint64(le.Uint32(entry[12:]))
		}
		next := uint64(le.Uint32(need[12:]))
		if next == 0 {
			return
		}
		at += next
	}
}
