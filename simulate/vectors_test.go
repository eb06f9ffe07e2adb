package simulate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A vector is one row of a vector table: a call and what a filter must do with it.
type vector struct {
	where  string
	arch   *syscalls.Arch
	data   filter.Data
	expect string
}

// parseVector reads "arch audit_arch syscall nr a0..a5 expect", separated by tabs.
func parseVector(line string) (vector, error) {
	f := strings.Split(line, "\t")
	if len(f) != 11 {
		return vector{}, fmt.Errorf("%d fields", len(f))
	}
	v := vector{arch: syscalls.ByName(f[0]), expect: f[10]}
	if v.arch == nil {
		return v, fmt.Errorf("no architecture %q", f[0])
	}
	audit, err := strconv.ParseUint(f[1], 0, 32)
	if err != nil {
		return v, err
	}
	nr, err := strconv.ParseInt(f[3], 0, 64)
	if err != nil || nr != int64(int32(nr)) && nr != int64(uint32(nr)) {
		return v, fmt.Errorf("number %q", f[3])
	}
	v.data.Nr, v.data.Arch = int32(nr), uint32(audit)
	for i := range v.data.Args {
		if v.data.Args[i], err = strconv.ParseUint(f[4+i], 0, 64); err != nil {
			return v, err
		}
	}
	return v, nil
}

// outcome writes an action as the vectors do: what is seen from outside.
func outcome(a filter.Action) string {
	switch a = a.Effect(); a.Base() {
	case filter.Errno, filter.Trace:
		return a.String()
	}
	return a.Base().String()
}

// expects reports whether the row allows the action; KILL is the old name of KILL_THREAD.
func (v vector) expects(a filter.Action) bool {
	want := v.expect
	if want == "KILL" {
		want = "KILL_THREAD"
	}
	return outcome(a) == want
}

// A suite is a filter with its rows.
type suite struct {
	name string
	p    filter.Program
	rows []vector
}

// recorded reads what a Linux 6.18 x86-64 kernel did with 200 random filters.
func recorded(t testing.TB) []suite {
	raw, err := os.ReadFile("testdata/kernel.tsv.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var all []suite
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if head, ok := strings.CutPrefix(lines.Text(), "filter "); ok {
			name, code, _ := strings.Cut(head, " ")
			b, err := hex.DecodeString(code)
			if err != nil {
				t.Fatalf("line %d: %v", n, err)
			}
			p, err := filter.Decode(b, binary.LittleEndian)
			if err != nil {
				t.Fatalf("line %d: %v", n, err)
			}
			all = append(all, suite{name: name, p: p})
			continue
		}
		v, err := parseVector(lines.Text())
		if err != nil || len(all) == 0 {
			t.Fatalf("line %d: %v", n, err)
		}
		v.where = fmt.Sprintf("line %d", n)
		all[len(all)-1].rows = append(all[len(all)-1].rows, v)
	}
	if err := lines.Err(); err != nil || len(all) != 200 {
		t.Fatalf("%d filters, %v", len(all), err)
	}
	return all
}

// sharedDir is the folder of shared data. Without it the test skips, and fails where CI is set.
func sharedDir(t testing.TB, sub string) string {
	t.Helper()
	dir := os.Getenv("PROFCHECK_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	dir = filepath.Join(dir, sub)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("shared data: %v", err)
		}
		t.Skipf("no shared data (set PROFCHECK_SHARED): %v", err)
	}
	return dir
}

// libseccompSuites reads the filters and rows of libseccomp's own regression suite.
func libseccompSuites(t testing.TB) []suite {
	dir := sharedDir(t, "vectors/libseccomp")
	files, err := filepath.Glob(filepath.Join(dir, "*.bpf"))
	if err != nil || len(files) != 43 {
		t.Fatalf("%d filters in %s, %v", len(files), dir, err)
	}
	var all []suite
	for _, file := range files {
		s := suite{name: strings.TrimSuffix(filepath.Base(file), ".bpf")}
		text, err := os.ReadFile(strings.TrimSuffix(file, ".bpf") + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			v, err := parseVector(line)
			if err != nil {
				t.Fatalf("%s:%d: %v", s.name, n+1, err)
			}
			v.where = fmt.Sprintf("line %d", n+1)
			s.rows = append(s.rows, v)
		}
		if len(s.rows) == 0 {
			t.Fatalf("%s has no rows", s.name)
		}
		s.p = readFilter(t, file, s.rows[0].arch.Order())
		all = append(all, s)
	}
	return all
}

func readFilter(t testing.TB, file string, order binary.ByteOrder) filter.Program {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Decode(raw, order)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := p.Verify(); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return p
}

// mobyFilter reads what libseccomp made of Docker's default profile for linux/amd64, as a tree.
func mobyFilter(t testing.TB) filter.Program {
	dir := sharedDir(t, "vectors/moby")
	return readFilter(t, filepath.Join(dir, "moby-amd64-dockerdefault-opt2.bpf"), binary.LittleEndian)
}

// mobyOrder is the byte order of a filter in vectors/moby, by its file's name.
func mobyOrder(file string) binary.ByteOrder {
	for _, big := range []string{"s390x", "ppc64-", "mips-", "mips64-"} {
		if strings.Contains(filepath.Base(file), big) {
			return binary.BigEndian
		}
	}
	return binary.LittleEndian
}
