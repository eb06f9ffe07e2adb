package symbolize

// abbrev is the shape of an entry of .debug_info.
type abbrev struct {
	tag      uint16
	children bool
	attrs    []attrSpec

	// The size of an entry where it is always the same, so that entries of no interest are passed by
	// in one step.
	fixed                     bool
	bytes, addresses, offsets int
}

type attrSpec struct {
	at, form uint16
	implicit int64
}

// abbrevs is a table of shapes by code.
type abbrevs struct {
	list []abbrev
	code map[uint64]int // nil if codes count from 1, as those of all compilers do
	size int
}

func (t *abbrevs) get(code uint64) *abbrev {
	if t.code != nil {
		i, ok := t.code[code]
		if !ok {
			return nil
		}
		return &t.list[i]
	}
	if code-1 >= uint64(len(t.list)) {
		return nil
	}
	return &t.list[code-1]
}

const (
	maxAbbrevAttrs   = 1 << 10 // of one shape; real ones have about 20
	maxAbbrevsCached = 1 << 18 // attributes, over all tables
)

// readAbbrev reads one shape. It reports false at the end of the table.
func (d *dwarf) readAbbrev(c *cursor) (code uint64, a abbrev, ok bool) {
	if code = c.uleb(); code == 0 || c.bad {
		return 0, a, false
	}
	a.tag, a.children, a.fixed = uint16(min(c.uleb(), 0xffff)), c.u8() != 0, true
	for {
		at, form := c.uleb(), c.uleb()
		var implicit int64
		if form == formImplicitConst {
			implicit = c.sleb()
		}
		if c.bad || !d.spend(1) || len(a.attrs) > maxAbbrevAttrs {
			return 0, a, false
		}
		if at == 0 && form == 0 {
			return code, a, true
		}
		if form > 0xffff {
			form = 0 // no form
		}
		a.attrs = append(a.attrs, attrSpec{uint16(min(at, 0xffff)), uint16(form), implicit})
		n, addresses, offsets, fixed := formSize(uint16(form))
		a.fixed = a.fixed && fixed
		a.bytes, a.addresses, a.offsets = a.bytes+n, a.addresses+addresses, a.offsets+offsets
	}
}

// abbrevTable returns the shapes at an offset of .debug_abbrev.
func (d *dwarf) abbrevTable(offset uint64) *abbrevs {
	if t := d.tables[offset]; t != nil {
		return t
	}
	t := &abbrevs{}
	c := cursorAt(d.abbrev, offset, uint64(len(d.abbrev)))
	for t.size < maxAbbrevsCached {
		code, a, ok := d.readAbbrev(&c)
		if !ok {
			break
		}
		if t.code == nil && code != uint64(len(t.list))+1 {
			t.code = make(map[uint64]int)
			for i := range t.list {
				t.code[uint64(i)+1] = i
			}
		}
		if t.code != nil {
			t.code[code] = len(t.list)
		}
		t.list = append(t.list, a)
		t.size += 1 + len(a.attrs)
	}
	if d.tablesSize += 1 + t.size; d.tablesSize > maxAbbrevsCached {
		clear(d.tables)
		d.tablesSize = 1 + t.size
	}
	d.tables[offset] = t
	return t
}

// findAbbrev returns one shape without reading all of the table.
func (d *dwarf) findAbbrev(offset, code uint64) (abbrev, bool) {
	c := cursorAt(d.abbrev, offset, uint64(len(d.abbrev)))
	for {
		got, a, ok := d.readAbbrev(&c)
		if !ok || got == code {
			return a, ok
		}
	}
}
