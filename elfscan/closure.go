package elfscan

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// process is what the loader maps for a program.
type process struct {
	*loader.Closure
	root *loader.Root // nil: libraries cannot be looked for
	gaps []Gap        // libraries that are missing
}

// load finds what is mapped for the program r, with the plugins.
func (o Options) load(name string, r io.ReaderAt, size int64, at *place) (*process, error) {
	if at == nil {
		return loadAlone(name, r, size)
	}
	c, err := at.root.Load(at.path)
	if err != nil {
		return nil, unreadable(name, err)
	}
	p := &process{Closure: c, root: at.root}
	for _, plugin := range o.Plugins {
		if err := p.plugin(plugin); err != nil {
			return nil, err
		}
	}
	for _, m := range c.Missing {
		p.gaps = append(p.gaps, Gap{Kind: GapMissing, Names: []string{m.Name}, Detail: fmt.Sprintf("%s, which %s needs, was not read: %s", m.Name, m.By, m.Reason)})
	}
	return p, nil
}

// loadAlone is load for a file that lies nowhere.
func loadAlone(name string, r io.ReaderAt, size int64) (*process, error) {
	data := make([]byte, size)
	if _, err := r.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, unwrapPath(name, err)
	}
	m, err := module.Open(name, data)
	if err != nil {
		return nil, unreadable(name, err)
	}
	p := &process{Closure: &loader.Closure{Modules: []*loader.Loaded{{Module: m, Path: name, VariantOf: -1}}}}
	needs := m.Needed
	if m.Interp != "" {
		needs = append([]string{m.Interp}, needs...)
	}
	for _, n := range needs {
		p.gaps = append(p.gaps, Gap{Kind: GapMissing, Names: []string{n}, Detail: fmt.Sprintf("%s, which the program needs, was not looked for", n)})
	}
	return p, nil
}

// unreadable names the file as the user did.
func unreadable(name string, err error) error {
	var fe *module.FormatError
	if errors.As(err, &fe) {
		return &FormatError{name, fe.Reason}
	}
	return unwrapPath(name, err)
}

// interp returns the loader that runs before the program, nil if there is none or it was not found.
func (p *process) interp() *loader.Loaded {
	for _, m := range p.Modules {
		if m.Interp {
			return m
		}
	}
	return nil
}

// malformed says which files contradict themselves in what the loader goes by: calls, or ways to
// them, may be hidden there. Section headers and the symbol table are hints, which the loader does not
// look at.
func (p *process) malformed() []Gap {
	var out []Gap
	for _, m := range p.Modules {
		serious := slices.DeleteFunc(slices.Clone(m.Problems), func(problem string) bool {
			return strings.HasPrefix(problem, "section") || strings.HasPrefix(problem, "symbol table")
		})
		if len(serious) == 0 {
			continue
		}
		detail := fmt.Sprintf("%s is malformed: %s", m.Path, serious[0])
		if more := len(serious) - 1; more > 0 {
			detail += fmt.Sprintf(" (and %d more faults)", more)
		}
		out = append(out, Gap{Kind: GapMissing, Names: []string{m.Path}, Detail: detail})
	}
	return out
}

// hidden says which files make code while they run, that nobody can read before.
func (p *process) hidden() []Gap {
	var out []Gap
	add := func(m *loader.Loaded, format string, args ...any) {
		out = append(out, Gap{Kind: GapMissing, Names: []string{m.Path}, Detail: m.Path + " " + fmt.Sprintf(format, args...)})
	}
	for _, m := range p.Modules {
		for i, s := range m.Segments {
			// The stub of UPX keeps its magic number behind the program headers.
			const front = 512
			if i == 0 && bytes.Contains(s.Data[:min(front, len(s.Data))], []byte("UPX!")) {
				add(m, "is packed, and what it unpacks was not read (upx -d unpacks it)")
				break
			}
			if s.Exec && s.Write {
				add(m, "has memory at %#x that is writable and executable: code that is written there was not read", s.Addr)
				break
			}
		}
	}
	return out
}

// unfinished says that the root has more to look at than anyone looks at.
func (p *process) unfinished() []Gap {
	if p.root == nil || !p.root.Spent() {
		return nil
	}
	return []Gap{{Kind: GapMissing, Names: []string{p.Modules[0].Path}, Detail: "the search for libraries did not end: search paths, configuration files and links lead to too many files"}}
}

// moduleList lists the files for a result.
func (p *process) moduleList() []Module {
	var out []Module
	for _, m := range p.Modules {
		out = append(out, Module{Path: m.Path, BuildID: m.BuildID, Opened: m.Opened})
	}
	return out
}

