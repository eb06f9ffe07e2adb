package loader

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// Bounds for a closure. The largest programs of a distribution have some 250 libraries.
const (
	maxModules = 1000
	maxBytes   = 2 << 30
	maxMissing = 1000
)

// linker is the state of a loader: what it has mapped, and by which names.
type linker struct {
	root    *Root
	c       *Closure
	program header
	rules   rules
	names   map[string]int  // loaded modules by every name that finds them
	sizes   map[int64][]int // loaded modules by file size, to compare identities
	files   []fs.FileInfo   // of each module
	absent  map[string]bool // names that are in c.Missing
	bytes   int64           // read so far
	interp  *pending        // the interpreter until a library asks for it
	tooMany bool            // maxModules or maxBytes was reached
	replace []variant       // files for newer processors, to load at the end
}

// pending is a module that is mapped but has no place in the order yet.
type pending struct {
	loaded *Loaded
	info   fs.FileInfo
	data   []byte
}

// variant is a file that stands for a module on some machines.
type variant struct {
	of   int
	file found
}

// found is a file that a search ended at.
type found struct {
	spelled, inside string
	info            fs.FileInfo
}

// rules is how a kind of loader finds libraries.
type rules interface {
	// own reports whether a name stands for the interpreter itself.
	own(name string) bool

	// find searches for a name that is not loaded yet. The reason says why there is no file; the
	// variants are files that machines with newer processors take first.
	find(l *linker, name string, by int) (file found, variants []found, reason string)

	// expand replaces the variables in a name of DT_NEEDED.
	expand(l *linker, name string, by int) string
}

// Load maps a program and everything that it needs. The error says that the program itself is not
// usable; whatever else is wrong is in Missing.
func (r *Root) Load(program string) (*Closure, error) {
	info, inside, err := r.stat(program)
	if err != nil {
		return nil, err
	}
	l := &linker{root: r, c: &Closure{}, names: map[string]int{}, sizes: map[int64][]int{}, absent: map[string]bool{}}
	l.c.linker = l
	data, err := r.readAtMost(inside, maxFileSize)
	if err != nil {
		return nil, err
	}
	m, err := module.Open(inside, data)
	if err != nil {
		return nil, err
	}
	l.program, _ = headerOf(data)
	l.bytes = int64(len(data))
	// The loader's $ORIGIN of the program is where /proc/self/exe leads to.
	main := &Loaded{Module: m, Path: inside, spelled: inside, parent: -1, group: -1, VariantOf: -1}
	l.add(main, info, data)
	l.interpreter(main)
	if m.Interp == "" && len(m.Needed) == 0 {
		return l.c, nil
	}
	l.breadthFirst(0)
	if l.interp != nil && m.Interp != "" {
		l.placeInterpreter() // a library only has it if something asks for it
	}
	l.variants()
	l.checkVersions(0)
	return l.c, nil
}

// add gives a module its place in the order.
func (l *linker) add(m *Loaded, info fs.FileInfo, data []byte) int {
	i := len(l.c.Modules)
	m.bind = bindInfoOf(m.Module, data)
	l.c.Modules = append(l.c.Modules, m)
	l.files = append(l.files, info)
	l.sizes[info.Size()] = append(l.sizes[info.Size()], i)
	if m.VariantOf < 0 {
		l.name(i, m.Soname)
		l.name(i, m.spelled)
	}
	return i
}

// name makes a module known by a name; the first module to have it keeps it.
func (l *linker) name(i int, name string) {
	if name == "" {
		return
	}
	if _, taken := l.names[name]; taken {
		return
	}
	l.names[name] = i
	if m := l.c.Modules[i]; name != m.spelled {
		m.Names = append(m.Names, name)
	}
}

