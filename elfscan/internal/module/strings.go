package module

import "strings"

// stringTable is a string table, converted once: the names that it gives are parts of it.
type stringTable struct {
	text string
	// budget bounds the bytes that are looked through for names: many symbols can name the same
	// kilobytes. Linkers share equal names and ends of names, but not by this much.
	budget int
	bad    int // names that were asked for and are not there
}

func newStringTable(b []byte, file int) stringTable {
	return stringTable{text: string(b), budget: 16*file + 1<<20}
}

// at returns the name at an offset, "" if there is none.
func (t *stringTable) at(offset uint64) string {
	if offset >= uint64(len(t.text)) {
		if offset > 0 {
			t.bad++
		}
		return ""
	}
	rest := t.text[offset:]
	rest = rest[:min(len(rest), maxName, t.budget)]
	n := strings.IndexByte(rest, 0)
	if n < 0 {
		t.bad++
		t.budget -= len(rest)
		return ""
	}
	t.budget -= n
	return rest[:n]
}
