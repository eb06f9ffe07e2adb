package elfscan

import (
	"bytes"
	"encoding/binary"
)

// pclntab is Go's table of functions: bounds, names, files, lines and inlined calls. It survives
// stripping, because the runtime itself needs it. The layout is that of Go 1.20 and later
// (src/runtime/symtab.go pcHeader, runtime2.go _func); older ones are not read.
type pclntab struct {
	im    *image
	addr  uint64
	data  []byte // from the header to the end of the segment or section
	order binary.ByteOrder

	text      uint64 // the address that function offsets count from
	quantum   uint32 // smallest instruction, 1 or 4 bytes
	funcnames []byte
	cutab     []byte
	filetab   []byte
	pctab     []byte
	funcdata  []byte // functab and the _func records after it

	module moduledata
	funcs  []function
	lookup []uint32 // index of the first function that ends after text + i<<lookupShift
	usual  bool     // the header has the magic number of the Go release, not a scrambled one
}

// function is one entry of the function table. Its bounds come from the sorted table itself:
// obfuscators scramble the copy of the entry inside the record.
type function struct {
	entry, end uint64
	record     uint32 // offset of its _func in pclntab.funcdata
}

const (
	headerWords = 8  // nfunc, nfiles, textStart, and five offsets
	headerSize  = 72 // 8 bytes of magic, quantum and pointer size, then the words
	lookupShift = 8
)

// usualMagic opens the table since Go 1.20; older releases have other layouts and other numbers.
const usualMagic = 0xfffffff1

var olderMagic = map[uint32]string{0xfffffffb: "1.2 to 1.15", 0xfffffffa: "1.16 or 1.17", 0xfffffff0: "1.18 or 1.19"}

// findPclntab looks for the function table: at the section that carries its name, then for its
// usual magic number in all memory, then for its shape alone, since garble scrambles the magic.
// It returns nil if there is none.
func findPclntab(im *image) *pclntab {
	tries := maxTables
	for _, h := range im.hints {
		if t := parsePclntab(im, h.addr, &tries); t != nil {
			return t
		}
	}
	for _, usual := range []bool{true, false} {
		for i := range im.segs {
			s := &im.segs[i]
			start := (s.addr+7)&^7 - s.addr
			for off := start; off+headerSize <= uint64(len(s.data)) && tries > 0; off += 8 {
				b := s.data[off:]
				// Cheapest test first: two zero bytes, quantum, pointer size.
				if b[4] != 0 || b[5] != 0 || b[7] != 8 || b[6] != 1 && b[6] != 4 {
					continue
				}
				if usual != (im.order.Uint32(b) == usualMagic) {
					continue
				}
				if t := parsePclntab(im, s.addr+off, &tries); t != nil {
					return t
				}
			}
		}
	}
	return nil
}

// maxTables bounds the places that look like a function table for which all memory is searched for
// the moduledata; real files have one.
const maxTables = 32

// olderTable returns the releases that write a table as it is found where the section headers
// point, if they are older than 1.20.
func olderTable(im *image) string {
	for _, h := range im.hints {
		if b := im.bytes(h.addr, 4); b != nil {
			if release, ok := olderMagic[im.order.Uint32(b)]; ok {
				return release
			}
		}
	}
	return ""
}

// parsePclntab reads the table at addr, or returns nil if what is there contradicts itself. It counts
// tries down when it looks for the moduledata, and does not once they are used up.
func parsePclntab(im *image, addr uint64, tries *int) *pclntab {
	s := im.segment(addr)
	if s == nil || addr-s.addr+headerSize > uint64(len(s.data)) {
		return nil
	}
	t := &pclntab{im: im, addr: addr, data: s.data[addr-s.addr:], order: im.order}
	if t.data[4] != 0 || t.data[5] != 0 || t.data[7] != 8 || t.data[6] != 1 && t.data[6] != 4 {
		return nil
	}
	t.quantum = uint32(t.data[6])
	magic := t.order.Uint32(t.data)
	if _, older := olderMagic[magic]; older {
		return nil
	}
	t.usual = magic == usualMagic
	var w [headerWords]uint64
	for i := range w {
		w[i] = t.order.Uint64(t.data[8+8*i:])
	}
	nfunc, nfiles, offs := w[0], w[1], w[3:]
	size := uint64(len(t.data))
	if nfunc == 0 || nfunc > size/8 || nfiles > size || offs[0] < headerSize || offs[0] > 2*headerSize {
		return nil
	}
	for i, o := range offs {
		if o > size || i > 0 && o < offs[i-1] {
			return nil
		}
	}
	t.funcnames = t.data[offs[0]:offs[1]]
	t.cutab = t.data[offs[1]:offs[2]]
	t.filetab = t.data[offs[2]:offs[3]]
	t.pctab = t.data[offs[3]:offs[4]]
	t.funcdata = t.data[offs[4]:]
	if *tries == 0 {
		return nil
	}
	if *tries--; !t.findModule() || !t.readFuncs(nfunc) {
		return nil
	}
	t.index()
	return t
}

