package symbolize

// inlined is a stretch of code of a function that was inlined into another. In a unit's list, those
// that hold an address come outermost first, as the entries of .debug_info do.
type inlined struct {
	lo, hi   uint64
	origin   uint64 // entry of the function in .debug_info
	callFile uint32
	callLine uint32
}

const (
	maxInlined  = 1 << 21 // kept, over all units: 64 MB
	maxNames    = 1 << 16
	maxNameHops = 8

	tagInlinedSubroutine = 0x1d
)

// inlinedIn returns the inlined calls of a unit.
func (d *dwarf) inlinedIn(index int) []inlined {
	if list, ok := d.inlined[index]; ok {
		return list
	}
	list := d.readInlined(&d.units[index])
	if d.inlineSize += len(list); d.inlineSize > maxInlined {
		clear(d.inlined)
		d.inlineSize = len(list)
	}
	d.inlined[index] = list
	return list
}

func (d *dwarf) readInlined(u *unit) (list []inlined) {
	t := d.abbrevTable(u.abbrev)
	c := cursorAt(d.info, u.entries, u.end)
	for c.at < len(c.data) && !c.bad && d.spend(1) && len(list) < maxInlined {
		code := c.uleb()
		if code == 0 {
			continue // end of a list of children
		}
		a := t.get(code)
		if a == nil {
			return list
		}
		if a.tag != tagInlinedSubroutine {
			if !d.skip(&c, u, a) {
				return list
			}
			continue
		}
		e, ok := d.entry(&c, u, a)
		if !ok {
			return list
		}
		call := inlined{
			origin: e[attrOrigin].n, callFile: uint32(min(e[attrCallFile].n, longestFileOrLine)),
			callLine: uint32(min(e[attrCallLine].n, longestFileOrLine)),
		}
		if e[attrOrigin].kind != reference {
			continue
		}
		d.rangesOf(u, e, func(lo, hi uint64) bool {
			call.lo, call.hi = lo, hi
			list = append(list, call)
			return len(list) < maxInlined
		})
	}
	return list
}

// nameOf returns the name of a function's entry, "" if it has none.
func (d *dwarf) nameOf(offset uint64) string {
	if name, ok := d.names[offset]; ok {
		return name
	}
	name := d.readName(offset, 0)
	if len(d.names) >= maxNames {
		clear(d.names)
	}
	d.names[offset] = name
	return name
}

// readName reads it: a symbol's name tells more than the bare one, and either may stand in the
// declaration that an entry refers to.
func (d *dwarf) readName(offset uint64, hops int) string {
	u := d.unitAt(offset)
	if u == nil || hops > maxNameHops {
		return ""
	}
	c := cursorAt(d.info, offset, u.end)
	a := d.abbrevTable(u.abbrev).get(c.uleb())
	if a == nil {
		return ""
	}
	e, ok := d.entry(&c, u, a)
	if !ok {
		return ""
	}
	if name := d.textOf(u, e[attrLinkage]); name != "" {
		return Name(name)
	}
	for _, i := range []int{attrSpecification, attrOrigin} {
		if e[i].kind == reference {
			if name := d.readName(e[i].n, hops+1); name != "" {
				return name
			}
		}
	}
	return shorten(d.textOf(u, e[attrName]))
}
