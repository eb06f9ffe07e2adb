package witness

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/finding"
)

// conditionOpened is in the conditions of what only libraries need that are loaded while the program
// runs, behind their names. It held in a trace that saw one of them opened.
const conditionOpened = " is loaded ("

// scanNative scans a program in a root, "" for the machine's own, with plugins.
func scanNative(t testing.TB, root, path string, plugins ...string) *elfscan.Result {
	t.Helper()
	o := elfscan.Options{Root: root, Plugins: plugins, CacheDir: scanCacheDir}
	res, err := o.Scan(path)
	if err != nil {
		t.Fatal(err)
	}
	if res.Kind != "elf" || len(res.Modules) == 0 {
		t.Fatalf("%s: kind %q with %d modules", path, res.Kind, len(res.Modules))
	}
	for _, g := range res.Gaps {
		if g.Kind == elfscan.GapMissing {
			t.Errorf("%s: %s %v", path, g.Detail, g.Names)
		}
	}
	return res
}

// scanCacheDir is the cache of the scans of one test, empty for none.
var scanCacheDir string

// shareScans makes the scans of a test keep what they learn of each file: most programs have most
// libraries in common.
func shareScans(t testing.TB) {
	t.Helper()
	scanCacheDir = t.TempDir()
	t.Cleanup(func() { scanCacheDir = "" })
}

// held returns the conditions of a scan that held while p was traced, beside more.
func (p nativeTruth) held(res *elfscan.Result, more ...string) []string {
	opened := func(names string) bool {
		return slices.ContainsFunc(p.Opened, func(name string) bool { return strings.Contains(names, name) })
	}
	var held []string
	for _, n := range res.Needs {
		for enough := range strings.SplitSeq(n.Condition, ", or ") {
			names, _, library := strings.Cut(enough, conditionOpened)
			if library && opened(names) || slices.Contains(more, enough) {
				held = append(held, n.Condition)
			}
		}
	}
	return held
}

// allowed returns the names that a profile for p needs: those that are not conditional, and those
// whose condition held.
func (p nativeTruth) allowed(res *elfscan.Result) []string {
	names, held := certain(res), p.held(res)
	for _, n := range res.Needs {
		if n.Class == finding.Conditional && slices.Contains(held, n.Condition) {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return names
}

// objectDirs is where programs of Debian have what they open while they run.
var objectDirs = []string{"usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib/nginx", "usr/lib/lighttpd", "usr/lib/python3.11", "usr/lib/python3"}

var objectIndex sync.Map // of root, map[string]string

// objects maps the base names of the shared objects of a root to paths in it.
func objects(root string) map[string]string {
	if m, ok := objectIndex.Load(root); ok {
		return m.(map[string]string)
	}
	index := map[string]string{}
	for _, dir := range objectDirs {
		filepath.WalkDir(filepath.Join("/", root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			name := d.Name()
			if strings.HasSuffix(name, ".so") || strings.Contains(name, ".so.") {
				if _, ok := index[name]; !ok {
					index[name] = strings.TrimPrefix(path, strings.TrimSuffix(filepath.Join("/", root), "/"))
				}
			}
			return nil
		})
	}
	objectIndex.Store(root, index)
	return index
}

// plugins returns paths of the objects that p was seen to open and that a scan did not find.
func (p nativeTruth) plugins(t testing.TB, root string, res *elfscan.Result) []string {
	t.Helper()
	known := map[string]bool{}
	for _, m := range res.Modules {
		known[filepath.Base(m.Path)] = true
		if real, err := filepath.EvalSymlinks(filepath.Join("/", root, m.Path)); err == nil {
			known[real] = true
		}
	}
	var list []string
	for _, name := range p.Opened {
		if known[name] || strings.HasPrefix(name, "ld") { // caches and the loader itself
			continue
		}
		path, ok := objects(root)[name]
		if !ok {
			t.Logf("%s: %s, which it was seen to open, is not there", p.Name, name)
			continue
		}
		if real, err := filepath.EvalSymlinks(filepath.Join("/", root, path)); err == nil && known[real] {
			continue // the name is a link's
		}
		list = append(list, path)
	}
	return list
}

// A tableRow is what a scan is worth against a trace.
type tableRow struct {
	name                     string
	truth, found, sure, cond int
	missed                   []string
	unresolved               int
	precision, recall, f1    float64
	plugins, pluginSure      int // objects given with --plugin, and the set with them
	pluginMissed             []string
	pluginF1                 float64
}

// judge compares a scan with a trace.
func (p nativeTruth) judge(res *elfscan.Result) tableRow {
	tr := p.trace()
	r := tableRow{name: p.Name, truth: len(tr), sure: len(certain(res)), missed: missed(res, tr, p.held(res)...)}
	r.cond, r.found = len(res.Needs)-r.sure, len(tr)-len(r.missed)
	hits, set := 0, p.allowed(res)
	for _, name := range set {
		if tr[name] > 0 {
			hits++
		}
	}
	r.precision, r.recall = float64(hits)/float64(max(1, len(set))), float64(r.found)/float64(len(tr))
	r.f1 = 2 * r.precision * r.recall / (r.precision + r.recall)
	r.unresolved = len(res.Unresolved)
	return r
}

// unresolvedElsewhere names what may be unresolved outside of the C library: by base name of the
// file, why.
var unresolvedElsewhere = map[string]string{
	"busybox":   "the C library is linked in: setxid, as below",
	"stress-ng": "it makes calls of random numbers, by syscall(3), int 0x80 and sysenter, to stress the kernel",
}

// maxUnresolvedLibc is how many functions of the C library may hold unresolved places: setxid makes
// calls whose number it reads from memory that another thread has written, in the thread itself and
// in the handler of a signal. On arm64 the compiler has made two places of one of them.
const maxUnresolvedLibc = 2

// judgeUnresolved holds the places whose number could not be told to the known ones.
func judgeUnresolved(t *testing.T, res *elfscan.Result) {
	t.Helper()
	libc := map[string]bool{}
	for _, u := range res.Unresolved {
		module := ""
		if len(u.Path) > 0 {
			module = u.Path[len(u.Path)-1].Module
		}
		if module == "" {
			module = filepath.Base(res.Modules[0].Path)
		}
		switch {
		case strings.Contains(u.Function, "setxid") && module == filepath.Base(res.Modules[0].Path): // linked in, with symbols
		case module == "libc.so.6" && u.Function == "syscall" && filepath.Base(res.Modules[0].Path) == "stress-ng":
		case module == "libc.so.6":
			if libc[u.Function] = true; len(libc) > maxUnresolvedLibc {
				t.Errorf("unresolved in %s, beyond the two of setxid: %s at %#x: %s", module, u.Function, u.Address, u.Reason)
			}
		case unresolvedElsewhere[module] == "":
			t.Errorf("unresolved in %s: %s at %#x: %s", module, u.Function, u.Address, u.Reason)
		}
	}
}

// tablesEnv names a folder that tests write the tables of docs/accuracy.md into.
const tablesEnv = "PROFCHECK_TABLES"

// table logs a table and writes it where that was asked for.
func table(t *testing.T, name string, lines []string) {
	t.Helper()
	text := strings.Join(lines, "\n") + "\n"
	t.Log("\n" + text)
	if dir := os.Getenv(tablesEnv); dir != "" {
		writeFile(t, dir, name+".md", text)
	}
}
