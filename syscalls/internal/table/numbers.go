package table

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var headerKernel = regexp.MustCompile(`v(\d+\.\d+)`)

// ReadNumbers replaces the numbers of t by those of libseccomp's src/syscalls.csv: a first cell
// that names the kernel, then for each column its number (or PNR) and its first kernel, which that
// file leaves undefined. A name that is new gets an entry without prototype, one that is gone loses
// its entry; what else the table knows of a call is kept. It is an error if the file has a column
// that t does not name, or lacks one.
func (t *Table) ReadNumbers(r io.Reader) error {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return err
	}
	if len(rows) == 0 || len(rows[0]) == 0 {
		return fmt.Errorf("empty file")
	}
	head := rows[0]
	release := headerKernel.FindStringSubmatch(head[0])
	if release == nil {
		return fmt.Errorf("no kernel release in %q", head[0])
	}
	var columns []string
	for _, cell := range head[1:] {
		if !strings.HasSuffix(cell, "_kver") {
			columns = append(columns, cell)
		}
	}
	if got, want := slices.Sorted(slices.Values(columns)), slices.Sorted(slices.Values(t.Columns)); !slices.Equal(got, want) {
		return fmt.Errorf("columns %v, the table has %v", got, want)
	}
	var entries []*Entry
	for _, row := range rows[1:] {
		e := t.entry(row[0])
		e.Numbers = map[string]int32{}
		for i, cell := range row[1:] {
			if strings.HasSuffix(head[i+1], "_kver") || cell == "PNR" {
				continue
			}
			nr, err := strconv.ParseInt(cell, 10, 32)
			if err != nil || nr < 0 {
				return fmt.Errorf("%s: bad number %q for %s", row[0], cell, head[i+1])
			}
			e.Numbers[head[i+1]] = int32(nr)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b *Entry) int { return strings.Compare(a.Name, b.Name) })
	t.Kernel, t.Entries = release[1], entries
	return t.check()
}

func (t *Table) entry(name string) *Entry {
	for _, e := range t.Entries {
		if e.Name == name {
			return e
		}
	}
	return &Entry{Name: name}
}
