package syscalls

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// shared opens a file of the shared data, which is not part of the repository.
func shared(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("PROFCHECK_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("shared data: %v", err)
		}
		t.Skipf("shared data: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestNumbersAgainstLibseccomp reads libseccomp's own table, column by column, with the bases added
// as its architecture files do (src/arch-mips.c, src/arch-x32.c), and expects exactly our numbers.
func TestNumbersAgainstLibseccomp(t *testing.T) {
	rows, err := csv.NewReader(shared(t, "data/libseccomp-syscalls.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]string{"mipsel": "mips", "mipsel64": "mips64", "mipsel64n32": "mips64n32", "ppc64le": "ppc64", "sheb": "sh"}
	bases := map[string]int{"x32": 0x40000000, "mips": 4000, "mips64": 5000, "mips64n32": 6000}
	if len(rows)-1 != len(Names()) {
		t.Errorf("%d names there, %d here", len(rows)-1, len(Names()))
	}
	for _, a := range Arches() {
		column := a.Name
		if columns[column] != "" {
			column = columns[column]
		}
		at := -1
		for i, cell := range rows[0] {
			if cell == column {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("%s: no column %s", a, column)
			continue
		}
		count := 0
		for _, row := range rows[1:] {
			here, ok := a.Number(row[0])
			if row[at] == "PNR" {
				if ok {
					t.Errorf("%s: %s is %d here, absent there", a, row[0], here)
				}
				continue
			}
			there, err := strconv.Atoi(row[at])
			if err != nil {
				t.Fatal(err)
			}
			count++
			if !ok || int(here) != there+bases[column] {
				t.Errorf("%s: %s is %d (%v) here, %d there", a, row[0], here, ok, there+bases[column])
			}
		}
		if count != len(a.Syscalls()) {
			t.Errorf("%s: %d calls there, %d here", a, count, len(a.Syscalls()))
		}
	}
	if !strings.Contains(rows[0][0], "v"+NewestKernel().String()+".") {
		t.Errorf("the file is for %q, the table for %s", rows[0][0], NewestKernel())
	}
}
