package module

// The parts of a symbol's entry in DT_VERSYM, and the indices without a version.
const (
	versionIndex  = 0x7fff
	versionHidden = 0x8000
	versionGlobal = 1 // VER_NDX_GLOBAL; 0 is VER_NDX_LOCAL
)

// version is what an index in DT_VERSYM stands for.
type version struct{ name, library string }

// versions reads the versions that the file defines and those that it requires, by index.
func (r *reader) versions() []version {
	t := versionTable{r: r}
	t.definitions()
	t.requirements()
	return t.versions
}

// versionTable collects versions. Entries are linked by relative offsets, which only go forward:
// the number of steps is bounded by the memory that they walk over.
type versionTable struct {
	r        *reader
	versions []version
}

func (t *versionTable) add(index uint16, v version) {
	i := int(index & versionIndex)
	if i <= versionGlobal || v.name == "" {
		return
	}
	for len(t.versions) <= i {
		t.versions = append(t.versions, version{})
	}
	if t.versions[i].name == "" {
		t.versions[i] = v
	}
}

// definitions reads DT_VERDEF.
func (t *versionTable) definitions() {
	const size, auxSize = 20, 8 // Elf64_Verdef, Elf64_Verdaux
	const base = 1              // VER_FLG_BASE: the name of the file itself
	d := &t.r.dyn
	if d.verdef == 0 {
		return
	}
	table := t.r.tail(d.verdef)
	for n := uint64(0); n < d.verdefCount; n++ {
		if len(table) < size {
			t.r.problem("DT_VERDEF: %d of %d definitions are in a segment", n, d.verdefCount)
			return
		}
		flags, index := le.Uint16(table[2:]), le.Uint16(table[4:])
		aux, next := uint64(le.Uint32(table[12:])), uint64(le.Uint32(table[16:]))
		if aux+auxSize > uint64(len(table)) {
			t.r.problem("DT_VERDEF: the name of version %d is not in a segment", index)
		} else if flags&base == 0 {
			t.add(index, version{name: d.text.at(uint64(le.Uint32(table[aux:])))})
		}
		if next == 0 {
			return
		}
		table = table[min(next, uint64(len(table))):]
	}
}

// requirements reads DT_VERNEED.
func (t *versionTable) requirements() {
	const size, auxSize = 16, 16 // Elf64_Verneed, Elf64_Vernaux
	d := &t.r.dyn
	if d.verneed == 0 {
		return
	}
	table := t.r.tail(d.verneed)
	// The lists of two files could share entries: all steps together are bounded.
	steps := len(table) / auxSize
	for n := uint64(0); n < d.verneedCount; n++ {
		if len(table) < size {
			t.r.problem("DT_VERNEED: %d of %d files are in a segment", n, d.verneedCount)
			return
		}
		count, library := le.Uint16(table[2:]), d.text.at(uint64(le.Uint32(table[4:])))
		aux, next := uint64(le.Uint32(table[8:])), uint64(le.Uint32(table[12:]))
		list := table[min(aux, uint64(len(table))):]
		for ; count > 0; count-- {
			if steps--; len(list) < auxSize || steps < 0 {
				t.r.problem("DT_VERNEED: %d versions of %.64q are not in a segment", count, library)
				break
			}
			t.add(le.Uint16(list[6:]), version{d.text.at(uint64(le.Uint32(list[8:]))), library})
			step := uint64(le.Uint32(list[12:]))
			if step == 0 {
				break
			}
			list = list[min(step, uint64(len(list))):]
		}
		if next == 0 || steps < 0 {
			return
		}
		table = table[min(next, uint64(len(table))):]
	}
}
