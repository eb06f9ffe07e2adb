package flow

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// wanted is what the comments in a source say of each function.
type wanted struct {
	nrs     []uint64
	unknown bool
}

var wantLine = regexp.MustCompile(`^(?:APART \w+ )?([\w\\]+)[(:].*(?:#|//) want (.*)$`)

func wants(t *testing.T, path string) map[string]wanted {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]wanted{}
	registers := []string{""} // of the assembler's loop
	for s := bufio.NewScanner(f); s.Scan(); {
		if list, ok := strings.CutPrefix(s.Text(), "\t.irp r, "); ok {
			registers = strings.Split(list, ", ")
		} else if s.Text() == "\t.endr" {
			registers = []string{""}
		}
		m := wantLine.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		var w wanted
		for _, word := range strings.Fields(m[2]) {
			if n, err := strconv.ParseInt(word, 10, 64); err == nil {
				w.nrs = append(w.nrs, uint64(uint32(n)))
			} else {
				w.unknown = true
			}
		}
		slices.Sort(w.nrs)
		for _, r := range registers {
			all[strings.Replace(m[1], `\r`, r, 1)] = w
		}
	}
	if len(all) < 10 {
		t.Fatalf("%d functions in %s", len(all), path)
	}
	return all
}

// checkShapes compares the numbers found in an object with what its source says. may lists functions
// whose numbers need not all be known.
func checkShapes(t *testing.T, path string, want map[string]wanted, may string) {
	o := openObject(t, path)
	checked := 0
	for start, name := range o.names {
		w, ok := want[name]
		if !ok {
			continue
		}
		checked++
		var nrs []uint64
		var unknown []string
		for _, a := range o.resolve(start) {
			for _, nr := range a.nrs {
				nrs = append(nrs, uint64(uint32(nr))) // the kernel reads no more
			}
			unknown = append(unknown, a.unknown...)
		}
		nrs = sorted(nrs)
		switch {
		case w.unknown && len(unknown) == 0:
			t.Errorf("%s: taken for known: %v", name, nrs)
		case !w.unknown && len(unknown) > 0 && !slices.Contains(strings.Fields(may), name):
			t.Errorf("%s: found %v, and %q", name, nrs, unknown)
		case !w.unknown && len(unknown) == 0 && !slices.Equal(nrs, w.nrs):
			t.Errorf("%s: found %v, want %v", name, nrs, w.nrs)
		}
	}
	if checked < len(want) {
		t.Errorf("only %d of %d functions are there", checked, len(want))
	}
}

func TestShapes(t *testing.T) {
	want := wants(t, "testdata/shapes.c")
	paths, err := filepath.Glob("testdata/shapes.a*")
	if err != nil || len(paths) != 7 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		may := ""
		switch filepath.Ext(path) {
		case ".O0": // keeps the pointer in the frame, where code that is not seen might get it
			may = "run keep handler"
		case ".Os": // fills the struct with string instructions
			may = "run"
		}
		if strings.Contains(path, "arm64") { // or wide registers; and the kernel might write behind x0
			may = "run keep handler"
		}
		t.Run(filepath.Base(path), func(t *testing.T) { checkShapes(t, path, want, may) })
	}
}

func TestAssembly(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			checkShapes(t, "testdata/asm."+arch, wants(t, "testdata/asm."+arch+".s"), "")
		})
	}
}

// The same with the compilers of this machine, which may be others.
func TestShapesCompiled(t *testing.T) {
	want := wants(t, "testdata/shapes.c")
	for _, compiler := range []string{"gcc", "clang", "aarch64-linux-gnu-gcc"} {
		if _, err := exec.LookPath(compiler); err != nil {
			continue
		}
		for _, level := range []string{"-O0", "-O1", "-O2", "-O3", "-Os", "-Og"} {
			t.Run(compiler+level, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "shapes")
				out, err := exec.Command(compiler, level, "-fPIC", "-shared", "-fvisibility=hidden", "-nostdlib", "-g0", "-o", path, "testdata/shapes.c").CombinedOutput()
				if err != nil {
					t.Skipf("%s does not build for this: %v\n%s", compiler, err, out)
				}
				checkShapes(t, path, want, "sum mask counts run keep handler switched carried")
			})
		}
	}
}
