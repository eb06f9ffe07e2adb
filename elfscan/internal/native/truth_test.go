package native

import (
	"bytes"
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
	f := factsOf[l.Path]
	if f == nil {
		f = keptFacts(l)
		factsOf[l.Path] = f
	}
	return f
}

var (
	factsMu sync.Mutex
	factsOf = map[string]*code.Facts{}
)

// keptFacts keeps facts in the directory NATIVE_FACTS, to save time while experimenting.
func keptFacts(l *loader.Loaded) *code.Facts {
	dir := os.Getenv("NATIVE_FACTS")
	if dir == "" {
		return code.Extract(l.Module)
	}
	name := filepath.Join(dir, strings.ReplaceAll(l.Path, "/", "_"))
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
		t.Skip("no truth")
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
		if _, err := root.Open(c, path, nil); err != nil {
			t.Logf("%s: %v", path, err)
		}
	}
}

var servers = []string{"redis-server", "nginx", "haproxy", "memcached", "lighttpd", "sqlite3"}

func TestTruth(t *testing.T) {
	only := os.Getenv("ONLY")
	fps := map[string]int{}
	condTexts := map[string]int{}
	var sumSize, sumAll, n, missing int
	var sumF1 float64
	for _, tr := range loadTruth(t) {
		if only != "" && !slices.Contains(strings.Split(only, ","), tr.Name) {
			continue
		}
		if _, err := os.Stat(tr.Path); err != nil {
			t.Logf("%s: %v", tr.Name, err)
			continue
		}
		root, err := loader.NewRoot("")
		if err != nil {
			t.Fatal(err)
		}
		c, err := root.Load(tr.Path)
		if err != nil {
			t.Fatal(err)
		}
		given := os.Getenv("OPENED") != ""
		if given {
			openAll(t, root, c, tr)
		}
		o := Options{Open: func(name string, from int) bool {
			added, err := root.Open(c, name, c.Modules[from])
			return err == nil && len(added) > 0
		}}
		if off, err := strconv.Atoi(os.Getenv("OFF")); err == nil {
			o.Off = Analyses(off)
		}
		res := Analyse(c, facts, o)
		size, all := 0, 0
		have := map[string]bool{}
		var fp, miss, cond []string
		tp := 0
		for _, nd := range res.Needs {
			all++
			if nd.Class == finding.Conditional {
				cond = append(cond, nd.Name)
				condTexts[nd.Condition]++
				if given && strings.Contains(nd.Condition, whenOpened) {
					have[nd.Name] = true
				}
				continue
			} else {
				size++
			}
			have[nd.Name] = true
			if slices.Contains(tr.Syscalls, nd.Name) {
				tp++
			} else if nd.Class != finding.Conditional {
				fp = append(fp, nd.Name)
				fps[nd.Name]++
			}
		}
		for _, s := range tr.Syscalls {
			if !have[s] {
				miss = append(miss, s)
			}
		}
		f1 := 2 * float64(tp) / float64(len(fp)+tp+len(tr.Syscalls))
		n++
		sumSize += size
		sumAll += all
		missing += len(miss)
		if slices.Contains(servers, tr.Name) {
			sumF1 += f1
		}
		fmt.Printf("%-16s mods %2d reached %5d/%5d truth %3d set %3d all %3d f1 %.3f unresolved %d miss %v\n", tr.Name, len(c.Modules), res.Reached, res.Functions, len(tr.Syscalls), size, all, f1, len(res.Unresolved), miss)
		if only != "" {
			fmt.Println("FP", fp)
			fmt.Println("COND", cond)
			for _, u := range res.Unresolved {
				fmt.Println("  U", u.Reason, pathString(c.Modules, u.Path))
			}
			for _, g := range res.Gaps {
				fmt.Println("  GAP", g.Kind, g.Names, g.All, pathString(c.Modules, g.Path))
			}
			for _, nd := range res.Needs {
				if slices.Contains(fp, nd.Name) || os.Getenv("WHY") == nd.Name {
					fmt.Println("  ", nd.Name, nd.Class, pathString(c.Modules, nd.Sites[0].Path))
				}
			}
		}
	}
	fmt.Printf("n %d mean set %.2f all %.2f missing %d f1 servers %.4f\n", n, float64(sumSize)/float64(n), float64(sumAll)/float64(n), missing, sumF1/6)
	for k, v := range condTexts {
		fmt.Printf("  %d x only if %s\n", v, k)
	}
	type kv struct {
		k string
		v int
	}
	var kvs []kv
	for k, v := range fps {
		kvs = append(kvs, kv{k, v})
	}
	slices.SortFunc(kvs, func(a, b kv) int { return b.v - a.v })
	fmt.Println(kvs)
}
