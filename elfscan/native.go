package elfscan

import (
	"debug/elf"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/profcheck/profcheck/elfscan/internal/cache"
	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
	"github.com/profcheck/profcheck/elfscan/internal/native"
	"github.com/profcheck/profcheck/elfscan/internal/symbolize"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// analysis turns what package native finds in a process into a Result.
type analysis struct {
	*process
	arch   *syscalls.Arch
	o      Options
	goText []span // code of the program that is analysed as Go's
	mu     sync.Mutex
	facts  map[*loader.Loaded]*code.Facts
	cache  *cache.Cache                  // nil: none
	sums   map[*loader.Loaded][32]byte   // of the modules' files, where they could be read; nil without a cache
	opens  []opening                     // what open was asked for, in order
	debug  []debugFile                   // what readDebug was asked for
	names  map[int]*symbolize.Symbolizer // by module
	spare  *atomic.Int64                 // see symbolize.Source
	opened map[string]bool               // names that the program opens: whether they were found
}

// native adds to res what the code of a process can call, without the ranges goText of the
// program, which is a Go program if there are any.
func (o Options) native(res *Result, p *process, goText []span) {
	a := &analysis{process: p, arch: res.Arch, o: o, goText: goText, facts: map[*loader.Loaded]*code.Facts{}, opened: map[string]bool{}, names: map[int]*symbolize.Symbolizer{}, spare: symbolize.NewSpare()}
	if o.CacheDir != "" && p.root != nil {
		a.cache, _ = cache.Open(o.CacheDir) // a directory that cannot be used costs time and nothing else
		defer a.cache.Close()
	}
	out := a.outcome()
	for _, n := range out.Needs {
		if own := res.Need(n.Nr); own != nil {
			own.unite(n)
		} else {
			res.Needs = append(res.Needs, n)
		}
	}
	slices.SortFunc(res.Needs, func(a, b Need) int { return int(a.Nr) - int(b.Nr) })
	res.Unresolved = append(res.Unresolved, out.Unresolved...)
	res.Modules = p.moduleList()
	res.Gaps = slices.Concat(res.Gaps, p.library(), p.gaps, p.malformed(), p.hidden(), p.unfinished())
	for _, g := range out.Gaps {
		if g.Names != nil || g.Detail == callsByName || !res.hasGap(g.Kind) {
			res.Gaps = append(res.Gaps, g)
		}
	}
}

// outcome is what an analysis comes to, in the words of a Result.
type outcome struct {
	Needs      []Need
	Unresolved []Unresolved
	Gaps       []Gap
}

// analyse reads the code of all modules and finds what it can call.
func (a *analysis) analyse() outcome {
	a.each(a.Modules, func(m *loader.Loaded) { a.factsOf(m) })
	opt := native.Options{Conservative: a.o.Conservative, Outside: len(a.goText) > 0}
	if a.root != nil {
		opt.Open, opt.Families = a.open, a.families
	}
	found := native.Analyse(a.Closure, a.factsOf, opt)
	out := outcome{Gaps: familyGaps(found.Families)}
	for _, n := range found.Needs {
		out.Needs = append(out.Needs, a.need(n))
	}
	for _, u := range found.Unresolved {
		steps := a.path(u.Path)
		last := steps[len(steps)-1]
		if u.Family != "" {
			a.doubt(&out, last, u, steps)
			continue
		}
		out.Unresolved = append(out.Unresolved, Unresolved{Function: last.Function, Address: last.Address, Reason: u.Reason, Path: steps})
	}
	for _, g := range found.Gaps {
		if !a.asCommand(g, found.Needs) {
			out.Gaps = append(out.Gaps, a.gap(g)...)
		}
	}
	out.Gaps = joinLookups(out.Gaps)
	return out
}

// What a program does that calls by name: loads libraries, finds functions in what is loaded, or both.
// The functions themselves may well be read, but not as ones that are called.
const (
	loadsByName = "loads code by names that are not constant"
	callsByName = "calls functions by names that are not constant (dlsym): what these call was not seen"
	bothByName  = "loads code, and calls functions of what is loaded (dlsym), by names that are not constant"
)

// joinLookups makes one gap of two where the program also loads code by unknown names, as those do that
// have plugins.
func joinLookups(gaps []Gap) []Gap {
	loads := slices.IndexFunc(gaps, func(g Gap) bool { return g.Detail == loadsByName })
	calls := slices.IndexFunc(gaps, func(g Gap) bool { return g.Detail == callsByName })
	if loads < 0 || calls < 0 {
		return gaps
	}
	gaps[loads].Detail = bothByName
	return slices.Delete(gaps, calls, calls+1)
}

// asCommand reports whether programs are started by nothing but a loader that is run as a command,
// which is not how it comes into a process.
func (a *analysis) asCommand(g native.Gap, needs []native.Need) bool {
	if g.Kind != native.GapExec || len(g.Names) > 0 {
		return false
	}
	for _, n := range needs {
		if n.Name != "execve" && n.Name != "execveat" {
			continue
		}
		for _, s := range n.Sites {
			if s.Class != finding.Conditional || len(s.Path) == 0 || !a.Modules[s.Path[len(s.Path)-1].Module].Interp {
				return false
			}
		}
	}
	return true
}

// hasGap reports whether there is a gap of this kind already that names nothing.
func (r *Result) hasGap(kind GapKind) bool {
	return slices.ContainsFunc(r.Gaps, func(g Gap) bool { return g.Kind == kind && g.Names == nil })
}

// each calls f for some modules, on all processors.
func (a *analysis) each(mods []*loader.Loaded, f func(*loader.Loaded)) {
	work := make(chan *loader.Loaded)
	var wait sync.WaitGroup
	for range min(len(mods), runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for m := range work {
				f(m)
			}
		})
	}
	for _, m := range mods {
		work <- m
	}
	close(work)
	wait.Wait()
}