// readFuncs reads the function table: nfunc pairs of offsets (entry from text, record from the
// table's start), sorted by entry, and the end of the last function.
func (t *pclntab) readFuncs(nfunc uint64) bool {
	if nfunc > (uint64(len(t.funcdata))-4)/8 || len(t.funcdata) < 4 {
		return false
	}
	t.funcs = make([]function, 0, nfunc)
	prev := uint32(0)
	for i := range nfunc {
		entry, record := t.order.Uint32(t.funcdata[8*i:]), t.order.Uint32(t.funcdata[8*i+4:])
		end := t.order.Uint32(t.funcdata[8*i+8:])
		if entry < prev || end < entry || uint64(record)+funcSize > uint64(len(t.funcdata)) {
			return false
		}
		prev = entry
		if end > entry {
			t.funcs = append(t.funcs, function{t.text + uint64(entry), t.text + uint64(end), record})
		}
	}
	n := len(t.funcs)
	return n > 0 && t.im.bytes(t.funcs[0].entry, t.funcs[n-1].end-t.funcs[0].entry) != nil
}

func (t *pclntab) index() {
	first, last := t.funcs[0].entry, t.funcs[len(t.funcs)-1].end
	t.lookup = make([]uint32, (last-first)>>lookupShift+1)
	f := 0
	for i := range t.lookup {
		for f < len(t.funcs)-1 && t.funcs[f].end <= first+uint64(i)<<lookupShift {
			f++
		}
		t.lookup[i] = uint32(f)
	}
}

// span returns where the code of all functions begins and ends.
func (t *pclntab) span() (first, last uint64) {
	return t.funcs[0].entry, t.funcs[len(t.funcs)-1].end
}

// find returns the index of the function that holds addr, or -1.
func (t *pclntab) find(addr uint64) int {
	first := t.funcs[0].entry
	if addr < first || (addr-first)>>lookupShift >= uint64(len(t.lookup)) {
		return -1
	}
	i := int(t.lookup[(addr-first)>>lookupShift])
	for i < len(t.funcs) && t.funcs[i].end <= addr {
		i++
	}
	if i == len(t.funcs) || addr < t.funcs[i].entry {
		return -1
	}
	return i
}

// code returns the bytes of function f.
func (t *pclntab) code(f int) []byte {
	fn := &t.funcs[f]
	return t.im.bytes(fn.entry, fn.end-fn.entry)
}

// Offsets in a _func record.
const (
	funcName     = 4
	funcArgs     = 8
	funcPcfile   = 20
	funcPcln     = 24
	funcNpcdata  = 28
	funcCu       = 32
	funcFlag     = 41
	funcNfuncdat = 43
	funcSize     = 44

	flagAsm = 4 // abi.FuncFlagAsm

	pcdataInlTree   = 2
	funcdataInlTree = 3
)

func (t *pclntab) u32(f int, off uint32) uint32 {
	return t.order.Uint32(t.funcdata[t.funcs[f].record+off:])
}

// name returns the name of function f as the binary has it, which an obfuscator may have changed.
func (t *pclntab) name(f int) string { return t.nameAt(t.u32(f, funcName)) }

func (t *pclntab) nameAt(off uint32) string {
	if uint64(off) >= uint64(len(t.funcnames)) {
		return ""
	}
	return cString(t.funcnames[off:])
}

// stackArgs returns the bytes of stack that the callers of f lay out for its arguments and
// results, and false if the function does not say (assembly without a signature).
func (t *pclntab) stackArgs(f int) (uint64, bool) {
	n := int32(t.u32(f, funcArgs))
	return uint64(n), n >= 0
}

// isAssembly reports whether f was written in assembly: no compiler's habits can be expected.
func (t *pclntab) isAssembly(f int) bool {
	return t.funcdata[t.funcs[f].record+funcFlag]&flagAsm != 0
}

// frame is a function and source position that an address belongs to.
type frame struct {
	function string
	file     string
	line     int
}

// frames returns where addr in function f comes from: the innermost inlined function first, f
// itself last.
func (t *pclntab) frames(f int, addr uint64) []frame {
	var out []frame
	entry := t.funcs[f].entry
	// parents ends the chain on any table, also on one that loops.
	for parents := 0; parents < 64; parents++ {
		call, ok := t.inlined(f, addr)
		file, line := t.position(f, addr)
		if !ok {
			return append(out, frame{t.name(f), file, line})
		}
		out = append(out, frame{t.nameAt(call.name), file, line})
		if addr = entry + uint64(call.parentPc); addr >= t.funcs[f].end {
			break
		}
	}
	return append(out, frame{function: t.name(f)})
}

func (t *pclntab) position(f int, addr uint64) (string, int) {
	line, ok := t.pcvalue(t.u32(f, funcPcln), f, addr)
	if !ok {
		return "", 0
	}
	idx, ok := t.pcvalue(t.u32(f, funcPcfile), f, addr)
	if !ok || idx < 0 {
		return "", int(line)
	}
	cu := 4 * (uint64(t.u32(f, funcCu)) + uint64(idx))
	if cu+4 > uint64(len(t.cutab)) {
		return "", int(line)
	}
	off := t.order.Uint32(t.cutab[cu:])
	if uint64(off) >= uint64(len(t.filetab)) {
		return "", int(line)
	}
	return cString(t.filetab[off:]), int(line)
}

