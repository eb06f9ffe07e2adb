package simulate

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A NumberRange is a stretch of syscall numbers with the same regions: each call with one of them is
// in exactly one region, and gets its action.
type NumberRange struct {
	From, To uint32   // both included; Data.Nr as an unsigned number
	Regions  []Region // as Outcomes gives them; where Unknown is set, what is known all the same
	Unknown  *Unknown // nil: everything is known
}

// Unknown says what is known of calls for which evaluation was given up.
type Unknown struct {
	Reason  string          // "the filter has too many paths"
	Actions []filter.Action // every action that can come out, ascending by precedence
	// Any reports that the answer is computed from what is not known: the actions listed may come
	// out, and so may others.
	Any bool
}

// Partition returns what the policy answers for every number of an ABI, ascending, without gaps but
// for numbers that are another ABI's: x86_64 and x32, which share a token, divide the numbers as
// syscalls.ByAudit does. Neighbours with equal regions are one range.
//
// Regions depend on arguments and instruction pointer, as those of Outcomes do; where a filter
// computes with the number in ways that no range can say, conditions on the number appear beside
// them, but never for numbers that have a name. The work is bounded; see Unknown.
//
// Where a call can come with upper halves that it ignores (syscalls.Arch.UpperHalves), and the
// filter answers by them, so do the regions; otherwise they say "arg0" of its low half.
func Partition(p Policy, arch *syscalls.Arch) []NumberRange {
	if arch.UpperHalves {
		wide := newAnalysis(p.plan(), callsOf(arch).withUpper()).partition()
		if slices.ContainsFunc(wide, NumberRange.usesUpper) {
			return wide
		}
	}
	return newAnalysis(p.plan(), callsOf(arch)).partition()
}

// PartitionToken is Partition for any architecture token and all numbers; narrow says that the upper
// halves of arguments and instruction pointer are 0.
func PartitionToken(p Policy, token uint32, bigEndian, narrow bool) []NumberRange {
	return newAnalysis(p.plan(), scope{tokens: single(uint64(token)), numbers: upTo(max32), bigEndian: bigEndian, narrow: narrow}).partition()
}

// PartitionOthers is Partition for all tokens but those of some architectures, all if there are none:
// what machines get that nobody thought of. A filter that compares the token with others leads to
// conditions on it ("arch == 0x1234").
func PartitionOthers(p Policy, known []*syscalls.Arch, bigEndian bool) []NumberRange {
	return newAnalysis(p.plan(), callsOfOthers(known, bigEndian)).partition()
}

// A scope is the calls that an analysis is about.
type scope struct {
	arch              *syscalls.Arch // nil: none in particular
	tokens, numbers   set
	bigEndian, narrow bool
}

func callsOf(arch *syscalls.Arch) scope {
	return scope{arch, single(uint64(arch.Audit)), abiNumbers(arch), arch.BigEndian, arch.Bits == 32}
}

// withUpper is the same calls with any upper halves.
func (s scope) withUpper() scope {
	s.narrow = false
	return s
}

// usesUpper reports whether the regions depend on upper halves, or may.
func (n NumberRange) usesUpper() bool {
	return n.Unknown != nil || slices.ContainsFunc(n.Regions, func(r Region) bool { return slices.ContainsFunc(r.When, Cond.usesUpper) })
}

// usesUpper reports whether the condition is about the upper half of a number, or may be.
func (c Cond) usesUpper() bool {
	switch c.kind {
	case condTrue:
		return false
	case condIn:
		return c.half == 1 || c.half == both && c.limit > max32
	case condEq, condNe:
		return c.bits.mask>>32 != 0
	case condAtom:
		return c.half != 0
	}
	return true
}

func callsOfOthers(known []*syscalls.Arch, bigEndian bool) scope {
	if len(known) == 0 {
		known = syscalls.Arches()
	}
	var tokens []span
	for _, arch := range known {
		tokens = append(tokens, span{uint64(arch.Audit), uint64(arch.Audit)})
	}
	return scope{tokens: normal(tokens).complement(max32), numbers: upTo(max32), bigEndian: bigEndian}
}

// abiNumbers returns the numbers that belong to an ABI.
func abiNumbers(arch *syscalls.Arch) set {
	shared := func(a *syscalls.Arch) bool { return a != arch && a.Audit == arch.Audit }
	if !slices.ContainsFunc(syscalls.Arches(), shared) {
		return upTo(max32)
	}
	// One bit tells the ABIs apart, except for number -1.
	var r set
	for bit := range 32 {
		flag := uint32(1) << bit
		if syscalls.ByAudit(arch.Audit, int32(flag)) == syscalls.ByAudit(arch.Audit, 0) {
			continue
		}
		has := syscalls.ByAudit(arch.Audit, int32(flag)) == arch
		op := opEq
		if has {
			op = opNe
		}
		r, _ = atom{op: op, mask: flag}.spans(1 << 10)
	}
	last := single(max32)
	if syscalls.ByAudit(arch.Audit, -1) == arch {
		return normal(slices.Concat(r, last))
	}
	return r.intersect(last.complement(max32))
}

