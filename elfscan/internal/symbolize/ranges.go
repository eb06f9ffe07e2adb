package symbolize

// rangesOf calls yield for each stretch of code that an entry covers, until it returns false.
func (d *dwarf) rangesOf(u *unit, e *entry, yield func(lo, hi uint64) bool) {
	code := func(lo, hi uint64) bool {
		return lo >= hi || !d.inCode(lo) || yield(lo, hi)
	}
	switch r := e[attrRanges]; {
	case r.kind == number && u.version < 5:
		d.readRanges(u, r.n, code)
	case r.kind == number:
		d.readRangeList(u, r.n, code)
	case r.kind == rangeIndex:
		if at, ok := indexed(d.rnglists, u.rgBase, r.n, u.offsetSize()); ok {
			d.readRangeList(u, u.rgBase+at, code)
		}
	default:
		lo, ok := d.addressOf(u, e[attrLow])
		hi, absolute := d.addressOf(u, e[attrHigh])
		if !absolute && e[attrHigh].kind == number {
			hi = lo + e[attrHigh].n
		}
		if ok {
			code(lo, hi)
		}
	}
}

// readRanges reads a list of .debug_ranges: pairs that are relative to a base.
func (d *dwarf) readRanges(u *unit, offset uint64, yield func(lo, hi uint64) bool) {
	c, base := cursorAt(d.ranges, offset, uint64(len(d.ranges))), u.low
	for d.spend(4) {
		lo, hi := c.uint(u.addrSize), c.uint(u.addrSize)
		switch {
		case c.bad || lo == 0 && hi == 0:
			return
		case lo == ^uint64(0):
			base = hi
		case !yield(base+lo, base+hi):
			return
		}
	}
}

// readRangeList reads a list of .debug_rnglists: DWARF 5, 7.25.
func (d *dwarf) readRangeList(u *unit, offset uint64, yield func(lo, hi uint64) bool) {
	const (
		baseAddressx, startxEndx, startxLength         = 1, 2, 3
		offsetPair, baseAddress, startEnd, startLength = 4, 5, 6, 7
	)
	c, base := cursorAt(d.rnglists, offset, uint64(len(d.rnglists))), u.low
	addrx := func() uint64 {
		a, ok := indexed(d.addr, u.addrBase, c.uleb(), u.addrSize)
		c.bad = c.bad || !ok
		return a
	}
	for d.spend(2) {
		var lo, hi uint64
		switch c.u8() {
		default: // the end of the list is 0
			return
		case baseAddressx:
			base = addrx()
			continue
		case baseAddress:
			base = c.uint(u.addrSize)
			continue
		case startxEndx:
			lo, hi = addrx(), addrx()
		case startxLength:
			lo = addrx()
			hi = lo + c.uleb()
		case offsetPair:
			lo, hi = base+c.uleb(), base+c.uleb()
		case startEnd:
			lo, hi = c.uint(u.addrSize), c.uint(u.addrSize)
		case startLength:
			lo = c.uint(u.addrSize)
			hi = lo + c.uleb()
		}
		if c.bad || !yield(lo, hi) {
			return
		}
	}
}
