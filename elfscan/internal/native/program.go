package native

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/syscalls"
)

// Result is what a closure can call.
type Result struct {
	Needs      []Need // ascending number
	Unresolved []Unresolved
	Gaps       []Gap
	Families   []loader.Family // that the program may load by their rules, and that were not opened
	Reached    int             // functions that can run, of Functions
	Functions  int
}

// Need is one syscall that can be made.
type Need struct {
	Nr        int32
	Name      string // "" if the architecture's table does not name it
	Class     finding.Class
	Condition string // for class conditional
	Sites     []Site // where, best proof first
	Args      [6]Values
}

// Site is one place that makes a call.
type Site struct {
	Class     finding.Class
	Condition string
	Args      [6]Values
	Path      Path
	Always    []string // see authors
}

// Values is a set of constants, or unknown.
type Values struct {
	Known  bool
	Consts []uint64 // ascending
}

// Path leads from a root to a syscall instruction.
type Path []Step

// Step is one function on a path and the instruction in it that leads on.
type Step struct {
	Module  int    // index in the closure
	Start   uint64 // of the function, as linked
	Address uint64 // of the instruction, as linked
	Edge    finding.Edge
	Role    Role // of the first step: why it begins there
}

// Role says why a function runs that nothing calls.
type Role uint8

// The roles that names do not tell.
const (
	NoRole      Role = iota
	Entry            // of the program or the loader
	Constructor      // of its module
	Destructor       // of its module
)

// Unresolved is a syscall instruction whose number could not be told.
type Unresolved struct {
	Reason string
	// Family is the condition, if only what a family loads leads to the place.
	Family string
	Path   Path
}

// GapKind says what is out of sight.
type GapKind string

// The kinds of gap.
const (
	GapExec   GapKind = "exec"
	GapDlopen GapKind = "dlopen"
	GapLookup GapKind = "lookup" // functions are looked up by names that are not known
	GapCode   GapKind = "code"   // memory is made executable; All: that is sure
	GapStack  GapKind = "stack"  // the stack is, for a module
)

// Gap is something that the analysis could not look into.
type Gap struct {
	Kind  GapKind
	Names []string // constant names that are known: programs that are started, libraries that are opened
	All   bool     // there are no others than Names
	Path  Path
}

// program is a closure under study.
type program struct {
	*host
	opened
	c        *loader.Closure
	o        Options
	arch     *syscalls.Arch
	byName   map[string][]uint64
	starts   *starts
	tree     *tree // from all starts
	root     map[node]bool
	entering []node // reached functions with a syscall instruction, in the order of the tree

	inFirst  []uint32
	ins      []incoming
	callers  map[node][]node
	unseenBy map[node]string
	takers   map[node]taker    // of the functions in unseenBy whose address is taken
	holders  map[node]*holders // see held
	passers  map[uint64]bool   // see ofLibc
	keepWork int               // see flow.Keeper.Work
	scanned  int64             // see scan
	told     int               // steps of paths
}

// maxScanned bounds the references and words that are looked through for who has an address, all
// together: each function and each variable on the way to a number asks anew. GCC's cc1, with 30 MB one
// of the largest programs of a distribution, takes a ninth.
const maxScanned = 1 << 31

// scan counts n references or words, and reports whether the bound allows them.
func (p *program) scan(n int) bool {
	p.scanned += int64(n)
	return p.scanned <= maxScanned
}

// opened is what an analysis keeps when it starts over because libraries were opened.
type opened struct {
	sought map[string]bool           // names that are looked up while the program runs
	tried  map[string]bool           // files of families that were opened
	family map[string]*loader.Family // by file
}

// Analyse finds what the modules of c can call. facts is asked once for each module.
func Analyse(c *loader.Closure, facts func(*loader.Loaded) *code.Facts, o Options) *Result {
	if len(c.Modules) == 0 {
		return &Result{}
	}
	known := map[*loader.Loaded]*code.Facts{}
	once := func(l *loader.Loaded) *code.Facts {
		f := known[l]
		if f == nil {
			f = facts(l)
			known[l] = f
		}
		return f
	}
	if o.Conservative {
		return conservative(c, once, o)
	}
	return fixpoint(c, once, o)
}

// fixpoint links and walks the modules until nothing more is opened.
func fixpoint(c *loader.Closure, facts func(*loader.Loaded) *code.Facts, o Options) *Result {
	kept := opened{map[string]bool{}, map[string]bool{}, map[string]*loader.Family{}}
	for round := 0; ; round++ {
		p := link(c, facts, o)
		if p == nil {
			return &Result{}
		}
		p.opened = kept
		p.reach()
		if round < maxRounds && p.open() {
			continue
		}
		return p.result()
	}
}

// convention is that of C, with an eye on function values: those that a function returns are passed on
// as well.
func convention(m *isa.Machine) *flow.Convention {
	conv := *flow.C(m)
	conv.Leaks = true
	conv.Params = append(slices.Clone(conv.Params), conv.Result)
	return &conv
}

// maxRounds bounds how often the analysis starts over because libraries were opened that open
// others.
const maxRounds = 8

// link puts the modules of a closure into one address space.
func link(c *loader.Closure, facts func(*loader.Loaded) *code.Facts, o Options) *program {
	m := machines[c.Modules[0].Machine]
	if m == nil {
		return nil
	}
	s := &space{off: o.Off}
	for _, l := range c.Modules {
		s.add(l, facts(l))
	}
	s.index()
	s.number()
	s.bind(c)
	g := newGraph(s, m, o.Off)
	return &program{host: newHost(g, convention(m)), c: c, o: o, arch: syscalls.ByName(m.Name),
		callers: map[node][]node{}, unseenBy: map[node]string{}, takers: map[node]taker{}, holders: map[node]*holders{}, root: map[node]bool{}}
}

// reach finds what can run.
func (p *program) reach() {
	for _, n := range p.entriesOf(twiceNames...) {
		p.twice[n] = true
	}
	p.starts = p.findStarts()
	roots := p.starts.all()
	for _, n := range slices.Concat(roots.known, roots.late) {
		p.root[n] = true
	}
	if p.o.Conservative {
		for n := range p.funcs {
			roots.late = append(roots.late, node(n))
		}
	}
	p.tree = p.walk(roots)
	for _, n := range p.tree.order {
		if int(n) >= p.funcs {
			continue
		}
		if _, f := p.fun(n); f.Flags&code.HasSyscall != 0 {
			p.entering = append(p.entering, n)
		}
	}
	p.invert(p.tree)
}