// An analysis is what an explorer found for a scope, number by number.
type analysis struct {
	merger
	*explorer
	scope

	asked    int // leaves that regions were made of, see maxCells
	byLeaves map[string][]Region
	byAction map[filter.Action][]Region
	byLost   map[string]*tails
	ids      map[any]uint64 // of pointers, for keys
	key      []byte
}

func (a *analysis) id(pointer any) uint64 {
	n, ok := a.ids[pointer]
	if !ok {
		n = uint64(len(a.ids))
		a.ids[pointer] = n
	}
	return n
}

func newAnalysis(code *plan, calls scope) *analysis {
	a := &analysis{
		merger:   merger{narrow: calls.narrow},
		explorer: &explorer{plan: code, meter: &meter{}},
		scope:    calls,
		byLeaves: map[string][]Region{},
		byAction: map[filter.Action][]Region{},
		byLost:   map[string]*tails{},
		ids:      map[any]uint64{},
	}
	start := &path{answer: [2]filter.Action{filter.Allow, filter.Allow}}
	start.numbers = slices.Clone(calls.numbers)
	a.setSymbols(&a.merger)
	if t := calls.tokens; len(t) == 1 && t[0].lo == t[0].hi {
		a.symbols[tokenSymbol] = constant(uint32(t[0].lo))
	} else {
		a.merger.tokens = t
		start.facts = &facts{}
		start.facts.words[tokenSymbol] = &wordFact{in: t}
	}
	a.setWords(calls.bigEndian)
	a.explore(start, maxWork)
	a.meter.left = maxWork // for what regions are made of, which has its own bounds
	return a
}

func (a *analysis) partition() []NumberRange {
	var r []NumberRange
	for _, p := range a.pieces() {
		n := NumberRange{From: uint32(p.lo), To: uint32(p.hi)}
		var ok bool
		if len(p.lost) == 0 {
			n.Regions, ok = a.regionsOf(p.leaves)
		}
		if !ok {
			n.Regions, n.Unknown = a.unknown(p)
		}
		if last := len(r) - 1; last >= 0 && r[last].To+1 == n.From && r[last].same(&n) {
			r[last].To = n.To
			continue
		}
		r = append(r, n)
	}
	return r
}

// maxCells bounds the leaves that regions are made of, over all pieces; those that know much count
// more than once.
const maxCells = 1 << 13

// afford counts leaves that regions are to be made of. It is false if they are too many.
func (a *analysis) afford(leaves []*path) bool {
	cost := 0
	for _, l := range leaves {
		f := l.known()
		parts := 4 * len(f.rels)
		for _, w := range f.words {
			if w != nil {
				parts += len(w.in) + 4*len(w.atoms)
			}
		}
		cost += 1 + parts/32
	}
	if a.asked+cost > maxCells {
		return false
	}
	a.asked += cost
	return true
}

// regionsOf returns the regions of leaves, which are computed once. It is false if there is no
// work left for it.
func (a *analysis) regionsOf(leaves []*path) ([]Region, bool) {
	if len(leaves) == 1 && leaves[0].facts == nil {
		action := leaves[0].answer[0]
		r, ok := a.byAction[action]
		if !ok {
			r = []Region{{Action: action}}
			a.byAction[action] = r
		}
		return r, true
	}
	key := a.keyOf(leaves)
	r, ok := a.byLeaves[key]
	if !ok {
		if !a.afford(leaves) {
			return nil, false
		}
		r = a.regions(leaves)
		a.byLeaves[key] = r
	}
	return r, true
}

// keyOf identifies a list of leaves by what they know beside the number.
func (a *analysis) keyOf(leaves []*path) string {
	a.key = a.key[:0]
	for _, l := range leaves {
		a.key = binary.BigEndian.AppendUint64(a.key, a.id(l.facts))
		a.key = binary.BigEndian.AppendUint32(a.key, uint32(l.answer[0]))
		a.key = binary.BigEndian.AppendUint32(a.key, uint32(l.answer[1]))
	}
	return string(a.key)
}

// same reports whether two ranges say the same.
func (n *NumberRange) same(m *NumberRange) bool {
	if len(n.Regions) != len(m.Regions) {
		return false
	}
	if (n.Unknown == nil) != (m.Unknown == nil) {
		return false
	}
	if u, v := n.Unknown, m.Unknown; u != nil && (u.Reason != v.Reason || u.Any != v.Any || !slices.Equal(u.Actions, v.Actions)) {
		return false
	}
	if len(n.Regions) > 0 && &n.Regions[0] == &m.Regions[0] {
		return true
	}
	return slices.EqualFunc(n.Regions, m.Regions, func(a, b Region) bool {
		return a.Action == b.Action && len(a.When) == len(b.When) && (len(a.When) == 0 || a.String() == b.String())
	})
}

// String returns "7: ALLOW" or "10..20: ERRNO(1) if arg0 == 1; ALLOW if arg0 != 1".
func (n NumberRange) String() string {
	var b strings.Builder
	b.WriteString(spanString(n.From, n.To) + ": ")
	for i, r := range n.Regions {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(r.String())
	}
	if n.Unknown != nil {
		if len(n.Regions) > 0 {
			b.WriteString("; ")
		}
		b.WriteString(n.Unknown.String())
	}
	return b.String()
}
