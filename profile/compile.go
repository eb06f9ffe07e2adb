package profile

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A SizeError is what Compile returns for rules that need more instructions than the kernel takes.
type SizeError struct {
	Profile string
	Limit   int // BPF_MAXINSNS
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("profile %s: the filter needs more than %d instructions, the most that a kernel loads", e.Profile, e.Limit)
}

// CompileOptions choose the form of a filter. All forms have one meaning. The zero value is a search
// tree over the numbers.
type CompileOptions struct {
	// Plain asks for a list: each number is compared in turn, as libseccomp does it without its
	// optimiser. It is long and slow, and easy to read.
	Plain bool
	// Hot names calls that are asked for first, in this order, before the tree or list; on each ABI
	// those that it has. Each costs all other calls one instruction.
	Hot []string
}

// Compile makes a filter with the meaning of Meaning for the given ABIs, by default all of Arches.
// ABIs that are not given get the bad-arch action, even if Arches has them. A disabled profile
// gives a program that allows everything. All ABIs must share one byte order, which is that of the
// program; the error for too long a program is a *SizeError. Of a compiled filter it is the filter, whatever the ABIs.
func (r *Resolved) Compile(arches ...*syscalls.Arch) (filter.Program, error) {
	return r.CompileWith(CompileOptions{}, arches...)
}

// CompileWith is Compile in the form that the options choose. A name in Hot that no ABI has is an
// error.
func (r *Resolved) CompileWith(o CompileOptions, arches ...*syscalls.Arch) (filter.Program, error) {
	if r.Profile.Format == Raw {
		return slices.Clone(r.Profile.Program), nil
	}
	if r.Profile.Format == Elastic {
		return r.elasticProgram()
	}
	for _, name := range o.Hot {
		if !syscalls.Known(name) {
			return nil, fmt.Errorf("profile %s: no syscall %q to ask for first", r.Profile.Name, name)
		}
	}
	r = r.only(arches)
	for _, a := range r.Arches {
		if a.BigEndian != r.Arches[0].BigEndian {
			return nil, fmt.Errorf("profile %s: %s and %s have different byte orders and cannot share a filter", r.Profile.Name, r.Arches[0], a)
		}
	}
	c := &compiler{emitter: newEmitter(), rules: r.Meant(), arches: r.Arches, options: o}
	if len(r.Arches) > 0 {
		c.order = r.Arches[0].Order()
	}
	p := c.program(c.dispatch())
	if c.full() || len(p) > filter.MaxInsns {
		return nil, &SizeError{Profile: r.Profile.Name, Limit: filter.MaxInsns}
	}
	if err := p.Verify(); err != nil {
		return nil, fmt.Errorf("profile %s: compiled filter: %w", r.Profile.Name, err)
	}
	return p, nil
}

// A compiler writes the filter of one set of rules.
type compiler struct {
	*emitter
	rules   *filter.Rules
	arches  []*syscalls.Arch
	order   binary.ByteOrder
	options CompileOptions
	usual   filter.Action // of the token at hand: see list
}

// dispatch writes the choice by architecture token. The first ABI, the host's own, is asked first.
func (c *compiler) dispatch() target {
	next := leaf(c.rules.Other)
	for i := len(c.rules.Tokens) - 1; i >= 0; i-- {
		token := &c.rules.Tokens[i]
		next = c.jump(filter.OpJeqK, token.Arch, c.numbers(token), next)
	}
	if next.place == 0 {
		return next
	}
	return c.before(filter.OpLdAbs, filter.OffsetArch, next)
}

// numbers writes the choice by number within a token.
func (c *compiler) numbers(token *filter.Token) target {
	weigh := weights(token.Arch)
	pieces := make([]piece, len(token.Stretches))
	for i := range token.Stretches {
		s := &token.Stretches[i]
		pieces[i] = piece{start: s.From, end: s.To, action: s.Else, weight: weigh(s.From, s.To)}
		switch {
		case len(s.Cases) == 0:
		case len(s.Cases[0].Tests) == 0:
			pieces[i].action = s.Cases[0].Action
		default:
			pieces[i].write = c.once(s)
		}
	}
	c.usual = usual(token)
	found := c.hot(token.Arch, merged(pieces))
	if found.place == 0 {
		return found
	}
	return c.before(filter.OpLdAbs, filter.OffsetNr, found)
}

// once returns what writes the cases of a stretch the first time and then knows where they are.
func (c *compiler) once(s *filter.Stretch) func() target {
	var t target
	written := false
	return func() target {
		if !written {
			t, written = c.arguments(s), true
		}
		return t
	}
}