// maxPlugins bounds the shared objects that are opened from one directory.
const maxPlugins = 1000

// plugin opens a shared object, or those in a directory. A name without slash is looked for as
// dlopen does if there is no such file.
func (p *process) plugin(name string) error {
	host, inside, err := p.root.Resolve(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.Contains(name, "/") {
		return p.open(name, name)
	}
	if err != nil {
		return unwrapPath("plugin "+name, err)
	}
	st, err := os.Stat(host)
	switch {
	case err != nil:
		return unwrapPath("plugin "+name, err)
	case st.Mode().IsRegular():
		return p.open(name, inside)
	case !st.IsDir():
		return &FormatError{"plugin " + name, "is not a regular file"}
	}
	found := 0
	if err := p.openAll(name, host, inside, &found, 0); err != nil {
		return err
	}
	if found == 0 {
		return &FormatError{"plugin " + name, "no shared objects for the program's machine in this directory"}
	}
	return nil
}

// open opens one plugin; name is for messages.
func (p *process) open(name, as string) error {
	before := len(p.Missing)
	added, err := p.root.Open(p.Closure, as, nil)
	if err != nil {
		return unwrapPath("plugin "+name, err)
	}
	if len(added) > 0 {
		m := p.Modules[added[0]]
		m.Given = m.Opened
		return nil
	}
	reason := "not found"
	if len(p.Missing) > before {
		reason = strings.TrimPrefix(p.Missing[len(p.Missing)-1].Reason, as+": ")
		if _, why, ok := strings.Cut(reason, as+" is passed over: "); ok {
			reason = why // it was found
		}
		p.Missing = p.Missing[:before] // this error says it
		if reason == "file too short" || reason == "invalid ELF header" {
			reason = "not an ELF file" // in the words for programs, not in those of ld.so
		}
	}
	return &FormatError{"plugin " + name, reason}
}

// maxDepthDir bounds how deep directories of plugins are searched.
const maxDepthDir = 20

// openAll opens the shared objects in a directory and those below it. What is none, or for another
// machine, is passed over.
func (p *process) openAll(name, host, inside string, found *int, depth int) error {
	entries, err := os.ReadDir(host)
	if err != nil {
		return unwrapPath("plugin "+name, err)
	}
	for _, e := range entries {
		at := path.Join(inside, e.Name())
		target, real, err := p.root.Resolve(at)
		if err != nil {
			continue // a link that leads nowhere
		}
		st, err := os.Stat(target)
		switch {
		case err != nil:
		case st.IsDir():
			if e.IsDir() && depth < maxDepthDir { // links could lead in circles
				if err := p.openAll(name, target, real, found, depth+1); err != nil {
					return err
				}
			}
		case st.Mode().IsRegular() && p.fits(target):
			if *found++; *found > maxPlugins {
				return &FormatError{"plugin " + name, fmt.Sprintf("more than %d shared objects", maxPlugins)}
			}
			var fe *FormatError
			switch err := p.open(at, real); {
			case errors.As(err, &fe):
				p.gaps = append(p.gaps, Gap{Kind: GapMissing, Names: []string{at}, Detail: fe.Error()})
			case err != nil:
				return err
			}
		}
	}
	return nil
}

// fits reports whether a file is a shared object for the program's machine, and no program itself.
func (p *process) fits(host string) bool {
	f, err := os.Open(host)
	if err != nil {
		return false
	}
	defer f.Close()
	var h [64]byte // Elf64_Ehdr
	if _, err := f.ReadAt(h[:], 0); err != nil || string(h[:4]) != elf.ELFMAG {
		return false
	}
	le := binary.LittleEndian
	if elf.Class(h[elf.EI_CLASS]) != elf.ELFCLASS64 || elf.Data(h[elf.EI_DATA]) != elf.ELFDATA2LSB ||
		elf.Type(le.Uint16(h[16:])) != elf.ET_DYN || elf.Machine(le.Uint16(h[18:])) != p.Modules[0].Machine {
		return false
	}
	const progHeader = 56 // Elf64_Phdr
	segments := make([]byte, progHeader*int(le.Uint16(h[56:])))
	if _, err := f.ReadAt(segments, int64(le.Uint64(h[32:])&(1<<63-1))); err != nil {
		return false
	}
	for ; len(segments) > 0; segments = segments[progHeader:] {
		if elf.ProgType(le.Uint32(segments)) == elf.PT_INTERP {
			return false
		}
	}
	return true
}
