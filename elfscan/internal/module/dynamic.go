package module

import (
	"debug/elf"
	"strings"
)

// dynamic is what the dynamic section says about the other tables.
type dynamic struct {
	strtab, strsize       uint64
	symtab                uint64
	hash, gnuHash         uint64
	versym                uint64
	verneed, verneedCount uint64
	verdef, verdefCount   uint64
	rela, rel, relr, plt  Span
	pltIsRel              bool
	got                   uint64

	soname, rpath, runpath          uint64 // offsets in the string table
	hasSoname, hasRpath, hasRunpath bool
	needed, filters                 []uint64
	text                            stringTable
	initArray, finiArray, preinit   Span
}

// Tags of packed relocations, which debug/elf does not name.
const (
	dtRelrSize  = 35
	dtRelr      = 36
	dtRelrEntry = 37

	dtAndroidRel  = 0x6000000f
	dtAndroidRela = 0x60000011
	dtAndroidRelr = 0x6fffe000
)

// dynamicSection reads the dynamic section and the names in it.
func (r *reader) dynamicSection() {
	if !r.hasDynamic {
		return
	}
	table := r.Bytes(r.dynamicAt.Addr, r.dynamicAt.Size)
	if table == nil {
		r.problem("dynamic section: %#x bytes at %#x are not in a segment", r.dynamicAt.Size, r.dynamicAt.Addr)
		return
	}
	for ; len(table) >= dynSize; table = table[dynSize:] {
		tag := elf.DynTag(le.Uint64(table))
		if tag == elf.DT_NULL {
			break
		}
		r.dynamicEntry(tag, le.Uint64(table[8:]))
	}
	r.Rela = r.dyn.rela
	r.dynamicNames()
	r.PreinitArray = r.array("DT_PREINIT_ARRAY", r.dyn.preinit)
	r.InitArray = r.array("DT_INIT_ARRAY", r.dyn.initArray)
	r.FiniArray = r.array("DT_FINI_ARRAY", r.dyn.finiArray)
}

// dynamicEntry takes one entry. Of entries with the same tag the last one counts, as for the
// loader.
func (r *reader) dynamicEntry(tag elf.DynTag, v uint64) {
	d := &r.dyn
	switch tag {
	case elf.DT_NEEDED:
		d.needed = append(d.needed, v)
	case elf.DT_AUXILIARY, elf.DT_FILTER:
		d.filters = append(d.filters, v)
	case elf.DT_SONAME:
		d.soname, d.hasSoname = v, true
	case elf.DT_RPATH:
		d.rpath, d.hasRpath = v, true
	case elf.DT_RUNPATH:
		d.runpath, d.hasRunpath = v, true
	case elf.DT_FLAGS:
		r.BindNow = r.BindNow || elf.DynFlag(v)&elf.DF_BIND_NOW != 0
	case elf.DT_FLAGS_1:
		r.Flags1 = v
		r.BindNow = r.BindNow || elf.DynFlag1(v)&elf.DF_1_NOW != 0
	case elf.DT_BIND_NOW:
		r.BindNow = true
	case elf.DT_INIT:
		r.Init = v
	case elf.DT_FINI:
		r.Fini = v
	case elf.DT_SYMENT:
		r.entrySize("DT_SYMENT", v, symbolSize)
	case elf.DT_RELAENT:
		r.entrySize("DT_RELAENT", v, relaSize)
	case elf.DT_RELENT:
		r.entrySize("DT_RELENT", v, relSize)
	case dtRelrEntry:
		r.entrySize("DT_RELRENT", v, wordSize)
	case dtAndroidRel, dtAndroidRela, dtAndroidRelr:
		r.problem("dynamic section: tag %#x, relocations packed as Android does, is not read", uint64(tag))
	case elf.DT_PLTREL:
		d.pltIsRel = elf.DynTag(v) == elf.DT_REL
	default:
		if p := d.field(tag); p != nil {
			*p = v
		}
	}
}

