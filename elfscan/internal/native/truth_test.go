package native

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/finding"
)

func facts(l *loader.Loaded) *code.Facts {
	factsMu.Lock()
	defer factsMu.Unlock()
	key := fmt.Sprint(l.Path, l.BuildID, l.Machine, l.Entry)
	for _, seg := range l.Segments {
		key += fmt.Sprint(seg.Addr, len(seg.Data))
	}
	f := factsOf[key]
	if f == nil {
		f = keptFacts(l, key)
		factsOf[key] = f
	}
	return f
}

var (
	factsMu sync.Mutex
	factsOf = map[string]*code.Facts{} // by content, as far as a build ID and sizes tell it
)

// keptFacts keeps facts in the directory NATIVE_FACTS, to save time while experimenting.
func keptFacts(l *loader.Loaded, key string) *code.Facts {
	dir := os.Getenv("NATIVE_FACTS")
	if dir == "" {
		return code.Extract(l.Module)
	}
	name := filepath.Join(dir, fmt.Sprintf("%x", sha256.Sum256([]byte(key))))
	f := &code.Facts{}
	if b, err := os.ReadFile(name); err == nil && gob.NewDecoder(bytes.NewReader(b)).Decode(f) == nil {
		return f
	}
	f = code.Extract(l.Module)
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(f) == nil {
		_ = os.WriteFile(name, b.Bytes(), 0o600)
	}
	return f
}

type truth struct {
	Name, Path, Version string
	Syscalls, Opened    []string
}

func loadTruth(t *testing.T) []truth {
	dir := os.Getenv("PROFCHECK_SHARED")
	if dir == "" {
		dir = "../../../../shared"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "truth/c/*.json"))
	if len(files) == 0 {
		lack(t, "the traces are not there: "+dir)
	}
	var out []truth
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var tr truth
		if err := json.Unmarshal(b, &tr); err != nil {
			t.Fatal(err)
		}
		out = append(out, tr)
	}
	return out
}

// openAll opens what the trace saw opened beyond the closure.
func openAll(t *testing.T, root *loader.Root, c *loader.Closure, tr truth) {
	for _, name := range tr.Opened {
		if slices.ContainsFunc(c.Modules, func(l *loader.Loaded) bool { return l.Soname == name || filepath.Base(l.Path) == name }) {
			continue
		}
		path := ""
		for _, dir := range []string{"/usr/lib/x86_64-linux-gnu", "/usr/lib/nginx/modules", "/usr/lib/lighttpd", "/usr/lib/python3.11/lib-dynload", "/usr/lib/x86_64-linux-gnu/systemd", "/usr/lib/bash"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				path = filepath.Join(dir, name)
				break
			}
		}
		if path == "" {
			continue
		}
		added, err := root.Open(c, path, nil)
		if err != nil || len(added) == 0 {
			t.Logf("%s: %v", path, err)
			continue
		}
		c.Modules[added[0]].Given = c.Modules[added[0]].Opened
	}
}

var servers = []string{"redis-server", "nginx", "haproxy", "memcached", "lighttpd", "sqlite3"}

// score is what the analysis says of one program, against its trace.
type score struct {
	all, set int // needs, and those that are not conditional
	found    int // of the trace
	f1       float64
	missing  []string // of the trace
	more     []string // unconditional and not in the trace
}

func (tr truth) score(res *Result) score {
	s := score{all: len(res.Needs)}
	held := map[string]bool{}
	for _, n := range res.Needs {
		switch {
		case n.Class != finding.Conditional:
			s.set++
			if slices.Contains(tr.Syscalls, n.Name) {
				s.found++
			} else {
				s.more = append(s.more, n.Name)
			}
		case !strings.Contains(n.Condition, " loaded (") || !slices.ContainsFunc(tr.Opened, func(name string) bool { return strings.Contains(n.Condition, name) }):
			continue // not from a library that the trace saw opened
		}
		held[n.Name] = true
	}
	for _, name := range tr.Syscalls {
		if !held[name] {
			s.missing = append(s.missing, name)
		}
	}
	s.f1 = 2 * float64(s.found) / float64(s.set+len(tr.Syscalls))
	return s
}