// interpreter maps the program's interpreter and takes the rules of its kind.
func (l *linker) interpreter(main *Loaded) {
	name := main.Module.Interp
	if name == "" {
		name = usualInterpreter(main.Module)
		if !l.root.exists(name) || !main.Library() {
			l.rules = rulesWithoutInterpreter(l, main)
			return
		}
	}
	info, inside, err := l.root.stat(name)
	reason := ""
	var data []byte
	var m *module.Module
	switch {
	case err != nil:
		reason = describe(err)
	case !info.Mode().IsRegular():
		reason = "not a regular file"
	default:
		m, data, reason = l.read(inside, info, true)
	}
	l.rules = rulesFor(l, name, data)
	if reason != "" {
		l.missing(name, 0, reason)
		return
	}
	l.interp = &pending{
		loaded: &Loaded{Module: m, Path: inside, spelled: name, Interp: true, parent: -1, group: -1, VariantOf: -1},
		info:   info, data: data,
	}
}

// placeInterpreter puts the interpreter at the end of the order so far.
func (l *linker) placeInterpreter() int {
	p := l.interp
	l.interp = nil
	return l.add(p.loaded, p.info, p.data)
}

// read opens a file that was found, unless it is not for this process.
func (l *linker) read(inside string, info fs.FileInfo, interp bool) (m *module.Module, data []byte, reason string) {
	if l.bytes += info.Size(); l.bytes > maxBytes {
		l.tooMany = true
		return nil, nil, fmt.Sprintf("more than %d bytes of libraries", int64(maxBytes))
	}
	data, err := l.root.readAtMost(inside, maxFileSize)
	if err != nil {
		return nil, nil, describe(err)
	}
	h, reason := headerOf(data)
	if reason == "" {
		_, reason = h.fits(l.program)
		if interp && h.kind == elf.ET_EXEC {
			reason = "" // the kernel maps an interpreter at fixed addresses, too
		}
	}
	if reason != "" {
		return nil, nil, reason
	}
	m, err = module.Open(inside, data)
	if err != nil {
		return nil, nil, describe(err)
	}
	if m.Flags1&uint64(elf.DF_1_PIE) != 0 && !interp {
		return nil, nil, "cannot dynamically load position-independent executable"
	}
	return m, data, ""
}

// breadthFirst maps the needs of a module, then the needs of these, and so on.
func (l *linker) breadthFirst(start int) {
	queue := []int{start}
	seen := map[int]bool{start: true}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		l.needs(i)
		for _, j := range l.c.Modules[i].Needs {
			if !seen[j] {
				seen[j] = true
				queue = append(queue, j)
			}
		}
	}
}

// needs maps what one module needs.
func (l *linker) needs(i int) {
	m := l.c.Modules[i]
	if m.expanded {
		return
	}
	m.expanded = true
	for _, name := range m.Filters {
		// glibc looks for symbols there first; musl does not know them.
		l.missing(name, i, "given by DT_FILTER or DT_AUXILIARY, which is not followed")
	}
	for _, name := range m.Needed {
		j, reason := l.object(name, i)
		if reason != "" {
			l.missing(name, i, reason)
			continue
		}
		m.Needs = append(m.Needs, j)
	}
}

// object maps the file for a name, or finds that it is mapped already.
func (l *linker) object(name string, by int) (int, string) {
	if l.root.Spent() {
		return 0, errSpent.Error()
	}
	name = l.rules.expand(l, name, by)
	if name == "" {
		return 0, "empty name"
	}
	if j, ok := l.names[name]; ok {
		return j, ""
	}
	if l.interp != nil && (l.rules.own(name) || name == l.interp.loaded.Soname || name == l.interp.loaded.spelled) {
		j := l.placeInterpreter()
		l.name(j, name)
		return j, ""
	}
	if l.rules.own(name) {
		for j, m := range l.c.Modules {
			if m.Interp {
				l.name(j, name)
				return j, ""
			}
		}
	}
	file, variants, reason := l.rules.find(l, name, by)
	if reason != "" {
		return 0, reason
	}
	j, reason := l.file(file, by)
	if reason != "" {
		return 0, reason
	}
	l.name(j, name)
	if l.c.Modules[j].VariantOf < 0 {
		for _, v := range variants {
			l.replace = append(l.replace, variant{j, v})
		}
	}
	return j, ""
}