// hot puts the calls that are asked for first before the choice among all numbers. Where two ABIs
// share a token, each has its own in front of its half.
func (c *compiler) hot(token uint32, pieces []piece) target {
	var abis []*syscalls.Arch
	for _, a := range c.arches {
		if a.Audit == token && !slices.Contains(abis, a) {
			abis = append(abis, a)
		}
	}
	if len(c.options.Hot) == 0 || len(abis) == 0 {
		return c.choose(pieces)
	}
	if len(abis) == 2 { // x86_64 and x32
		low, high := cut(pieces, x32Bit)
		native, x32 := abis[0], abis[1]
		if native.Base == x32Bit {
			native, x32 = x32, native
		}
		above := c.first(c.hotNumbers(x32), high)
		below := c.choose(low)
		return c.chain(c.hotNumbers(native), low, c.jump(filter.OpJgeK, x32Bit, above, below))
	}
	return c.first(c.hotNumbers(abis[0]), pieces)
}

// hotNumbers gives the numbers of Hot on an ABI, each once.
func (c *compiler) hotNumbers(a *syscalls.Arch) (list []uint32) {
	for _, name := range c.options.Hot {
		if nr, ok := a.Number(name); ok && !slices.Contains(list, uint32(nr)) {
			list = append(list, uint32(nr))
		}
	}
	return list
}

// first asks for some numbers and then chooses among all. What was asked for need not be told apart
// any more.
func (c *compiler) first(numbers []uint32, pieces []piece) target {
	var rest []piece
	for _, p := range pieces {
		if p.start == p.end && slices.Contains(numbers, p.start) && len(pieces) > 1 {
			if len(rest) > 0 {
				rest[len(rest)-1].end = p.end
				continue
			}
			p.hot = true
		}
		rest = append(rest, p)
	}
	if len(rest) > 1 && rest[0].hot {
		rest[1].start = rest[0].start
		rest = rest[1:]
	}
	return c.chain(numbers, pieces, c.choose(merged(rest)))
}

// chain asks for some numbers before next.
func (c *compiler) chain(numbers []uint32, pieces []piece, next target) target {
	for _, nr := range slices.Backward(numbers) {
		i, _ := slices.BinarySearchFunc(pieces, nr, func(p piece, nr uint32) int {
			if p.end < nr {
				return -1
			}
			return 1
		})
		next = c.jump(filter.OpJeqK, nr, pieces[i].target(), next)
	}
	return next
}

// choose writes the choice among pieces as the options have it.
func (c *compiler) choose(pieces []piece) target {
	if c.options.Plain {
		return c.list(pieces)
	}
	return c.search(pieces)
}

// list writes a choice among numbers one by one. The usual action is what is left at the end.
func (c *compiler) list(pieces []piece) target {
	next := leaf(c.usual)
	for _, p := range slices.Backward(pieces) {
		switch t := p.target(); {
		case t == leaf(c.usual):
		case p.end-p.start < mostListed:
			for nr := int64(p.end); nr >= int64(p.start) && !c.full(); nr-- {
				next = c.jump(filter.OpJeqK, uint32(nr), t, next)
			}
		default:
			next = c.within(p, t, next)
		}
	}
	return next
}

// usual finds the action that most of the stretches without a rule have: the default, where there
// are numbers without a rule at all.
func usual(token *filter.Token) (most filter.Action) {
	count := map[filter.Action]int{}
	for _, s := range token.Stretches {
		if len(s.Cases) == 0 {
			if count[s.Else]++; count[s.Else] > count[most] {
				most = s.Else
			}
		}
	}
	return most
}

// mostListed is how many numbers of one stretch a list compares one by one.
const mostListed = 256

// within asks whether a number lies in a piece.
func (c *compiler) within(p piece, yes, no target) target {
	if p.end != 1<<32-1 {
		yes = c.jump(filter.OpJgtK, p.end, no, yes)
	}
	if p.start == 0 {
		return yes
	}
	return c.jump(filter.OpJgeK, p.start, yes, no)
}

// weights returns how often a stretch of a token's numbers is taken to be asked for: once for each
// number that its table has, and for some that a newer kernel may add. x32 is as good as never
// called. No stretch weighs nothing.
func weights(token uint32) func(from, to uint32) int {
	const often, seldom, newer = 16, 1, 64
	type span struct {
		from, to uint64
		each     int
	}
	var spans []span
	for _, a := range syscalls.Arches() {
		if list := a.Syscalls(); a.Audit == token && len(list) > 0 {
			each := often
			if a.Base == x32Bit {
				each = seldom
			}
			// Private numbers far above the others, as on arm, are few and seldom called.
			top := list[0].Nr
			for _, s := range list {
				if s.Nr-top > 1000 {
					break
				}
				top = s.Nr
			}
			spans = append(spans, span{uint64(uint32(list[0].Nr)), uint64(uint32(top)) + newer, each})
		}
	}
	return func(from, to uint32) int {
		total := 1
		for _, s := range spans {
			low, high := max(uint64(from), s.from), min(uint64(to), s.to)
			if low <= high {
				total += int(high-low+1) * s.each
			}
		}
		return total
	}
}
