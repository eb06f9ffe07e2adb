package symbolize

import (
	"cmp"
	"slices"
	"sort"
)

// dwarf is the debug data of one file. It is not safe for concurrent use.
type dwarf struct {
	info, abbrev, line, lineStr, str, strOffsets, addr, ranges, rnglists []byte

	inCode func(addr uint64) bool // linkers leave functions that they dropped at address 0 and others

	work int // steps that are left

	units []unit
	spans []unitSpan // ascending

	tables     map[uint64]*abbrevs // by offset
	tablesSize int
	lines      map[uint64]*lineTable // by offset
	linesSize  int
	inlined    map[int][]inlined // by index of the unit
	inlineSize int
	names      map[uint64]string // by offset of the entry
}

// unit is a unit of compilation.
type unit struct {
	start, end                uint64 // in .debug_info, with the header
	entries                   uint64 // the first entry
	abbrev                    uint64
	version                   uint8
	long                      bool // 64-bit format
	addrSize                  uint64
	low                       uint64 // base of its ranges
	strBase, addrBase, rgBase uint64
	lines                     uint64 // offset in .debug_line
	hasLines                  bool
	dir                       string
}

func (u *unit) offsetSize() uint64 {
	if u.long {
		return 8
	}
	return 4
}

// unitSpan is a range of code that a unit describes.
type unitSpan struct {
	lo, hi uint64
	unit   int32
}

const (
	maxUnits = 1 << 18 // Chromium has about 30000
	maxSpans = 1 << 22
)

// newDwarf reads the list of units and which code they describe. Reading everything that an honest
// file has takes less than one step for each byte of it, twice.
func newDwarf(o *object, inCode func(uint64) bool) *dwarf {
	d := &dwarf{
		info: o.debug("info"), abbrev: o.debug("abbrev"), line: o.debug("line"), lineStr: o.debug("line_str"),
		str: o.debug("str"), strOffsets: o.debug("str_offsets"), addr: o.debug("addr"),
		ranges: o.debug("ranges"), rnglists: o.debug("rnglists"),
		inCode: inCode,
		tables: make(map[uint64]*abbrevs), lines: make(map[uint64]*lineTable),
		inlined: make(map[int][]inlined), names: make(map[uint64]string),
	}
	size := len(d.info) + len(d.abbrev) + len(d.line) + len(d.ranges) + len(d.rnglists)
	d.work = 1<<22 + 8*size
	d.readUnits()
	for i := range d.units {
		d.readRoot(i)
	}
	slices.SortFunc(d.spans, func(a, b unitSpan) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.unit, b.unit))
	})
	return d
}

// spend takes steps from what is left and reports whether there were that many.
func (d *dwarf) spend(n int) bool {
	d.work -= n
	return d.work >= 0
}

// readUnits reads the headers of all units.
func (d *dwarf) readUnits() {
	const (
		typeUnit, skeleton, splitCompile, splitType = 2, 4, 5, 6 // DW_UT
	)
	for at := uint64(0); at < uint64(len(d.info)) && len(d.units) < maxUnits; {
		c := cursorAt(d.info, at, uint64(len(d.info)))
		u := unit{start: at}
		var n uint64
		n, u.long = c.length()
		if c.bad || n > uint64(len(d.info)-c.at) {
			return
		}
		u.end = uint64(c.at) + n
		at = u.end
		c = cursorAt(d.info, uint64(c.at), u.end)
		version := c.uint(2)
		if version < 2 || version > 5 {
			continue
		}
		u.version = uint8(version)
		kind := uint8(0)
		if version == 5 {
			kind, u.addrSize = c.u8(), uint64(c.u8())
			u.abbrev = c.uint(u.offsetSize())
		} else {
			u.abbrev = c.uint(u.offsetSize())
			u.addrSize = uint64(c.u8())
		}
		if kind == skeleton || kind == splitCompile {
			c.uint(8)
		}
		if c.bad || u.addrSize != 8 || kind == typeUnit || kind == splitType {
			continue
		}
		u.entries = uint64(c.at)
		d.units = append(d.units, u)
	}
}