// file maps a file that was found, or finds that it is mapped already under another name.
func (l *linker) file(f found, by int) (int, string) {
	if p := l.interp; p != nil && os.SameFile(p.info, f.info) {
		return l.placeInterpreter(), ""
	}
	for _, j := range l.sizes[f.info.Size()] {
		if os.SameFile(l.files[j], f.info) {
			return j, ""
		}
	}
	if l.tooMany || len(l.c.Modules) >= maxModules {
		l.tooMany = true
		return 0, fmt.Sprintf("more than %d libraries, or more than %d bytes of them", maxModules, int64(maxBytes))
	}
	m, data, reason := l.read(f.inside, f.info, false)
	if reason != "" {
		return 0, f.spelled + ": " + reason
	}
	return l.add(&Loaded{Module: m, Path: f.inside, spelled: f.spelled, parent: by, group: -1, VariantOf: -1}, f.info, data), ""
}

// variants maps the files that stand for others on machines with newer processors, and what only
// they need.
func (l *linker) variants() {
	for len(l.replace) > 0 {
		v := l.replace[0]
		l.replace = l.replace[1:]
		base := l.c.Modules[v.of]
		before := len(l.c.Modules)
		j, reason := l.file(v.file, base.parent)
		if reason != "" {
			l.missing(v.file.spelled, v.of, reason)
			continue
		}
		if j < before {
			continue // one file under both names
		}
		m := l.c.Modules[j]
		m.VariantOf, m.Opened, m.group = v.of, base.Opened, base.group
		base.Variants = append(base.Variants, j)
		l.c.Notes = append(l.c.Notes, fmt.Sprintf("%s runs in place of %s where the processor allows: both are part of the closure", m.Path, base.Path))
		l.breadthFirst(j)
		if l.interp != nil {
			l.placeInterpreter()
		}
	}
}

// missing notes a library once. When a bound is reached, that is one line.
func (l *linker) missing(name string, by int, reason string) {
	key := name
	if l.tooMany || l.root.Spent() {
		key = "\x00bound"
	}
	if l.absent[key] || len(l.c.Missing) >= maxMissing {
		return
	}
	l.absent[key] = true
	l.c.Missing = append(l.c.Missing, Missing{Name: name, By: l.c.Modules[by].Path, Reason: reason})
}

// describe is the reason of an error, without the path that the message names anyway.
func describe(err error) string {
	if os.IsNotExist(err) {
		return "not found"
	}
	if format, ok := err.(*module.FormatError); ok {
		return format.Reason
	}
	return cause(err).Error()
}

// rulesFor takes the rules of an interpreter.
func rulesFor(l *linker, interp string, data []byte) rules {
	if strings.HasPrefix(path.Base(interp), "ld-musl-") {
		return newMusl(l.root, interp)
	}
	return newGlibc(l, data)
}

// rulesWithoutInterpreter are for a library that is asked about by itself, where the loader that it
// is made for is not there.
func rulesWithoutInterpreter(l *linker, m *Loaded) rules {
	if name := usualInterpreter(m.Module); name == muslInterp(m.Machine) {
		return newMusl(l.root, name)
	}
	return newGlibc(l, nil)
}

// usualInterpreter is the loader of the programs that a library is made for, which its C library
// tells. The paths are those of the psABIs.
func usualInterpreter(m *module.Module) string {
	for _, name := range m.Needed {
		if name == "libc.so" || strings.HasPrefix(name, "libc.musl-") {
			return muslInterp(m.Machine)
		}
	}
	if m.Machine == elf.EM_AARCH64 {
		return "/lib/ld-linux-aarch64.so.1"
	}
	return "/lib64/ld-linux-x86-64.so.2"
}
