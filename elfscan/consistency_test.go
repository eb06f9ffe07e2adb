package elfscan

import (
	"debug/elf"
	"debug/gosym"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// outline is a result without what depends on where things lie.
func outline(res *Result) string {
	var s strings.Builder
	for _, n := range res.Needs {
		fmt.Fprintln(&s, n.Nr, n.Name, n.Class, n.Condition)
	}
	fmt.Fprintln(&s, len(res.Unresolved), res.Complete())
	return s.String()
}

func TestStrippedAndPIE(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		for name, src := range map[string]source{"hello": helloSource, "http": httpSource} {
			t.Run(arch+"/"+name, func(t *testing.T) {
				t.Parallel()
				plain := scan(t, build(t, src, arch))
				if stripped := scan(t, build(t, src, arch, "-ldflags=-s -w")); outline(stripped) != outline(plain) {
					t.Errorf("stripped:\n%splain:\n%s", outline(stripped), outline(plain))
				}
				pie := scanAlone(t, build(t, src, arch, "-buildmode=pie"))
				for _, n := range plain.Needs {
					if m := pie.Need(n.Nr); m == nil || classOrder[m.Class] > classOrder[n.Class] {
						t.Errorf("%s: %+v in the position-independent program", n.Name, m)
					}
				}
				allowed := map[string]bool{}
				for _, name := range append(loaderCalls, loaderShared...) {
					allowed[name] = true
				}
				for _, n := range pie.Needs {
					if plain.Need(n.Nr) == nil && !allowed[n.Name] {
						t.Errorf("%s is no call of the loader", n.Name)
					}
				}
			})
		}
	}
}

func TestDeterminism(t *testing.T) {
	path := build(t, httpSource, "amd64")
	first := scan(t, path)
	for _, procs := range []int{1, 2, 4} {
		before := runtime.GOMAXPROCS(procs)
		again := scan(t, path)
		runtime.GOMAXPROCS(before)
		if !reflect.DeepEqual(first, again) {
			t.Errorf("another result with GOMAXPROCS %d", procs)
		}
	}
}

// Every path begins where nothing calls, or at main or an initializer, ends at a syscall
// instruction, and each step of it is in the graph.
func TestPaths(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		data, err := os.ReadFile(build(t, httpSource, arch))
		if err != nil {
			t.Fatal(err)
		}
		im, tab := tableOf(t, data)
		p := newProgram(im, tab)
		p.watchTypes()
		p.walk()
		sites := map[uint64]bool{}
		for _, s := range p.sites {
			sites[s.at] = true
		}
		res := scan(t, build(t, httpSource, arch))
		steps := 0
		for _, n := range res.Needs {
			for _, s := range n.Sites {
				if s.Address == 0 {
					continue // made by the kernel
				}
				last := s.Path[len(s.Path)-1]
				if !sites[last.Address] || last.Address != s.Address {
					t.Errorf("%s: the path ends at %#x in %s, which is no syscall instruction", n.Name, last.Address, last.Function)
				}
				for i := 1; i < len(s.Path); i++ {
					from, to := tab.find(s.Path[i-1].Address), tab.find(s.Path[i].Address)
					if from == to {
						continue // inlined, or recursive
					}
					steps++
					if !p.leads(from, to) {
						t.Errorf("%s: %s does not lead to %s", n.Name, s.Path[i-1].Function, s.Path[i].Function)
					}
				}
			}
		}
		if steps < 100 {
			t.Errorf("only %d steps were checked", steps)
		}
	}
}

func (p *program) leads(from, to int) bool {
	for _, e := range p.out[from] {
		if int(e.to) == to {
			return true
		}
	}
	return false
}

// Names, files and lines against package debug/gosym, which reads the same table by other code.
func TestPositions(t *testing.T) {
	path := build(t, helloSource, "amd64")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, tab := tableOf(t, data)
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pcln, err := f.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	// The linker writes no text address into the header since Go 1.26.
	symtab, err := gosym.NewTable(nil, gosym.NewLineTable(pcln, tab.text))
	if err != nil {
		t.Fatal(err)
	}
	if len(symtab.Funcs) < 1000 {
		t.Fatalf("debug/gosym finds %d functions", len(symtab.Funcs))
	}
	for i := range tab.funcs {
		entry := tab.funcs[i].entry
		for _, pc := range []uint64{entry, (entry + tab.funcs[i].end) / 2} {
			file, line, fn := symtab.PCToLine(pc)
			gotFile, gotLine := tab.position(i, pc)
			if line < 0 {
				line = 0 // how debug/gosym says that none is known
			}
			if fn == nil || fn.Name != tab.name(i) || file != gotFile || line != gotLine {
				t.Fatalf("%#x: %s %s:%d, want %v %s:%d", pc, tab.name(i), gotFile, gotLine, fn, file, line)
			}
		}
	}
}

// Inlined frames against the stack that a program prints of itself.
func TestInlinedFrames(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("programs that are built here do not run here")
	}
	path := build(t, `package main

import (
	"fmt"
	"runtime"
)

func a() { b() }
func b() { c() }
func c() { d() }

//go:noinline
func d() {
	pcs := make([]uintptr, 1)
	runtime.Callers(2, pcs)
	fmt.Printf("%d\n", pcs[0])
	frames := runtime.CallersFrames(append([]uintptr{}, all()...))
	for {
		f, more := frames.Next()
		fmt.Println(f.Function, f.Line)
		if f.Function == "main.main" || !more {
			return
		}
	}
}

//go:noinline
func all() []uintptr {
	pcs := make([]uintptr, 10)
	return pcs[:runtime.Callers(3, pcs)]
}

func main() { a() }
`, runtime.GOARCH)
	out, err := exec.Command(path).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var pc uint64
	fmt.Sscan(lines[0], &pc)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, tab := tableOf(t, data)
	fn := tab.find(pc - 1)
	if fn < 0 || tab.name(fn) != "main.main" {
		t.Fatalf("%#x lies in function %d", pc, fn)
	}
	var got []string
	for _, f := range tab.frames(fn, pc-1) {
		got = append(got, fmt.Sprint(f.function, " ", f.line))
	}
	if want := lines[1:]; !reflect.DeepEqual(got, want) || len(want) != 4 {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The numbers of syscall.AllThreadsSyscall are those of its callers.
func TestAllThreadsSyscall(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		res := scan(t, build(t, `package main

import "syscall"

func main() { syscall.AllThreadsSyscall(syscall.SYS_PRCTL, 38, 1, 0) }
`, arch))
		if !res.Complete() {
			t.Errorf("%s: unresolved: %+v", arch, res.Unresolved)
		}
		n := res.need(t, "prctl")
		if n == nil || n.Class == "conditional" {
			t.Fatalf("%s: prctl is %+v", arch, n)
		}
		found := false
		for _, s := range n.Sites {
			found = found || s.Args[0].Known && reflect.DeepEqual(s.Args[0].Consts, []uint64{38})
		}
		if !found {
			t.Errorf("%s: no site has PR_SET_NO_NEW_PRIVS: %+v", arch, n.Sites)
		}
	}
}