// TestTruth analyses the programs whose traces are known, where they are installed, and prints a
// table. A traced call that is missing is a defect, or comes from a library that the program opened:
// with these given, none may be missing. ONLY names the programs to look at, and then tells what is
// found beyond the trace, and where; OFF is the number of the analyses to leave out.
func TestTruth(t *testing.T) {
	var only []string
	if s := os.Getenv("ONLY"); s != "" {
		only = strings.Split(s, ",")
	}
	o := Options{}
	if off, err := strconv.Atoi(os.Getenv("OFF")); err == nil {
		o.Off = Analyses(off)
	}
	more := map[string]int{}
	var set, all, n, missing, missingOpened, six int
	var f1 float64
	for _, tr := range loadTruth(t) {
		if _, err := os.Stat(tr.Path); err != nil || only != nil && !slices.Contains(only, tr.Name) {
			continue
		}
		res, c := tr.analyse(t, o, false)
		s := tr.score(res)
		n, set, all, missing = n+1, set+s.set, all+s.all, missing+len(s.missing)
		if slices.Contains(servers, tr.Name) {
			f1, six = f1+s.f1, six+1
		}
		for _, name := range s.more {
			more[name]++
		}
		opened, _ := tr.analyse(t, o, true)
		lost := tr.score(opened).missing
		missingOpened += len(lost)
		t.Logf("%-16s %2d modules, %5d of %5d functions, traced %3d, set %3d, with conditional %3d, F1 %.3f, unresolved %d, missing %v, with what it opens %v",
			tr.Name, len(c.Modules), res.Reached, res.Functions, len(tr.Syscalls), s.set, s.all, s.f1, len(res.Unresolved), s.missing, lost)
		if only != nil {
			explain(t, res, c, s)
		}
	}
	if n == 0 {
		lack(t, "none of the programs is installed")
	}
	t.Logf("%d programs: mean set %.2f, with conditional %.2f, missing %d, with what they open %d", n, float64(set)/float64(n), float64(all)/float64(n), missing, missingOpened)
	if six > 0 {
		t.Logf("%d servers: mean F1 %.4f", six, f1/float64(six))
	}
	t.Log(byCount(more))
	if o.Off == 0 && only == nil && n == 48 && (missing > 1 || missingOpened > 0 || set > 88*n || f1 < 0.75*6) {
		t.Error("worse than it was")
	}
}

func (tr truth) analyse(t *testing.T, o Options, opened bool) (*Result, *loader.Closure) {
	t.Helper()
	root, err := loader.NewRoot("")
	if err != nil {
		t.Fatal(err)
	}
	c, err := root.Load(tr.Path)
	if err != nil {
		t.Fatal(err)
	}
	if opened {
		openAll(t, root, c, tr)
	}
	o.Families = func() []loader.Family { return root.Families(c) }
	o.Open = func(name string, from int) bool {
		added, err := root.Open(c, name, c.Modules[from])
		return err == nil && len(added) > 0
	}
	return Analyse(c, facts, o), c
}

func explain(t *testing.T, res *Result, c *loader.Closure, s score) {
	t.Helper()
	for _, u := range res.Unresolved {
		t.Logf("  unresolved: %s: %s", u.Reason, pathString(c.Modules, u.Path))
	}
	for _, g := range res.Gaps {
		t.Logf("  gap: %s %v, no others: %v: %s", g.Kind, g.Names, g.All, pathString(c.Modules, g.Path))
	}
	for _, n := range res.Needs {
		if slices.Contains(s.more, n.Name) || os.Getenv("WHY") == n.Name {
			t.Logf("  %s %s: %s", n.Name, n.Class, pathString(c.Modules, n.Sites[0].Path))
		} else if n.Class == finding.Conditional {
			t.Logf("  %s only if %s", n.Name, n.Condition)
		}
	}
}

func byCount(m map[string]int) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(m[b]-m[a], strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, m[name])
	}
	return names
}
