package module

import (
	"cmp"
	"slices"
)

// frames reads the frame description entries of .eh_frame. The frame header says where it begins,
// and how many entries its search table has.
func (r *reader) frames() {
	var h frameHeader
	if r.hasFrame {
		h = r.frameHeader()
	}
	start, size := h.frames, uint64(len(r.tail(h.frames)))
	if s := r.Section(".eh_frame"); s != nil && (h.frames == 0 || s.Addr == h.frames) {
		start, size = s.Addr, s.Size
	}
	if start == 0 {
		return
	}
	data := r.tail(start)
	if data == nil {
		r.problem(".eh_frame: %#x is not in a segment", start)
		return
	}
	p := frameParser{r: r, data: data[:min(size, uint64(len(data)))], addr: start}
	p.Frames = make([]Frame, 0, min(h.count, size/minFrame))
	bounded := uint64(0)
	if size == uint64(len(data)) { // to the segment's end: nothing says where the section ends
		bounded = h.count
	}
	p.walk(bounded)
	if p.walked < h.count {
		p.search(&h) // the walk stopped at a terminator that the linker left in the middle
	}
	r.Frames = p.sorted()
	if p.outside > 0 {
		r.problem(".eh_frame: %d entries for no executable memory", p.outside)
	}
	if p.broken != "" {
		r.problem(".eh_frame: %s", p.broken)
	}
}

// minFrame is the size of the smallest entry: a length, a pointer to its CIE, two addresses of two
// bytes.
const minFrame = 12

// frameHeader is .eh_frame_hdr: where .eh_frame is, and a table of its entries in order of address.
type frameHeader struct {
	frames uint64 // 0 if there is no usable header
	count  uint64
	table  []byte
	at     uint64 // address of table
	pair   uint64 // bytes of an entry of table
	code   uint8  // the encoding of its two halves
	addr   uint64 // of the header, which the table's offsets may be relative to
}

func (r *reader) frameHeader() frameHeader {
	const frameHeaderVersion = 1
	data := r.tail(r.frame)
	if len(data) < 4 || data[0] != frameHeaderVersion {
		r.problem("PT_GNU_EH_FRAME: no frame header at %#x", r.frame)
		return frameHeader{}
	}
	c := cursor{data: data[4:], addr: r.frame + 4, base: r.frame}
	h := frameHeader{frames: c.pointer(data[1]), addr: r.frame, code: data[3]}
	if c.bad || h.frames == 0 || data[1]&encodeIndirect != 0 {
		r.problem("PT_GNU_EH_FRAME: no pointer to .eh_frame at %#x", r.frame)
		return frameHeader{}
	}
	if data[2] == encodeOmit || data[3] == encodeOmit {
		return h
	}
	h.count = c.pointer(data[2])
	h.pair = 2 * sizeOfEncoding(h.code)
	if c.bad || h.pair == 0 || h.count > uint64(len(c.data))/h.pair {
		r.problem("PT_GNU_EH_FRAME: the table at %#x is cut short", c.addr)
		h.count = 0
		return h
	}
	h.table, h.at = c.data[:h.count*h.pair], c.addr
	return h
}

// frameParser walks over .eh_frame.
type frameParser struct {
	r      *reader
	data   []byte
	addr   uint64 // of data
	Frames []Frame

	walked  uint64 // entries seen, used or not
	outside int    // entries that cover no executable memory
	broken  string // what ended the walk before the end

	cie     uint64 // offset of the CIE that was read last, plus one
	code    uint8  // its encoding of addresses
	cieOK   bool
	segment *Segment // that the last entry was in
}

// walk reads entry after entry up to the terminator, or until count of them are found if that is
// not 0.
func (p *frameParser) walk(count uint64) {
	for at := uint64(0); at < uint64(len(p.data)) && (count == 0 || p.walked < count); {
		body, next, ok := p.entry(at)
		if !ok {
			if next != 0 {
				p.broken = "an entry is longer than the section"
			}
			return
		}
		p.entryAt(body, next)
		at = next
	}
}

// search reads the entries that the header's table points to.
func (p *frameParser) search(h *frameHeader) {
	p.Frames, p.walked, p.outside = p.Frames[:0], 0, 0
	c := cursor{data: h.table, addr: h.at, base: h.addr}
	for i := uint64(0); i < h.count; i++ {
		c.pointer(h.code)
		at := c.pointer(h.code) - p.addr
		if c.bad {
			return
		}
		if body, next, ok := p.entry(at); ok {
			p.entryAt(body, next)
		}
	}
}