// factsOf returns what is known about a module's code.
func (a *analysis) factsOf(m *loader.Loaded) *code.Facts {
	a.mu.Lock()
	f := a.facts[m]
	a.mu.Unlock()
	if f != nil {
		return f
	}
	if m == a.Modules[0] && len(a.goText) > 0 {
		f = code.Extract(without(m.Module, a.goText))
	} else {
		f = a.kept(m)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.facts[m] = f
	return f
}

// without returns a module as if some ranges of its code were not there.
func without(m *module.Module, ranges []span) *module.Module {
	out := &module.Module{
		Path: m.Path, Machine: m.Machine, Type: m.Type, Entry: m.Entry, Relro: m.Relro, TLS: m.TLS, Sections: m.Sections,
		Symbols: m.Symbols, Locals: m.Locals, Relocs: m.Relocs, Frames: m.Frames, Init: m.Init, Fini: m.Fini,
		PreinitArray: m.PreinitArray, InitArray: m.InitArray, FiniArray: m.FiniArray,
	}
	for _, seg := range m.Segments {
		for _, r := range ranges {
			if !seg.Exec || r.addr < seg.Addr || r.addr+r.size > seg.Addr+uint64(len(seg.Data)) {
				continue
			}
			if front := seg; r.addr > seg.Addr {
				front.Size = r.addr - seg.Addr
				front.Data = seg.Data[:front.Size]
				out.Segments = append(out.Segments, front)
			}
			skip := r.addr + r.size - seg.Addr
			seg.Addr, seg.Size, seg.Data, seg.Offset = seg.Addr+skip, seg.Size-skip, seg.Data[skip:], seg.Offset+skip
		}
		if seg.Size > 0 {
			out.Segments = append(out.Segments, seg)
		}
	}
	return out
}

func (a *analysis) need(n native.Need) Need {
	out := Need{Nr: n.Nr, Name: n.Name, Class: n.Class, Condition: n.Condition, Args: a.values(n.Name, n.Args)}
	for _, s := range n.Sites {
		site := Site{Class: s.Class, Condition: s.Condition, Args: a.values(n.Name, s.Args), Path: a.path(s.Path), Always: s.Always}
		if k := len(site.Path); k > 0 {
			site.Address = site.Path[k-1].Address
		}
		out.Sites = append(out.Sites, site)
	}
	return out
}

// values takes over constants. Addresses in files that can lie anywhere are none.
func (a *analysis) values(name string, in [6]native.Values) (out [6]Values) {
	params, _ := a.arch.Params(name)
	for i, v := range in {
		pointer := i < len(params) && params[i].Kind == syscalls.Pointer
		if v.Known && !slices.ContainsFunc(v.Consts, func(c uint64) bool { return a.moves(c, pointer) }) {
			out[i] = Values(v)
		}
	}
	return out
}

// moduleBits is the width of the addresses that package native gives to one module.
const moduleBits = 40

// moves reports whether a constant is an address of a file that is not mapped where it was linked.
func (a *analysis) moves(c uint64, pointer bool) bool {
	i := c >> moduleBits
	if i >= uint64(len(a.Modules)) || i == 0 && !pointer {
		return false
	}
	m := a.Modules[i]
	return m.Type == elf.ET_DYN && m.Segment(c&(1<<moduleBits-1)) != nil
}

// unnamed begins what stands for the name of a function that the file does not name.
const unnamed = "sub_"

// roles name such functions that run by themselves.
var roles = map[native.Role]string{native.Entry: "_start", native.Constructor: "constructor", native.Destructor: "destructor"}

// path names the steps of a path.
func (a *analysis) path(steps native.Path) finding.Path {
	var out finding.Path
	for _, s := range steps {
		frames := a.symbolizer(s.Module).Frames(s.Address)
		for i := len(frames) - 1; i >= 0; i-- {
			f := finding.Frame{Function: frames[i].Function, File: frames[i].File, Line: frames[i].Line, Address: s.Address, Edge: finding.EdgeInline}
			if i == 0 {
				f.Edge = s.Edge
				if name := roles[s.Role]; name != "" && strings.HasPrefix(f.Function, unnamed) {
					f.Function = name
				}
			}
			if s.Module > 0 {
				f.Module = path.Base(a.Modules[s.Module].Path)
			}
			out = append(out, f)
		}
	}
	return out
}

func (a *analysis) symbolizer(i int) *symbolize.Symbolizer {
	if s := a.names[i]; s != nil {
		return s
	}
	m := a.Modules[i]
	src := symbolize.Source{Path: m.Path, Bounds: a.factsOf(m).Bounds, Spare: a.spare}
	if a.root != nil {
		src.Open = a.readDebug
		src.Data, _ = a.root.ReadFile(m.Path) // gone: names without lines
	}
	a.names[i] = symbolize.New(m.Module, src)
	return a.names[i]
}

// gap says what cannot be seen: one entry for what is named by constants, one for all else.
func (a *analysis) gap(g native.Gap) []Gap {
	var out []Gap
	way := a.path(g.Path)
	switch g.Kind {
	case native.GapExec:
		if len(g.Names) > 0 {
			out = append(out, Gap{Kind: GapExec, Names: g.Names, Path: way, Detail: "starts " + list(g.Names) + ", under the same filter"})
		}
		if !g.All || len(g.Names) == 0 {
			out = append(out, Gap{Kind: GapExec, Path: way, Detail: "starts programs whose names are not constant, under the same filter"})
		}
	case native.GapLookup:
		out = append(out, Gap{Kind: GapCode, Path: way, Detail: callsByName})
	case native.GapStack:
		out = append(out, Gap{Kind: GapCode, Path: way, Detail: "has an executable stack, which " + g.Names[0] + " asks for: code that it writes there was not seen"})
	case native.GapCode:
		detail := makesCode
		if !g.All {
			detail = mayMakeCode
		}
		out = append(out, Gap{Kind: GapCode, Path: way, Detail: detail})
	case native.GapDlopen:
		var absent []string
		for _, n := range g.Names {
			if !a.opened[n] {
				absent = append(absent, n)
			}
		}
		if len(absent) > 0 {
			out = append(out, Gap{Kind: GapDlopen, Names: absent, Path: way, Detail: "opens libraries that are not there: " + list(absent)})
		}
		if !g.All {
			out = append(out, Gap{Kind: GapDlopen, Path: way, Detail: loadsByName})
		}
	}
	return out
}

// list joins names, as far as a line holds them.
func list(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}
