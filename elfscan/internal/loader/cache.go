package loader

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
)

// ld.so.cache, by sysdeps/generic/dl-cache.h of glibc.
const (
	cacheOldMagic   = "ld.so-1.7.0"
	cacheNewMagic   = "glibc-ld.so.cache1.1"
	cacheOldHeader  = 16 // magic, padding, number of entries
	cacheOldEntry   = 12
	cacheNewHeader  = 48
	cacheNewEntry   = 24
	cacheLittle     = 2 // cache_file_new_flags_endian_little; 0 is a cache before glibc 2.33
	cacheExtension  = 0xeaa42174
	cacheHwcapsTag  = 1
	cacheSections   = 100
	hwcapExtension  = 1 << 62 // DL_CACHE_HWCAP_EXTENSION: the low 32 bits index the list of names
	hwcapLevelMask  = 0x3ff   // DL_CACHE_HWCAP_ISA_LEVEL_MASK, in the upper half
	maxCacheEntries = 1 << 20
)

// cacheEntry is one library of ld.so.cache.
type cacheEntry struct {
	Path   string
	Flags  uint32
	Hwcaps string // name of the glibc-hwcaps directory or "legacy", "" for one of every machine
}

// parseCache reads an ld.so.cache into its entries by name, in the order of the file. Entries that
// point outside of the file are left out, as the loader does.
func parseCache(data []byte) map[string][]cacheEntry {
	body := data
	if bytes.HasPrefix(data, []byte(cacheOldMagic)) && len(data) >= cacheOldHeader {
		n := uint64(binary.LittleEndian.Uint32(data[12:]))
		at := (cacheOldHeader + n*cacheOldEntry + 7) &^ 7
		if n > maxCacheEntries || cacheOldHeader+n*cacheOldEntry > uint64(len(data)) {
			return nil
		}
		if at+cacheNewHeader > uint64(len(data)) || !bytes.HasPrefix(data[at:], []byte(cacheNewMagic)) {
			return oldCache(data, n)
		}
		body = data[at:]
	}
	if len(body) < cacheNewHeader || !bytes.HasPrefix(body, []byte(cacheNewMagic)) {
		return nil
	}
	n := uint64(binary.LittleEndian.Uint32(body[20:]))
	if endian := body[28] & 3; endian != 0 && endian != cacheLittle || n > maxCacheEntries || cacheNewHeader+n*cacheNewEntry > uint64(len(body)) {
		return nil
	}
	text := string(body) // names are parts of it: many entries can name the same bytes
	names := cacheHwcaps(body, text)
	out := make(map[string][]cacheEntry, n)
	for i := range n {
		e := body[cacheNewHeader+i*cacheNewEntry:]
		key, okKey := cacheString(text, binary.LittleEndian.Uint32(e[4:]))
		value, okValue := cacheString(text, binary.LittleEndian.Uint32(e[8:]))
		hwcaps, okHwcaps := hwcapsName(binary.LittleEndian.Uint64(e[16:]), names)
		if okKey && okValue && okHwcaps {
			out[key] = append(out[key], cacheEntry{Path: value, Flags: binary.LittleEndian.Uint32(e), Hwcaps: hwcaps})
		}
	}
	return out
}

// oldCache reads the entries of a cache without the newer part, written before glibc 2.2.
func oldCache(data []byte, n uint64) map[string][]cacheEntry {
	strs := string(data[cacheOldHeader+n*cacheOldEntry:])
	out := make(map[string][]cacheEntry, n)
	for i := range n {
		e := data[cacheOldHeader+i*cacheOldEntry:]
		key, okKey := cacheString(strs, binary.LittleEndian.Uint32(e[4:]))
		value, okValue := cacheString(strs, binary.LittleEndian.Uint32(e[8:]))
		if okKey && okValue {
			out[key] = append(out[key], cacheEntry{Path: value, Flags: binary.LittleEndian.Uint32(e)})
		}
	}
	return out
}

// cacheHwcaps reads the names of glibc-hwcaps directories from the extension area.
func cacheHwcaps(body []byte, text string) []string {
	at := uint64(binary.LittleEndian.Uint32(body[32:]))
	if at == 0 || at+8 > uint64(len(body)) || binary.LittleEndian.Uint32(body[at:]) != cacheExtension {
		return nil
	}
	sections := min(uint64(binary.LittleEndian.Uint32(body[at+4:])), cacheSections)
	for i := range sections {
		s := at + 8 + i*16
		if s+16 > uint64(len(body)) {
			return nil
		}
		if binary.LittleEndian.Uint32(body[s:]) != cacheHwcapsTag {
			continue
		}
		offset, size := uint64(binary.LittleEndian.Uint32(body[s+8:])), uint64(binary.LittleEndian.Uint32(body[s+12:]))
		if offset+size > uint64(len(body)) {
			return nil
		}
		var names []string
		for j := offset; j+4 <= offset+size && len(names) < cacheSections; j += 4 {
			name, _ := cacheString(text, binary.LittleEndian.Uint32(body[j:]))
			names = append(names, name)
		}
		return names
	}
	return nil
}

// hwcapsName says which machines an entry is for. Entries of directories that are not known are
// for none.
func hwcapsName(hwcap uint64, names []string) (string, bool) {
	if hwcap == 0 {
		return "", true
	}
	if hwcap>>32&^hwcapLevelMask == hwcapExtension>>32 {
		i := hwcap & 0xffffffff
		if i >= uint64(len(names)) {
			return "", false
		}
		return names[i], true
	}
	return "legacy", true
}

func cacheString(text string, at uint32) (string, bool) {
	if uint64(at) >= uint64(len(text)) {
		return "", false
	}
	s, _, ok := strings.Cut(text[at:min(uint64(len(text)), uint64(at)+maxPath)], "\x00")
	return s, ok
}

// cacheFlags is _DL_CACHE_DEFAULT_ID of the architecture: which entries are for this kind of
// program (sysdeps/generic/ldconfig.h). 1 is a library of no certain C library, good for all.
func cacheFlags(h header) uint32 {
	const libc6 = 3
	switch {
	case h.machine == elf.EM_X86_64 && h.class == elf.ELFCLASS64:
		return 0x0300 | libc6
	case h.machine == elf.EM_X86_64:
		return 0x0800 | libc6
	case h.machine == elf.EM_AARCH64:
		return 0x0a00 | libc6
	case h.machine == elf.EM_PPC64:
		return 0x0500 | libc6
	case h.machine == elf.EM_S390 && h.class == elf.ELFCLASS64:
		return 0x0400 | libc6
	case h.machine == elf.EM_RISCV:
		return 0x1000 | libc6
	}
	return libc6
}

// usable reports whether the loader of this program looks at an entry.
func (e cacheEntry) usable(h header) bool {
	return (e.Flags == 1 || e.Flags == cacheFlags(h)) && strings.HasPrefix(e.Path, "/")
}