// entrySize notes a size of entries that no loader accepts.
func (r *reader) entrySize(tag string, size, want uint64) {
	if size != want {
		r.problem("%s: entries of %d bytes instead of %d", tag, size, want)
	}
}

// field returns where the value of a tag is kept, or nil.
func (d *dynamic) field(tag elf.DynTag) *uint64 {
	switch tag {
	case elf.DT_STRTAB:
		return &d.strtab
	case elf.DT_STRSZ:
		return &d.strsize
	case elf.DT_SYMTAB:
		return &d.symtab
	case elf.DT_HASH:
		return &d.hash
	case elf.DT_GNU_HASH:
		return &d.gnuHash
	case elf.DT_VERSYM:
		return &d.versym
	case elf.DT_VERNEED:
		return &d.verneed
	case elf.DT_VERNEEDNUM:
		return &d.verneedCount
	case elf.DT_VERDEF:
		return &d.verdef
	case elf.DT_VERDEFNUM:
		return &d.verdefCount
	case elf.DT_PLTGOT:
		return &d.got
	case elf.DT_RELA:
		return &d.rela.Addr
	case elf.DT_RELASZ:
		return &d.rela.Size
	case elf.DT_REL:
		return &d.rel.Addr
	case elf.DT_RELSZ:
		return &d.rel.Size
	case elf.DT_JMPREL:
		return &d.plt.Addr
	case elf.DT_PLTRELSZ:
		return &d.plt.Size
	case dtRelr:
		return &d.relr.Addr
	case dtRelrSize:
		return &d.relr.Size
	case elf.DT_INIT_ARRAY:
		return &d.initArray.Addr
	case elf.DT_INIT_ARRAYSZ:
		return &d.initArray.Size
	case elf.DT_FINI_ARRAY:
		return &d.finiArray.Addr
	case elf.DT_FINI_ARRAYSZ:
		return &d.finiArray.Size
	case elf.DT_PREINIT_ARRAY:
		return &d.preinit.Addr
	case elf.DT_PREINIT_ARRAYSZ:
		return &d.preinit.Size
	}
	return nil
}

// dynamicNames reads the string table and what the dynamic section names in it.
func (r *reader) dynamicNames() {
	d := &r.dyn
	text := r.Bytes(d.strtab, d.strsize)
	if text == nil && (d.strtab != 0 || d.strsize != 0) {
		// The loader does not look at the size: whatever is there serves.
		text = r.tail(d.strtab)
		r.problem("DT_STRTAB: %#x bytes at %#x are not in a segment", d.strsize, d.strtab)
	}
	d.text = newStringTable(text, int(r.file.size))
	for _, at := range d.needed {
		name := d.text.at(at)
		if name == "" {
			r.problem("DT_NEEDED: no name at %#x of the string table", at)
			continue
		}
		r.Needed = append(r.Needed, name)
	}
	for _, at := range d.filters {
		if name := d.text.at(at); name != "" {
			r.Filters = append(r.Filters, name)
		}
	}
	if d.hasSoname {
		r.Soname = d.text.at(d.soname)
	}
	if d.hasRpath {
		r.Rpath = r.paths("DT_RPATH", d.rpath)
	}
	if d.hasRunpath {
		r.Runpath = r.paths("DT_RUNPATH", d.runpath)
	}
	d.text.bad = 0 // the symbols count their own
}

// paths reads a list of directories.
func (r *reader) paths(tag string, at uint64) []string {
	list := r.dyn.text.at(at)
	if list == "" {
		if r.dyn.text.bad > 0 {
			r.problem("%s: no name at %#x of the string table", tag, at)
		}
		return nil
	}
	return strings.Split(list, ":")
}

// array checks the range of an array of function addresses.
func (r *reader) array(tag string, s Span) Span {
	s.Size &^= wordSize - 1
	if s.Size == 0 {
		return Span{}
	}
	if !r.holds(s) {
		r.problem("%s: %#x bytes at %#x are not in a segment", tag, s.Size, s.Addr)
		return Span{}
	}
	return s
}
