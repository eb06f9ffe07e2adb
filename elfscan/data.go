package elfscan

// dataIndex knows which code the program's data leads to.
type dataIndex struct {
	// code holds the entries of functions whose address stands anywhere in data, or that are a
	// method of some type.
	code map[uint64]bool
	// held lists them, but for addresses that are not an entry.
	held []int32
}

// data reads all data once, the first time it is asked for.
func (p *program) data() *dataIndex {
	if p.index != nil {
		return p.index
	}
	d := &dataIndex{code: map[uint64]bool{}}
	p.index = d
	for i := range p.im.segs {
		if s := &p.im.segs[i]; !s.exec {
			p.indexSegment(d, s)
		}
	}
	p.types.eachMethod(func(entry uint64) {
		d.code[entry] = true
		d.held = append(d.held, int32(p.tab.find(entry)))
	})
	return d
}

func (p *program) indexSegment(d *dataIndex, s *segment) {
	m := &p.tab.module
	first, last := p.tab.funcs[0].entry, p.tab.funcs[len(p.tab.funcs)-1].end
	for off := (s.addr+7)&^7 - s.addr; off+8 <= uint64(len(s.data)); off += 8 {
		a := s.addr + off
		if a == p.tab.addr { // the function table holds offsets only
			off += uint64(len(p.tab.data)-len(p.tab.funcdata)) &^ 7
			continue
		}
		w := p.im.order.Uint64(s.data[off:])
		if w < 4096 {
			continue
		}
		// Type descriptors hold sizes and offsets, which look like low addresses of code, and name
		// methods by offset only; but they do point to function values.
		inTypes := a >= m.types && a < m.etypes
		if w >= first && w < last && !inTypes {
			d.code[w] = true
			if f, ok := p.types.entry(w); ok {
				d.held = append(d.held, f)
			}
			continue
		}
		if v, ok := p.im.word(w); ok {
			if f, ok := p.types.entry(v); ok {
				d.held = append(d.held, f)
			}
		}
	}
}

// inData reports whether some object in data holds the address of code at entry, or some type has
// it as a method.
func (p *program) inData(entry uint64) bool { return p.data().code[entry] }

// dataTree shows how functions are reached whose address stands in data: through a table, an
// interface or a variable. Which code reads it is not followed, so these ways have no better root.
func (p *program) dataTree() *tree {
	var roots []int
	for _, f := range p.data().held {
		roots = append(roots, int(f))
	}
	return p.newTree(roots, nil)
}