// entry returns where the content of the entry at an offset begins and ends. It is not ok for the
// terminator (next is 0) and for one that is longer than the section.
func (p *frameParser) entry(at uint64) (body, next uint64, ok bool) {
	const extended = 0xffffffff // the length follows in 8 bytes
	size := uint64(len(p.data))
	if at > size || size-at < 4 {
		return 0, size, false
	}
	length, body := uint64(le.Uint32(p.data[at:])), at+4
	if length == 0 {
		return 0, 0, false
	}
	if length == extended {
		if size-body < 8 {
			return 0, size, false
		}
		length, body = le.Uint64(p.data[body:]), body+8
	}
	if length < 4 || length > size-body {
		return 0, size, false
	}
	return body, body + length, true
}

// entryAt reads the FDE with the content from body to next; a CIE it passes over.
func (p *frameParser) entryAt(body, next uint64) {
	back := uint64(le.Uint32(p.data[body:]))
	if back == 0 {
		return // a CIE
	}
	p.walked++
	if back > body || !p.useCIE(body-back) {
		p.outside++
		return
	}
	c := cursor{data: p.data[body+4 : next], addr: p.addr + body + 4, base: p.r.dyn.got}
	start := c.pointer(p.code)
	size := c.pointer(p.code & encodeFormat)
	if c.bad || p.code&encodeIndirect != 0 {
		p.outside++
		return
	}
	if size == 0 {
		return
	}
	s := p.segment
	if s == nil || start-s.Addr >= s.Size {
		if s = p.r.Segment(start); s == nil {
			p.outside++
			return
		}
		p.segment = s
	}
	if !s.Exec || size > s.Size-(start-s.Addr) {
		p.outside++
		return
	}
	p.Frames = append(p.Frames, Frame{start, start + size})
}

// sorted returns the frames in order of address, each once.
func (p *frameParser) sorted() []Frame {
	order := func(a, b Frame) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	}
	if !slices.IsSortedFunc(p.Frames, order) {
		slices.SortFunc(p.Frames, order)
	}
	return slices.Compact(p.Frames)
}

// useCIE reads which encoding the CIE at an offset gives the addresses of its FDEs.
func (p *frameParser) useCIE(at uint64) bool {
	if p.cie == at+1 {
		return p.cieOK
	}
	p.cie, p.cieOK = at+1, false
	body, next, ok := p.entry(at)
	if ok && le.Uint32(p.data[body:]) == 0 {
		p.code, p.cieOK = cieEncoding(p.data[body+4 : next])
	}
	return p.cieOK
}

// maxAugmentation bounds the augmentation string; real ones have up to five letters.
const maxAugmentation = 16

// cieEncoding reads a CIE from its version on. Only what precedes the encoding is looked at.
func cieEncoding(b []byte) (code uint8, ok bool) {
	c := cursor{data: b}
	version := c.byte()
	var text [maxAugmentation]byte
	n := 0
	for ; ; n++ {
		if n == len(text) {
			return 0, false
		}
		if text[n] = c.byte(); text[n] == 0 {
			break
		}
	}
	letters := text[:n]
	if n >= 2 && letters[0] == 'e' && letters[1] == 'h' { // of GCC 2: a pointer, and no sizes
		c.skip(wordSize)
		letters = letters[2:]
	}
	if version == 4 { // sizes of an address and of a segment selector
		c.skip(2)
	}
	c.uleb() // code alignment
	c.uleb() // data alignment, signed; as long as an unsigned one
	if version == 1 {
		c.byte() // return address register
	} else {
		c.uleb()
	}
	if len(letters) == 0 {
		return encodeAbsolute, !c.bad
	}
	if letters[0] != 'z' {
		return 0, false
	}
	c.uleb() // the size of what follows
	for _, l := range letters[1:] {
		switch l {
		case 'R':
			code = c.byte()
			return code, !c.bad && code != encodeOmit
		case 'P':
			personality := c.byte()
			if personality&encodeApplication == encodeAligned {
				return 0, false
			}
			c.pointer(personality)
		case 'L':
			c.byte()
		case 'S', 'B', 'G':
		default:
			return encodeAbsolute, !c.bad // 'z' lets readers ignore what they do not know
		}
	}
	return encodeAbsolute, !c.bad
}
