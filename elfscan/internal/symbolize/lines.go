package symbolize

import (
	"path"
	"sort"
)

// lineTable is what the line program of a unit computes.
type lineTable struct {
	version   uint8
	dirs      [][]byte
	files     []lineFile
	rows      []lineRow
	sequences []sequence
}

type lineFile struct {
	name []byte
	dir  uint64
}

// lineRow says that code from addr to the next row is of a line.
type lineRow struct {
	addr       uint64
	file, line uint32
}

// sequence is a run of rows with ascending addresses.
type sequence struct {
	lo, hi      uint64
	first, last int // rows[first:last]
}

const (
	maxRows      = 1 << 22 // kept, over all tables: 64 MB
	maxLineFiles = 1 << 20
)

// lineTable returns the table of a unit, nil if it has none.
func (d *dwarf) lineTable(u *unit) *lineTable {
	if !u.hasLines {
		return nil
	}
	if t := d.lines[u.lines]; t != nil {
		return t
	}
	t := d.readLines(u)
	size := len(t.rows) + len(t.files) + len(t.dirs) + 2*len(t.sequences)
	if d.linesSize += size; d.linesSize > maxRows {
		clear(d.lines)
		d.linesSize = size
	}
	d.lines[u.lines] = t
	return t
}

// lineHeader is what the program's meaning depends on.
type lineHeader struct {
	unit       unit // for the sizes of forms
	minLength  uint64
	lineBase   int64
	lineRange  uint64
	opcodeBase uint8
	lengths    []byte // operands of the standard opcodes, from 1
	program    cursor
}

func (d *dwarf) readLines(u *unit) *lineTable {
	t := &lineTable{}
	if h, ok := d.readLineHeader(t, u); ok {
		d.runLines(t, &h)
	}
	return t
}

func (d *dwarf) readLineHeader(t *lineTable, u *unit) (h lineHeader, ok bool) {
	c := cursorAt(d.line, u.lines, uint64(len(d.line)))
	n, long := c.length()
	if c.bad || n > uint64(len(d.line)-c.at) {
		return h, false
	}
	end := uint64(c.at) + n
	c = cursorAt(d.line, uint64(c.at), end)
	version := c.uint(2)
	if version < 2 || version > 5 {
		return h, false
	}
	// Forms are read as those of the unit, whose bases they refer to.
	h.unit = *u
	h.unit.long, h.unit.version, t.version = long, uint8(version), uint8(version)
	if version == 5 {
		h.unit.addrSize = uint64(c.u8())
		c.u8() // size of segment selectors
	}
	size := c.uint(h.unit.offsetSize())
	program := uint64(c.at) + size
	if c.bad || size > end-uint64(c.at) || h.unit.addrSize != 8 {
		return h, false
	}
	c = cursorAt(d.line, uint64(c.at), program)
	h.minLength = uint64(c.u8())
	if version >= 4 {
		c.u8() // operations of an instruction: one, except on machines with long instruction words
	}
	c.u8() // whether rows begin statements
	h.lineBase, h.lineRange, h.opcodeBase = int64(int8(c.u8())), uint64(c.u8()), c.u8()
	if c.bad || h.opcodeBase == 0 || h.lineRange == 0 {
		return h, false
	}
	h.lengths = c.take(uint64(h.opcodeBase) - 1)
	if version == 5 {
		d.readFiles5(t, &c, &h.unit)
	} else {
		d.readFiles(t, &c)
	}
	h.program = cursorAt(d.line, program, end)
	return h, !c.bad
}

// readFiles reads directories and files up to DWARF 4. Their numbers begin with 1, and directory 0
// is the unit's.
func (d *dwarf) readFiles(t *lineTable, c *cursor) {
	t.dirs, t.files = [][]byte{nil}, []lineFile{{}}
	for d.spend(2) && len(t.dirs) < maxLineFiles {
		dir := c.cstring()
		if len(dir) == 0 {
			break
		}
		t.dirs = append(t.dirs, dir)
	}
	for d.spend(2) && len(t.files) < maxLineFiles {
		name := c.cstring()
		if len(name) == 0 {
			break
		}
		t.files = append(t.files, lineFile{name, c.uleb()})
		c.uleb()
		c.uleb()
	}
}

// readFiles5 reads them in DWARF 5, where both are tables with formats of their own.
func (d *dwarf) readFiles5(t *lineTable, c *cursor, u *unit) {
	d.readTable(c, u, func(f lineFile) { t.dirs = append(t.dirs, f.name) })
	d.readTable(c, u, func(f lineFile) { t.files = append(t.files, f) })
}

func (d *dwarf) readTable(c *cursor, u *unit, add func(lineFile)) {
	const contentPath, contentDirectory = 1, 2
	type column struct{ content, form uint64 }
	columns := make([]column, c.u8())
	for i := range columns {
		columns[i] = column{c.uleb(), c.uleb()}
	}
	count := c.uleb()
	if len(columns) == 0 || count > maxLineFiles {
		c.bad = c.bad || count != 0
		return
	}
	for range count {
		var f lineFile
		for _, col := range columns {
			v := d.value(c, u, uint16(min(col.form, 0xffff)), 0)
			switch {
			case col.content == contentPath && v.kind == text:
				f.name = v.text
			case col.content == contentPath:
				f.name = []byte(d.textOf(u, v))
			case col.content == contentDirectory:
				f.dir = v.n
			}
		}
		if c.bad || !d.spend(2+len(columns)) {
			c.bad = true
			return
		}
		add(f)
	}
}

// path returns a file's path: absolute, or relative to where the compiler ran if that is not said.
func (t *lineTable) path(u *unit, file uint64) string {
	if file >= uint64(len(t.files)) || len(t.files[file].name) == 0 {
		return ""
	}
	f := t.files[file]
	var dir string
	if f.dir < uint64(len(t.dirs)) {
		dir = string(t.dirs[f.dir])
	}
	full := u.dir
	for _, part := range []string{dir, string(f.name)} {
		if path.IsAbs(part) {
			full = part
		} else if !(t.version == 5 && f.dir == 0 && part == dir) { // directory 0 is the unit's
			full = path.Join(full, part)
		}
	}
	return printable(path.Clean(full))
}

// find returns the file and line of an address.
func (t *lineTable) find(u *unit, addr uint64) (file string, line int) {
	for _, s := range t.sequences {
		if addr < s.lo || addr >= s.hi {
			continue
		}
		rows := t.rows[s.first:s.last]
		i := sort.Search(len(rows), func(i int) bool { return rows[i].addr > addr }) - 1
		if i >= 0 && rows[i].line != 0 { // line 0: code that no line stands for
			if file := t.path(u, uint64(rows[i].file)); file != "" {
				return file, int(rows[i].line)
			}
		}
		return "", 0
	}
	return "", 0
}