// readRoot reads the entry that describes a unit itself.
func (d *dwarf) readRoot(i int) {
	u := &d.units[i]
	c := cursorAt(d.info, u.entries, u.end)
	a, ok := d.findAbbrev(u.abbrev, c.uleb())
	if !ok {
		return
	}
	e, ok := d.entry(&c, u, &a)
	if !ok {
		return
	}
	u.strBase, u.addrBase, u.rgBase = e[attrStrBase].n, e[attrAddrBase].n, e[attrRangesBase].n
	u.lines, u.hasLines = e[attrLines].n, e[attrLines].kind == number
	u.dir = d.textOf(u, e[attrDir])
	u.low, _ = d.addressOf(u, e[attrLow])
	d.rangesOf(u, e, func(lo, hi uint64) bool {
		d.spans = append(d.spans, unitSpan{lo, hi, int32(i)})
		return len(d.spans) < maxSpans
	})
}

// unitOf returns the unit that describes an address, -1 if none does.
func (d *dwarf) unitOf(addr uint64) int {
	i := sort.Search(len(d.spans), func(i int) bool { return d.spans[i].lo > addr }) - 1
	for n := 0; i >= 0 && n < 16; i, n = i-1, n+1 {
		if addr < d.spans[i].hi {
			return int(d.spans[i].unit)
		}
	}
	return -1
}

// unitAt returns the unit that holds an offset of .debug_info, nil if there is none.
func (d *dwarf) unitAt(offset uint64) *unit {
	i := sort.Search(len(d.units), func(i int) bool { return d.units[i].start > offset }) - 1
	if i < 0 || offset >= d.units[i].end || offset < d.units[i].entries {
		return nil
	}
	return &d.units[i]
}

// The attributes that are looked at, as indices in an entry.
const (
	attrName = iota
	attrLinkage
	attrLow
	attrHigh
	attrRanges
	attrLines
	attrDir
	attrOrigin
	attrSpecification
	attrCallFile
	attrCallLine
	attrStrBase
	attrAddrBase
	attrRangesBase
	attrCount
)

type entry [attrCount]value

func attrIndex(at uint16) int {
	switch at {
	case 0x03:
		return attrName
	case 0x10:
		return attrLines
	case 0x11:
		return attrLow
	case 0x12:
		return attrHigh
	case 0x1b:
		return attrDir
	case 0x31:
		return attrOrigin
	case 0x47:
		return attrSpecification
	case 0x55:
		return attrRanges
	case 0x58:
		return attrCallFile
	case 0x59:
		return attrCallLine
	case 0x6e, 0x2007: // DW_AT_MIPS_linkage_name
		return attrLinkage
	case 0x72:
		return attrStrBase
	case 0x73, 0x2133: // DW_AT_GNU_addr_base
		return attrAddrBase
	case 0x74:
		return attrRangesBase
	}
	return -1
}

// entry reads the attributes of an entry, behind its code.
func (d *dwarf) entry(c *cursor, u *unit, a *abbrev) (*entry, bool) {
	if !d.spend(1 + len(a.attrs)) {
		return nil, false
	}
	var e entry
	for _, s := range a.attrs {
		v := d.value(c, u, s.form, s.implicit)
		if i := attrIndex(s.at); i >= 0 {
			e[i] = v
		}
	}
	return &e, !c.bad
}

// skip passes an entry by.
func (d *dwarf) skip(c *cursor, u *unit, a *abbrev) bool {
	if a.fixed {
		c.take(uint64(a.bytes) + uint64(a.addresses)*u.addrSize + uint64(a.offsets)*u.offsetSize())
		return d.spend(1) && !c.bad
	}
	if !d.spend(1 + len(a.attrs)) {
		return false
	}
	for _, s := range a.attrs {
		d.value(c, u, s.form, s.implicit)
	}
	return !c.bad
}
