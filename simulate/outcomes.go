package simulate

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A Region is a set of calls for which a filter gives the same answer.
type Region struct {
	Action filter.Action // as returned, with its data; see Action.Effect
	When   []Cond        // all of them hold; none: always
}

// Holds reports whether a call with these arguments and instruction pointer 0 is in the region.
func (r Region) Holds(args [6]uint64) bool { return r.HoldsFor(&filter.Data{Args: args}) }

// HoldsFor reports whether a call is in the region. It looks at arguments and instruction pointer
// only.
func (r Region) HoldsFor(d *filter.Data) bool {
	return !slices.ContainsFunc(r.When, func(c Cond) bool { return !c.HoldsFor(d) })
}

// String returns "ERRNO(1)" or "ERRNO(1) if arg0 == 40 and arg1 != 0".
func (r Region) String() string {
	if len(r.When) == 0 {
		return r.Action.String()
	}
	var parts []string
	for _, c := range r.When {
		parts = append(parts, c.String())
	}
	return r.Action.String() + " if " + strings.Join(parts, " and ")
}

// Outcomes returns what the filter can answer for a syscall of one ABI, by its number as
// seccomp_data carries it. args[i] holds the constants that argument i can have, nil for any number;
// the instruction pointer can be any. On a 32-bit ABI the upper halves of arguments and instruction
// pointer are 0, as programs of that ABI pass them (a 64-bit one can do otherwise, see Partition and
// syscalls.Arch.UpperHalves), and constants are cut to 32 bits. p must have passed Verify.
//
// Each call of that number is in exactly one of the regions, and gets that region's action; a region
// may turn out to be empty if its conditions join several words in ways that Outcomes does not see
// through. Regions with the same action are joined where the result is still a list of conditions.
// Given constants are always told apart exactly; conditions on them are true for calls with one of
// the constants, and say nothing of others.
//
// Regions come with the more permissive actions first and then in the order of their text. The error
// is ErrTooComplex, always, if the paths are too many or the returned value itself is computed from
// arguments; nothing is known then.
func Outcomes(p filter.Program, arch *syscalls.Arch, nr int32, args [6][]uint64) ([]Region, error) {
	e := explorer{plan: rawPlan(p), meter: &meter{}}
	m := merger{narrow: arch.Bits == 32}
	for i, list := range args {
		m.given[i] = constants(list, m.narrow)
	}
	start := path{}
	if slices.ContainsFunc(m.given[:], func(list []uint64) bool { return list != nil }) {
		start.facts = &facts{listed: m.given}
	}
	e.setSymbols(&m)
	e.symbols[numberSymbol], e.symbols[tokenSymbol] = constant(uint32(nr)), constant(arch.Audit)
	e.setWords(arch.BigEndian)
	e.explore(&start, maxWork)
	if len(e.lost) > 0 {
		return nil, ErrTooComplex
	}
	return m.regions(e.leaves), nil
}

// lastPlan is the plan of the program that Outcomes was asked about last: callers ask about many
// calls of one program.
var lastPlan atomic.Pointer[struct {
	program filter.Program
	*plan
}]

// rawPlan returns the plan of one program whose answer is the value that it returns.
func rawPlan(p filter.Program) *plan {
	last := lastPlan.Load()
	if last == nil || !slices.Equal(last.program, p) {
		code := &plan{raw: true}
		code.add(unit{program: p}, oldSide)
		code.finish()
		last = &struct {
			program filter.Program
			*plan
		}{slices.Clone(p), code}
		lastPlan.Store(last)
	}
	return last.plan
}

// setSymbols makes the arguments and the instruction pointer unknown, as far as nothing is given.
func (e *explorer) setSymbols(m *merger) {
	for i := range symbol(symbols) {
		e.symbols[i] = word(i)
		list := m.given[i.subject()]
		switch high := i&1 != 0; {
		case len(list) == 1:
			e.symbols[i] = constant(uint32(list[0] >> (32 * (i & 1))))
		case m.narrow && high:
			e.symbols[i] = constant(0)
		}
	}
}

// setWords places the symbols where a machine of this byte order has them.
func (e *explorer) setWords(bigEndian bool) {
	e.words[0], e.words[1] = e.symbols[numberSymbol], e.symbols[tokenSymbol]
	for subject := range callSubject {
		at := 4 + 2*subject
		if subject == ipSubject {
			at = 2
		}
		lo, hi := e.symbols[2*subject], e.symbols[2*subject+1]
		if bigEndian {
			lo, hi = hi, lo
		}
		e.words[at], e.words[at+1] = lo, hi
	}
}

