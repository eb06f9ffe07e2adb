package kernels

import (
	"fmt"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
)

// A plan says how much work an ABI gets.
type plan struct {
	Pairs, Calls int // of random filters and calls; the calls under each filter
	Stacks       int // random stacks that return every action, with some calls each
	Programs     int // for the loader
}

var (
	wholePlan = plan{Pairs: 101_000, Calls: 95, Stacks: 100, Programs: 10_200}
	// shortPlan is for compat calls where not the whole is wanted, and for the other way of running
	// filters.
	shortPlan = plan{Pairs: 20_000, Calls: 60, Stacks: 60, Programs: 2_500}
)

// generator makes the work of one ABI.
type generator struct {
	*randbpf.Generator
	abi
	prefix filter.Program
}

func newGenerator(b abi, seed uint64) *generator {
	return &generator{randbpf.New(seed), b, randbpf.LetThrough(b.arch())}
}

// work is all groups of an ABI. The first ones show what a filter sees of a call, see layout.
func (g *generator) work(p plan) []group {
	groups := g.layout()
	for n := 0; n < p.Pairs; { // a filter that mostly kills gets fewer
		groups = append(groups, g.pairs(p.Calls))
		n += len(groups[len(groups)-1].Calls)
	}
	for range p.Stacks {
		groups = append(groups, g.stack())
	}
	groups = append(groups, g.actions()...)
	groups = append(groups, g.programs(p.Programs), g.strict())
	return groups
}

// data makes a call with a number that no kernel has. On MIPS it also stays off the numbers of the
// other two ABIs, which a 64-bit kernel carries out for programs of any of them.
func (g *generator) data(p filter.Program) filter.Data {
	d := g.Data(g.arch(), p)
	if g.mips() && d.Nr >= 0 && d.Nr < 10000 {
		d.Nr += 10000
	}
	return d
}

// layout asks for each of the 16 words of seccomp_data, 12 bits at a time.
func (g *generator) layout() []group {
	calls := make([]filter.Data, 8)
	for i := range calls {
		calls[i] = g.data(nil)
	}
	var groups []group
	for word := range uint32(16) {
		for _, shift := range []uint32{0, 12, 20} {
			p := append(g.prefix[:len(g.prefix):len(g.prefix)], filter.Load(4*word), filter.Stmt(filter.OpRshK, shift),
				filter.Stmt(filter.OpAndK, 0xfff), filter.Stmt(filter.OpOrK, uint32(filter.Errno)), filter.Stmt(filter.OpRetA, 0))
			groups = append(groups, group{Kind: underFilters, What: fmt.Sprintf("word %d", word), Programs: filterStack{p}, Calls: calls})
		}
	}
	return groups
}

// ipOf puts the instruction pointer together that the layout's answers tell.
func ipOf(groups []group, answers []outcome, big bool) (ip uint64, err error) {
	var words [16]uint32
	for i := range 48 {
		g := &groups[i]
		if word := i / 3; word == 2 || word == 3 {
			first := answers[g.slot+1]
			for _, a := range answers[g.slot+1 : g.slot+1+len(g.Calls)] {
				if a != first || a.kind() != returned {
					return 0, fmt.Errorf("the instruction pointer moves: %v, %v", first, a)
				}
			}
			words[word] |= uint32(first) << []uint32{0, 12, 20}[i%3]
		}
	}
	if big {
		return uint64(words[2])<<32 | uint64(words[3]), nil
	}
	return uint64(words[3])<<32 | uint64(words[2]), nil
}

// pairs is a random filter, all outcomes of which are visible, with calls.
func (g *generator) pairs(calls int) group {
	p := g.Filter(randbpf.Shape{Prefix: g.prefix, IP: true})
	return group{Kind: underFilters, What: "filter", Programs: filterStack{p}, Calls: g.calls(filterStack{p}, calls, 1)}
}

// stack is up to four filters that return every action and unknown ones. One in three has random
// values, most of which are no action.
func (g *generator) stack() group {
	n := 1 + int(g.Word()%4)
	s := filterStack(g.Stack(n, randbpf.Shape{Prefix: g.prefix, IP: true, Actions: true, Raw: g.Word()%3 == 0, Size: 24}))
	return group{Kind: underFilters, What: "stack", Programs: s, Calls: g.calls(s, 40, 1)}
}

// calls makes calls of which few kill, as far as that can be told before the instruction pointer is
// known: a new thread or process costs more than a call.
func (g *generator) calls(s filterStack, n, kills int) []filter.Data {
	var list, last []filter.Data
	for tries := 0; len(list) < n && tries < 20*n; tries++ {
		p := s[int(g.Word()%uint32(len(s)))]
		d := g.data(p)
		seen := g.seen(d)
		a, _ := simulate.Stack(s).Run(&seen, g.order())
		switch a.Effect().Base() {
		case filter.KillProcess, filter.KillThread:
			if len(last) < kills {
				last = append(last, d)
			}
		default:
			list = append(list, d)
		}
	}
	return append(list, last...)
}

// actions is every action alone and over an older filter that returns an unknown action, by which
// those are told apart that all let a call pass that no kernel has.
func (g *generator) actions() []group {
	returns := func(a filter.Action) filter.Program {
		return append(g.prefix[:len(g.prefix):len(g.prefix)], filter.Return(a))
	}
	var groups []group
	for _, a := range randbpf.Actions() {
		for _, data := range []filter.Action{0, 1, 4095, 4096, 0xffff} {
			groups = append(groups, group{Kind: underFilters, What: "action", Programs: filterStack{returns(a | data)}, Calls: []filter.Data{g.data(nil)}})
			if a.Base() != filter.Errno && a.Base() != filter.Trap && data > 1 {
				break // data mean nothing
			}
		}
		for _, older := range []filter.Action{0x7ffd0000, 0x7ff80000, 0x7fd00000, filter.Errno | 7, filter.Trap | 9, a | 5} {
			groups = append(groups, group{Kind: underFilters, What: "actions", Programs: filterStack{returns(older), returns(a | 3)}, Calls: []filter.Data{g.data(nil)}})
		}
	}
	return groups
}

// programs is work for the loader: the limits of its rules, and changed programs.
func (g *generator) programs(n int) group {
	list := make(filterStack, 0, n)
	long := func(n int) filter.Program {
		p := make(filter.Program, n)
		for i := range p {
			p[i] = filter.Return(filter.Allow)
		}
		return p
	}
	list = append(list, nil, long(1), long(filter.MaxInsns), long(filter.MaxInsns+1), long(filter.MaxDecode))
	for code := range uint16(0x200) {
		list = append(list, filter.Program{filter.Stmt(filter.OpSt, 4), filter.Stmt(code, 4), filter.Return(0), filter.Return(0), filter.Return(0), filter.Return(0), filter.Return(0)})
	}
	for len(list) < n {
		list = append(list, g.Mutant())
	}
	return group{Kind: verdicts, What: "program", Programs: list}
}

// strict is the ABI's numbers and some more, all with arguments that are no address and no file.
func (g *generator) strict() group {
	var calls []filter.Data
	add := func(nr int32) {
		d := filter.Data{Nr: nr, Arch: g.arch().Audit}
		for i := range d.Args {
			d.Args[i] = ^uint64(0)
		}
		calls = append(calls, d)
	}
	for nr := range int32(randbpf.LetThroughBelow) {
		add(g.arch().Base + nr)
	}
	for range 20 {
		add(g.data(nil).Nr)
	}
	return group{Kind: strictMode, What: "strict mode", Calls: calls}
}
