package symbolize

import (
	"bytes"
	stddwarf "debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// tool returns a command's path. Where it is missing the test is skipped, or fails where CI is set.
func tool(t *testing.T, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return file
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// openFile opens a file of the machine with its separate debug file.
func openFile(t testing.TB, file string) (*module.Module, *Symbolizer) {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(file + " is not there")
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := module.Open(file, data)
	if err != nil {
		t.Fatal(err)
	}
	return m, New(m, Source{Data: data, Path: file, Open: os.ReadFile})
}

const libc = "/usr/lib/x86_64-linux-gnu/libc.so.6"

// location is one frame of addr2line -f -i. Its files are left out: that of binutils 2.40 takes file
// numbers of DWARF 5 for those of DWARF 4 and names an includer in place of the included file.
type location struct {
	function string
	line     int
}

// addr2line asks for the frames of addresses.
func addr2line(t *testing.T, file string, addrs []uint64) [][]location {
	t.Helper()
	var in strings.Builder
	for _, a := range addrs {
		fmt.Fprintf(&in, "%#x\n", a)
	}
	cmd := exec.Command(tool(t, "addr2line"), "-a", "-f", "-i", "-e", file)
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]location
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for i := 0; i < len(lines); {
		if strings.HasPrefix(lines[i], "0x") {
			all = append(all, nil)
			i++
			continue
		}
		place, _, _ := strings.Cut(lines[i+1], " (discriminator")
		colon := strings.LastIndexByte(place, ':')
		n, _ := strconv.Atoi(place[colon+1:]) // "?" is 0
		all[len(all)-1] = append(all[len(all)-1], location{lines[i], n})
		i += 2
	}
	if len(all) != len(addrs) {
		t.Fatalf("addr2line: %d answers to %d questions", len(all), len(addrs))
	}
	return all
}

// someCode returns addresses inside of functions.
func someCode(m *module.Module, n int) []uint64 {
	r := rand.New(rand.NewPCG(1, 2))
	var addrs []uint64
	for range n {
		f := m.Frames[r.IntN(len(m.Frames))]
		if f.End > f.Start {
			addrs = append(addrs, f.Start+r.Uint64N(f.End-f.Start))
		}
	}
	return addrs
}

func TestLinesOfLibc(t *testing.T) {
	m, s := openFile(t, libc)
	if s.debugFile() == nil {
		missing(t, "no debug file of libc: libc6-dbg")
	}
	addrs := someCode(m, 3000)
	var same, inlinedFrames int
	for i, want := range addr2line(t, libc, addrs) {
		got := s.Frames(addrs[i])
		if len(got) != len(want) {
			t.Errorf("%#x: %v, addr2line says %v", addrs[i], got, want)
			continue
		}
		for j := range got {
			if got[j].Line != want[j].line || j < len(got)-1 && got[j].Function != want[j].function {
				t.Errorf("%#x, frame %d: %v, addr2line says %v", addrs[i], j, got[j], want[j])
			}
		}
		same, inlinedFrames = same+1, inlinedFrames+len(got)-1
	}
	if inlinedFrames == 0 {
		t.Error("no inlined frame among so many addresses")
	}
}

// Files and lines as the standard library reads them.
func TestLinesAsDebugDwarf(t *testing.T) {
	m, s := openFile(t, libc)
	if s.debugFile() == nil {
		missing(t, "no debug file of libc: libc6-dbg")
	}
	compareLines(t, s, s.debugFile().data, someCode(m, 300))
}

// compareLines compares with debug/dwarf, which reads the whole table of a unit anew for each address.
func compareLines(t *testing.T, s *Symbolizer, data []byte, addrs []uint64) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, addr := range addrs {
		e, err := d.Reader().SeekPC(addr)
		if err != nil {
			continue
		}
		lines, err := d.LineReader(e)
		if err != nil || lines == nil {
			continue
		}
		var row stddwarf.LineEntry
		if lines.SeekPC(addr, &row) != nil || row.Line == 0 {
			continue // it gives up at units whose code is not in one piece
		}
		known++
		// Relative directories of DWARF 5 are not joined to the unit's there.
		want := strings.TrimLeft(path.Clean(row.File.Name), "./")
		file, line := s.Line(addr)
		if line != row.Line || file != want && !strings.HasSuffix(file, "/"+want) {
			t.Errorf("%#x: %s:%d, debug/dwarf says %s:%d", addr, file, line, row.File.Name, row.Line)
		}
	}
	if known < len(addrs)*3/4 {
		t.Errorf("debug/dwarf knows %d of %d addresses", known, len(addrs))
	}
}

// c++filt -p writes names without parameters and return types, as ours are. Our abbreviations are made
// in its answers, too.
func TestNamesOfLibstdcxx(t *testing.T) {
	m, _ := openFile(t, "/usr/lib/x86_64-linux-gnu/libstdc++.so.6")
	var names []string
	for _, s := range m.Symbols {
		if s.Defined && strings.HasPrefix(s.Name, "_Z") {
			names = append(names, s.Name)
		}
	}
	cmd := exec.Command(tool(t, "c++filt"), "-p")
	cmd.Stdin = strings.NewReader(strings.Join(names, "\n") + "\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != len(names) {
		t.Fatalf("c++filt: %d answers to %d questions", len(lines), len(names))
	}
	different, long := 0, 0
	for i, name := range names {
		got, want := Name(name), abbreviations.Replace(string(lines[i]))
		if len(got) > maxName+len("…") {
			t.Errorf("%s: %q", name, got)
		}
		if len(lines[i]) > maxName {
			long++
			continue
		}
		if strings.ReplaceAll(got, " >", ">") != strings.ReplaceAll(want, " >", ">") {
			if different++; different < 20 {
				t.Errorf("%s: %q, c++filt says %q", name, got, want)
			}
		}
	}
	if long > len(names)/2 || different > 0 {
		t.Errorf("%d names, %d too long for one line, %d different", len(names), long, different)
	}
}