// constants sorts a list and drops what is there twice; nil for no list.
func constants(list []uint64, narrow bool) []uint64 {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	if narrow {
		for i := range list {
			list[i] &= max32
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// A merger turns leaves into regions.
type merger struct {
	narrow bool               // the high halves are 0
	given  [subjects][]uint64 // constants of each subject
	tokens set                // architecture tokens that are asked about; nil: one
}

// A cell is a region in the making.
type cell struct {
	answer [2]filter.Action
	facts  [subjects]fact
	rels   []relationFact
	relKey string
	keys   [subjects]string // of the facts
}

// regions returns the regions of leaves by the answer of the old side.
func (m *merger) regions(leaves []*path) []Region {
	if len(leaves) > 0 && !slices.ContainsFunc(leaves, func(l *path) bool { return l.answer[0] != leaves[0].answer[0] }) {
		return []Region{{Action: leaves[0].answer[0]}} // all paths together are all calls
	}
	var list []Region
	for _, c := range m.cells(leaves) {
		list = append(list, Region{c.answer[0], m.conditions(c)})
	}
	sortRegions(list)
	return list
}

// sortRegions puts more permissive actions first, and then goes by the text.
func sortRegions(list []Region) {
	if len(list) < 2 {
		return
	}
	type entry struct {
		Region
		text string
	}
	entries := make([]entry, len(list))
	for i, r := range list {
		entries[i] = entry{r, r.String()}
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(-cmp.Compare(int32(a.Action.Base()), int32(b.Action.Base())),
			cmp.Compare(a.Action, b.Action), strings.Compare(a.text, b.text))
	})
	for i, e := range entries {
		list[i] = e.Region
	}
}

// cells makes cells of leaves and joins them.
func (m *merger) cells(leaves []*path) []*cell {
	var cells []*cell
	for _, l := range leaves {
		if c, ok := m.cell(l); ok {
			cells = append(cells, c)
		}
	}
	return m.merge(cells)
}

// cell is false for a leaf that turns out to be infeasible.
func (m *merger) cell(l *path) (*cell, bool) {
	k := l.known()
	c := &cell{answer: l.answer, rels: k.rels}
	for i := range subjects {
		f := factOf(k.words[2*i], k.words[2*i+1], k.listed[i], m.narrow || i >= callSubject, l.meter)
		if len(f.in) == 0 {
			return nil, false
		}
		c.facts[i] = f
		c.keys[i] = string(f.key(nil))
	}
	var texts []string
	for _, r := range k.rels {
		texts = append(texts, r.String())
	}
	slices.Sort(texts)
	c.relKey = strings.Join(texts, ";")
	return c, true
}

// maxPasses bounds the joining of cells; what is left after it is right too, only longer.
const maxPasses = 8

// merge joins cells that differ in one subject only, until nothing changes.
func (m *merger) merge(cells []*cell) []*cell {
	for range maxPasses {
		before := len(cells)
		for i := subjects - 1; i >= 0; i-- { // filters test the later arguments last
			cells = mergeSubject(cells, i)
		}
		if len(cells) == before {
			break
		}
	}
	return cells
}

// mergeSubject joins cells that differ in subject i only.
func mergeSubject(cells []*cell, i int) []*cell {
	groups := map[string][]*cell{}
	var order []string
	for _, c := range cells {
		b := binary.BigEndian.AppendUint32(nil, uint32(c.answer[0]))
		b = binary.BigEndian.AppendUint32(b, uint32(c.answer[1]))
		b = append(append(b, c.relKey...), 0)
		for j := range subjects {
			if j != i {
				b = append(b, c.keys[j]...)
			}
		}
		key := string(c.facts[i].rawKey(b))
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], c)
	}
	var r []*cell
	for _, key := range order {
		r = append(r, joinGrids(groups[key], i)...)
	}
	return r
}

// maxPairs bounds the cells that are compared pair by pair.
const maxPairs = 64

// joinGrids joins cells that differ in fact i only.
func joinGrids(group []*cell, i int) []*cell {
	if len(group) == 1 {
		return group
	}
	same := map[string][]*cell{}
	var order []string
	for _, c := range group {
		key := string(c.facts[i].maskKey(nil))
		if same[key] == nil {
			order = append(order, key)
		}
		same[key] = append(same[key], c)
	}
	var r []*cell
	for _, key := range order {
		r = append(r, joinAll(same[key], i)...)
	}
	if len(r) > maxPairs {
		return r
	}
	return joinPairs(r, i, joinMasks)
}

// joinAll joins cells whose facts i differ in the grid only: all at once if that is simple, and
// otherwise what pairs allow.
func joinAll(cells []*cell, i int) []*cell {
	if len(cells) == 1 {
		return cells
	}
	var grids []grid
	for _, c := range cells {
		grids = append(grids, c.facts[i].in)
	}
	if all := unite(grids); all.simple() {
		f := cells[0].facts[i]
		f.in = all
		return []*cell{cells[0].with(i, f)}
	}
	if len(cells) > maxPairs {
		return cells
	}
	return joinPairs(cells, i, func(f, g *fact) (fact, bool) {
		r := *f
		r.in = unite([]grid{f.in, g.in})
		return r, r.in.simple()
	})
}

// joinPairs joins any two cells for which join succeeds on their facts i, until none are left.
func joinPairs(cells []*cell, i int, join func(f, g *fact) (fact, bool)) []*cell {
	for a := 0; a < len(cells); a++ {
		for b := 0; b < len(cells); b++ {
			if a == b {
				continue
			}
			if f, ok := join(&cells[a].facts[i], &cells[b].facts[i]); ok {
				cells[a] = cells[a].with(i, f)
				cells = slices.Delete(slices.Clone(cells), b, b+1)
				a = -1 // start again
				break
			}
		}
	}
	return cells
}

// with is the cell with another fact.
func (c *cell) with(i int, f fact) *cell {
	r := *c
	r.facts[i] = f
	r.keys[i] = string(f.key(nil))
	return &r
}
