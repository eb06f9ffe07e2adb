package elfscan

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"os"
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// What is kept between runs: the facts about each file by its content, and the outcome of a whole
// process by the content of all its files. The outcome also depends on what the program opens by
// name and on separate debug files, so both are part of it, and it only counts if they are the same
// again.

// The kinds of entry.
const (
	factsKind   = "code"
	processKind = "process"
)

// keptProcess is the entry of a process.
type keptProcess struct {
	Opens    []opening
	Families []loader.Family // of all that was loaded in the end
	Debug    []debugFile
	Outcome  outcome
}

// opening is a library that the program opens by a constant name, and all that came with it.
type opening struct {
	Name  string
	From  int
	Found bool
	Sums  [][32]byte
}

// debugFile is a file that was looked for to name functions, with its size and time; -1 if it was
// not there.
type debugFile struct {
	Path       string
	Size, Time int64
}

// outcome returns what the analysis comes to, from an earlier run if nothing has changed.
func (a *analysis) outcome() outcome {
	if a.cache == nil {
		return a.analyse()
	}
	a.sums = map[*loader.Loaded][32]byte{}
	a.each(a.Modules, a.sum)
	key, ok := a.key()
	if ok {
		if blob, found := a.cache.Get(key, processKind); found {
			var k keptProcess
			if err := gob.NewDecoder(bytes.NewReader(blob)).Decode(&k); err == nil && a.unchanged(&k) {
				return k.Outcome
			}
		}
	}
	a.opens, a.debug = nil, nil
	out := a.analyse()
	if !ok || a.root.Spent() {
		return out
	}
	var blob bytes.Buffer
	if err := gob.NewEncoder(&blob).Encode(keptProcess{a.opens, a.families(), a.debug, out}); err == nil {
		a.cache.Put(key, processKind, blob.Bytes())
	}
	return out
}

// key is what an outcome depends on before anything is opened, false if a file could not be read
// again. The content of the files says how they are bound to each other; where they lie says which
// debug files they have.
func (a *analysis) key() (key [32]byte, ok bool) {
	h := sha256.New()
	fmt.Fprintf(h, "%v %v %d\n", a.o.Conservative, a.goText, len(a.Modules))
	fmt.Fprintf(h, "%#v\n", a.families()) // quoted: names can hold spaces and line ends
	for _, m := range a.Modules {
		sum, ok := a.sums[m]
		if !ok {
			return key, false
		}
		fmt.Fprintf(h, "%q %x %v %v %v %d %v %v %q\n", m.Path, sum, m.Interp, m.Opened, m.Given, m.VariantOf, m.Variants, m.Needs, m.Names)
	}
	return [32]byte(h.Sum(nil)), true
}

// unchanged opens what the program opens by name, and reports whether that gives the same files as
// when an outcome was kept, and whether its names would be the same.
func (a *analysis) unchanged(k *keptProcess) bool {
	for _, o := range k.Opens {
		a.open(o.Name, o.From)
		if now := a.opens[len(a.opens)-1]; now.Found != o.Found || !slices.Equal(now.Sums, o.Sums) {
			return false
		}
	}
	if !slices.EqualFunc(a.families(), k.Families, sameFamily) {
		return false
	}
	return !slices.ContainsFunc(k.Debug, func(d debugFile) bool { return a.stat(d.Path) != d })
}

// open opens a library by the name that the program has for it. One that is not there fails to open
// in the program as well, and nothing of it runs.
func (a *analysis) open(name string, from int) bool {
	missing, before := len(a.Missing), len(a.Modules)
	var by *loader.Loaded
	if from > 0 && from < len(a.Modules) {
		by = a.Modules[from]
	}
	added, err := a.root.Open(a.Closure, name, by)
	a.Missing = a.Missing[:missing]
	found := err == nil && len(added) > 0
	a.opened[name] = a.opened[name] || found
	if a.cache != nil {
		o := opening{Name: name, From: from, Found: found}
		for _, m := range a.Modules[before:] {
			a.sum(m)
			o.Sums = append(o.Sums, a.sums[m])
		}
		a.opens = append(a.opens, o)
	}
	return found
}

// sum notes the checksum of a module's file.
func (a *analysis) sum(m *loader.Loaded) {
	data, err := a.root.ReadFile(m.Path)
	if err != nil {
		return
	}
	sum := sha256.Sum256(data)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sums[m] = sum
}

// kept returns the facts of a whole file: those of an earlier run, if there are any for the very
// bytes of it.
func (a *analysis) kept(m *loader.Loaded) *code.Facts {
	a.mu.Lock()
	sum, ok := a.sums[m]
	a.mu.Unlock()
	if !ok {
		return code.Extract(m.Module)
	}
	if blob, ok := a.cache.Get(sum, factsKind); ok {
		if f, err := code.Decode(blob); err == nil {
			return f
		}
	}
	f := code.Extract(m.Module)
	a.cache.Put(sum, factsKind, code.Encode(f))
	return f
}

// readDebug reads a separate debug file.
func (a *analysis) readDebug(path string) ([]byte, error) {
	if a.cache != nil {
		a.debug = append(a.debug, a.stat(path))
	}
	return a.root.ReadFile(path)
}

func (a *analysis) stat(path string) debugFile {
	d := debugFile{Path: path, Size: -1}
	if host, _, err := a.root.Resolve(path); err == nil {
		if st, err := os.Stat(host); err == nil {
			d.Size, d.Time = st.Size(), st.ModTime().UnixNano()
		}
	}
	return d
}

// sameFamily reports whether two families are the same files under the same condition.
func sameFamily(a, b loader.Family) bool {
	return a.Name == b.Name && a.Condition == b.Condition && a.Named == b.Named && slices.Equal(a.Triggers, b.Triggers) && slices.Equal(a.Files, b.Files)
}
