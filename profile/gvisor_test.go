package profile

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// The filters that gVisor made are proven to be what we resolve, on its ABI and on others; what it
// refused, we refuse.
func TestGVisorFilters(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "gvisor.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	x64 := arch(t, "x86_64")
	abis := []*syscalls.Arch{x64, arch(t, "x32"), arch(t, "x86"), arch(t, "riscv64")}
	proven, refused, crun := 0, 0, 0
	for line := 1; lines.Scan(); line++ {
		section, code, _ := strings.Cut(lines.Text(), "\t")
		p, err := ParseAs("p.json", []byte(section), OCI)
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Resolve(Target{Runtime: RuntimeGVisor, ABI: x64})
		var load *LoadError
		if err != nil && !errors.As(err, &load) {
			t.Fatal(err)
		}
		if (code == "refused") != (err != nil) {
			t.Errorf("line %d: gVisor refuses: %v, we: %v", line, code == "refused", err)
			continue
		}
		if err != nil {
			refused++
			continue
		}
		raw, err := hex.DecodeString(code)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := filter.Decode(raw, x64.Order())
		if err != nil {
			t.Fatal(err)
		}
		d := differenceOf(t, r, theirs, abis)
		if len(d.Changes)+len(d.Unknown) > 0 {
			t.Errorf("line %d: %v %v", line, d.Changes, d.Unknown)
			continue
		}
		proven++
		// The twin: crun makes another filter of nearly every section.
		if r, err = p.Resolve(Target{Runtime: RuntimeCrun, ABI: x64}); err == nil && len(differenceOf(t, r, theirs, abis).Changes) > 0 {
			crun++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d proven, %d refused; crun's would differ for %d", proven, refused, crun)
	if proven < 150 || refused != 5 || crun < 50 {
		t.Errorf("%d proven, %d refused, crun's differ for %d", proven, refused, crun)
	}
}