type inlinedCall struct {
	name     uint32 // offset in funcnames
	parentPc uint32 // offset of the call from the function's entry
}

// inlined returns the inlined call that addr belongs to, if any.
func (t *pclntab) inlined(f int, addr uint64) (inlinedCall, bool) {
	rec := uint64(t.funcs[f].record)
	npc := uint64(t.u32(f, funcNpcdata))
	nfd := uint64(t.funcdata[rec+funcNfuncdat])
	if npc <= pcdataInlTree || nfd <= funcdataInlTree || t.module.gofunc == 0 {
		return inlinedCall{}, false
	}
	at := rec + funcSize + 4*pcdataInlTree
	fd := rec + funcSize + 4*npc + 4*funcdataInlTree
	if npc > 64 || fd+4 > uint64(len(t.funcdata)) {
		return inlinedCall{}, false
	}
	table, tree := t.order.Uint32(t.funcdata[at:]), t.order.Uint32(t.funcdata[fd:])
	if table == 0 || tree == ^uint32(0) {
		return inlinedCall{}, false
	}
	i, ok := t.pcvalue(table, f, addr)
	if !ok || i < 0 {
		return inlinedCall{}, false
	}
	b := t.im.bytes(t.module.gofunc+uint64(tree)+16*uint64(i), 16)
	if b == nil {
		return inlinedCall{}, false
	}
	return inlinedCall{t.order.Uint32(b[4:]), t.order.Uint32(b[8:])}, true
}

// pcvalue looks up addr in the run-length table at off of pctab: pairs of a zigzag value delta and
// a pc delta, both varints, starting from value -1 at the function's entry.
func (t *pclntab) pcvalue(off uint32, f int, addr uint64) (int64, bool) {
	if off == 0 || uint64(off) >= uint64(len(t.pctab)) {
		return 0, false
	}
	b := t.pctab[off:]
	pc, value := t.funcs[f].entry, int64(-1)
	for first := true; ; first = false {
		dv, n := binary.Uvarint(b)
		if n <= 0 || dv == 0 && !first {
			return 0, false
		}
		b = b[n:]
		dp, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, false
		}
		b = b[n:]
		value += int64(int32(uint32(dv>>1)) ^ -int32(uint32(dv&1)))
		if pc += dp * uint64(t.quantum); addr < pc {
			return value, true
		}
		if pc >= t.funcs[f].end {
			return 0, false
		}
	}
}

// moduledata is what the scan needs of runtime.firstmoduledata, the linker's description of the
// program (src/runtime/symtab.go). All are addresses.
type moduledata struct {
	addr           uint64
	text, etext    uint64
	types, etypes  uint64
	rodata, gofunc uint64
}

// Offsets in moduledata, the same from Go 1.20 to 1.26.
const (
	modFuncnametab = 8
	modMinpc       = 160
	modText        = 176
	modSections    = 192 // where data and bss begin and end, up to the types
	modTypes       = 296
	modGofunc      = 320
	modSize        = 328
)

// findModule finds the moduledata that points to this table. It says where the text begins (since Go
// 1.26 nothing else does) and where types are, without which calls through interfaces would be missed.
func (t *pclntab) findModule() bool {
	var key [8]byte
	t.order.PutUint64(key[:], t.addr)
	for i := range t.im.segs {
		s := &t.im.segs[i]
		for from := 0; ; {
			k := bytes.Index(s.data[from:], key[:])
			if k < 0 {
				break
			}
			from += k + 1
			if a := s.addr + uint64(from-1); a%8 == 0 && t.readModule(a) {
				t.text = t.module.text
				return true
			}
		}
	}
	return false
}

func (t *pclntab) readModule(a uint64) bool {
	b := t.im.bytes(a, modSize)
	if b == nil {
		return false
	}
	w := func(off int) uint64 { return t.order.Uint64(b[off:]) }
	m := moduledata{addr: a, text: w(modText), etext: w(modText + 8), types: w(modTypes), etypes: w(modTypes + 8),
		rodata: w(modTypes + 16), gofunc: w(modGofunc)}
	// funcnametab is a slice of this very table; minpc lies in text.
	if w(modFuncnametab) != t.addr+t.order.Uint64(t.data[8+8*3:]) || m.text >= m.etext || w(modMinpc) < m.text || w(modMinpc) >= m.etext {
		return false
	}
	if m.types > m.etypes || t.im.bytes(m.types, m.etypes-m.types) == nil {
		return false
	}
	t.module = m
	return true
}

// functionsNamed returns the functions of the given name, in address order: several where the
// compiler made wrappers for another calling convention.
func (t *pclntab) functionsNamed(name string) []int {
	var out []int
	for f := range t.funcs {
		if off := t.u32(f, funcName); uint64(off)+uint64(len(name)) < uint64(len(t.funcnames)) &&
			string(t.funcnames[off:off+uint32(len(name))]) == name && t.funcnames[off+uint32(len(name))] == 0 {
			out = append(out, f)
		}
	}
	return out
}
