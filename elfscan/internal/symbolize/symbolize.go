package symbolize

import (
	"fmt"
	"path"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// Source says where the bytes are that a module.Module does not keep.
type Source struct {
	Data []byte // the module's file; nil if it is gone: then lines come from a separate debug file only
	Path string // of the module in the root, without links: .gnu_debuglink is relative to it
	// Open reads a file of the root. It is called with paths as they are inside of the root, and at
	// most for a handful of them. nil means that there are no separate debug files.
	Open func(path string) ([]byte, error)
	// Bounds tells where the function begins and ends that holds an address, as far as code shows. It
	// bounds symbols without a size, and names what has no symbol. nil if nobody looked at the code.
	Bounds func(addr uint64) (start, end uint64, ok bool)
	// Spare is shared by all modules of a process: 60 kB can decompress to 64 MB, and a process can have
	// a thousand libraries. What finds nothing left has names without lines. nil: each file has its own.
	Spare *atomic.Int64
}

// Frame is a function and a place in it.
type Frame struct {
	Function string
	File     string // "" if unknown
	Line     int    // 0 if unknown
}

// Symbolizer names the addresses of one module, as linked. It is safe for concurrent use. It reads
// nothing before it is asked.
type Symbolizer struct {
	module *module.Module
	source Source

	mu       sync.Mutex
	searched bool    // for a separate debug file
	separate *object // nil if there is none
	table    []symbol
	named    bool // table is there
	names    map[uint64]string
	dwarf    *dwarf
	lined    bool // dwarf was looked for
}

// New returns the Symbolizer of a module.
func New(m *module.Module, source Source) *Symbolizer {
	return &Symbolizer{module: m, source: source, names: make(map[uint64]string)}
}

// Function returns the name of the function that holds an address.
func (s *Symbolizer) Function(addr uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.function(addr)
}

func (s *Symbolizer) function(addr uint64) string {
	if !s.named {
		s.named = true
		found := append(candidates(s.module, s.module.Symbols), candidates(s.module, s.module.Locals)...)
		if debug := s.debugFile(); debug != nil {
			found = append(found, candidates(s.module, debug.symtab())...)
		}
		s.table = nameTable(s.module, found)
	}
	symbol, ok := find(s.table, addr)
	if !ok || symbol.label && s.beyond(symbol.addr, addr) {
		return fmt.Sprintf("sub_%x", s.start(addr))
	}
	name, ok := s.names[symbol.addr]
	if !ok {
		name = Name(symbol.name)
		s.names[symbol.addr] = name
	}
	return name
}

// beyond reports whether an address lies behind the function at label: assemblers give symbols no
// size, and what has no symbol may follow.
func (s *Symbolizer) beyond(label, addr uint64) bool {
	if s.source.Bounds == nil {
		return false
	}
	if start, _, ok := s.source.Bounds(addr); ok {
		return start > label
	}
	_, end, ok := s.source.Bounds(label)
	return ok && addr >= end
}

// start returns where the code begins that an address belongs to, as far as flow or frame
// descriptions tell.
func (s *Symbolizer) start(addr uint64) uint64 {
	if s.source.Bounds != nil {
		if start, _, ok := s.source.Bounds(addr); ok {
			return start
		}
	}
	frames := s.module.Frames
	i := sort.Search(len(frames), func(i int) bool { return frames[i].Start > addr }) - 1
	if i >= 0 && addr < frames[i].End {
		return frames[i].Start
	}
	return addr
}

// Line returns the source line of an instruction, "" and 0 if it is not known.
func (s *Symbolizer) Line(addr uint64) (file string, line int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, line, _, _ = s.line(addr)
	return file, line
}

func (s *Symbolizer) line(addr uint64) (file string, line int, unit int, t *lineTable) {
	d := s.debugData()
	if d == nil {
		return "", 0, -1, nil
	}
	unit = d.unitOf(addr)
	if unit < 0 {
		return "", 0, -1, nil
	}
	u := &d.units[unit]
	if t = d.lineTable(u); t != nil {
		file, line = t.find(u, addr)
	}
	return file, line, unit, t
}

// Frames returns the functions that an instruction belongs to, innermost first: those that the
// compiler has inlined, each with the place of the call in it, and last the one that Function
// returns.
func (s *Symbolizer) Frames(addr uint64) []Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	outer := s.function(addr)
	file, line, unit, table := s.line(addr)
	frames := []Frame{{outer, file, line}}
	if unit < 0 {
		return frames
	}
	u := &s.dwarf.units[unit]
	for _, call := range s.dwarf.inlinedIn(unit) { // outermost first
		if addr < call.lo || addr >= call.hi || len(frames) >= maxFrames {
			continue
		}
		name := s.dwarf.nameOf(call.origin)
		if name == "" {
			continue
		}
		// The innermost frame so far is only the place of the call.
		frames[0].File, frames[0].Line = "", 0
		if table != nil {
			if called := table.path(u, uint64(call.callFile)); called != "" && call.callLine != 0 {
				frames[0].File, frames[0].Line = called, int(call.callLine)
			}
		}
		frames = append([]Frame{{name, file, line}}, frames...)
	}
	return frames
}

// maxFrames bounds the depth of inlined calls.
const maxFrames = 64

// debugData returns the DWARF of the module or of its separate debug file, nil if there is none.
func (s *Symbolizer) debugData() *dwarf {
	if s.lined {
		return s.dwarf
	}
	s.lined = true
	inCode := func(addr uint64) bool { return executable(s.module, addr) }
	own := parseObject(s.source.Data).share(s.source.Spare)
	if own.hasDebugInfo() {
		s.dwarf = newDwarf(own, inCode)
	} else if debug := s.debugFile(); debug != nil {
		s.dwarf = newDwarf(debug, inCode)
	}
	return s.dwarf
}

func (o *object) hasDebugInfo() bool {
	return o.section(".debug_info") != nil || o.section(".zdebug_info") != nil
}

// debugFile looks for the separate debug file, once. A file of another build tells lies about this
// one, so that its build id must be the same, and where there is none the checksum must hold.
func (s *Symbolizer) debugFile() *object {
	if s.searched || s.source.Open == nil {
		return s.separate
	}
	s.searched = true
	own := parseObject(s.source.Data).share(s.source.Spare)
	if own.hasDebugInfo() && own.section(".symtab") != nil {
		return nil
	}
	const debugRoot = "/usr/lib/debug"
	id := s.module.BuildID
	if len(id) > 2 && strings.Trim(id, "0123456789abcdef") == "" {
		if s.tryDebugFile(path.Join(debugRoot, ".build-id", id[:2], id[2:]+".debug"), nil) {
			return s.separate
		}
	}
	name, sum, ok := own.debugLink()
	dir := path.Dir(s.source.Path)
	if !ok || !path.IsAbs(dir) {
		return nil
	}
	for _, candidate := range []string{path.Join(dir, name), path.Join(dir, ".debug", name), path.Join(debugRoot, dir, name)} {
		if candidate != s.source.Path && s.tryDebugFile(candidate, &sum) {
			break
		}
	}
	return s.separate
}

// tryDebugFile takes a file if it belongs to the module. sum is its checksum, nil if only the build
// id is known.
func (s *Symbolizer) tryDebugFile(file string, sum *uint32) bool {
	data, err := s.source.Open(file)
	if err != nil {
		return false // it is not there, as usual
	}
	debug := parseObject(data).share(s.source.Spare)
	if s.module.BuildID != "" && debug.buildID() != s.module.BuildID {
		return false
	}
	if sum != nil && checksum(data) != *sum {
		return false
	}
	s.separate = debug
	return true
}
