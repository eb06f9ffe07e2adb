package simulate

import (
	"errors"
	"math/bits"
	"slices"
	"sync"

	"github.com/profcheck/profcheck/filter"
)

// ErrTooComplex is what Outcomes returns where it gives up: the filter has too many paths for this
// syscall, or its answer is computed from arguments in a way that has no short description.
var ErrTooComplex = errors.New("simulate: too complex to evaluate symbolically")

// The budget of one evaluation. Filters that compilers make stay below a hundredth of it.
const (
	maxWork   = 1 << 20 // instructions over all paths, and what feasibility costs beside them
	maxLeaves = 1 << 12 // paths that wait at a time, and paths that ended, in one task
	maxFree   = 8       // unknown bits in a returned value, which are tried one by one
)

// Why a path is not followed to its end.
const (
	tooMuchWork  = "the filter has too many paths"
	tooManyEnds  = "the filter tells too many cases apart"
	tooComputed  = "the filter computes too long an expression"
	tooManyTails = "the answer is computed from what is not known"
)

// memory is the scratch memory.
type memory [filter.MemWords]value

// A path is a path under way: the state of the machine before the instruction at pc, and the answers
// so far of the old side and the new.
type path struct {
	pc     int32
	task   int32 // 0: none
	a, x   value
	m      *memory // nil: all 0; never changed once it is here
	answer [2]filter.Action
	knowledge
	behind *path // in a bucket
}

// A lost path is one that could not be followed to its end.
type lostPath struct {
	*path
	reason string
}

// An explorer follows all feasible paths of a plan, in the order of the code. Paths that meet with
// the same state are joined where what they know is simple enough: the plan has no loops, so that
// all paths through an instruction are there when its turn comes.
//
// It goes over the code first with what depends on the syscall number alone. There a number is on
// one path at a time. A path that forks for another reason is put off, as a task; each task has a
// share of the work that is left, so that one number cannot use up the work for the others.
type explorer struct {
	*plan
	meter   *meter
	symbols [symbols]value // what the symbols are: constants or themselves
	words   [16]value      // the same as the load instructions see it
	buckets []*path        // by instruction: the paths that wait there, the latest first
	waiting []uint64       // a bit per bucket that is not empty
	alive   int            // paths in buckets
	crowded bool           // there were too many of them
	first   bool           // tasks are put off
	tasks   [][]*path
	leaves  []*path
	lost    []lostPath
	list    []*path // the bucket that is worked on
	spent   int     // work that was done
}

// buckets are kept for the next explorer: most have little to do.
var buckets sync.Pool

type bucketMemory struct {
	buckets []*path
	waiting []uint64
}

// explore follows all that goes out from start. What comes of it is in leaves and lost; work is the
// bound of it all. A path that is taken for feasible although no call takes it does no harm: its
// conditions never hold.
func (e *explorer) explore(start *path, work int) {
	memory, _ := buckets.Get().(*bucketMemory)
	if memory == nil || len(memory.buckets) <= len(e.code) {
		memory = &bucketMemory{make([]*path, len(e.code)+1), make([]uint64, len(e.code)/64+1)}
	}
	defer buckets.Put(memory) // all empty again
	e.buckets, e.waiting = memory.buckets, memory.waiting
	e.tasks = make([][]*path, 1) // number 0 is no task
	start.meter = e.meter
	if start.facts != nil {
		e.work([]*path{start}, work)
		return
	}
	e.first = true
	e.work([]*path{start}, work/2)
	e.first = false
	for i, t := range e.tasks[1:] {
		e.work(t, (work-e.spent)/(len(e.tasks)-1-i))
	}
}

// work follows paths to their ends within a share of the work.
func (e *explorer) work(paths []*path, share int) {
	e.meter.left, e.crowded = share, false
	for _, s := range paths {
		e.push(s)
	}
	e.drain()
	e.spent += share - e.meter.left
}

// push puts a path to wait at its instruction.
func (e *explorer) push(s *path) {
	if e.first && s.task != 0 {
		e.tasks[s.task] = append(e.tasks[s.task], s)
		return
	}
	e.forget(s)
	s.behind = e.buckets[s.pc]
	e.buckets[s.pc] = s
	e.waiting[s.pc/64] |= 1 << (s.pc % 64)
	if e.alive++; e.alive > maxLeaves {
		e.crowded = true
	}
}

// forget drops what does not matter any more, so that states that differ in nothing else are equal.
func (e *explorer) forget(s *path) {
	live := e.live[s.pc]
	if live&liveA == 0 {
		s.a = value{}
	}
	if live&liveX == 0 {
		s.x = value{}
	}
	if s.m == nil {
		return
	}
	live &= 1<<filter.MemWords - 1
	if live == 0 {
		s.m = nil
		return
	}
	var m memory
	for ; live != 0; live &= live - 1 {
		i := bits.TrailingZeros32(live)
		m[i] = s.m[i]
	}
	switch m {
	case memory{}:
		s.m = nil
	case *s.m:
	default:
		s.m = &m
	}
}

// drain works off the buckets.
func (e *explorer) drain() {
	ends := 0
	for i := 0; i < len(e.waiting); {
		if e.waiting[i] == 0 {
			i++
			continue
		}
		pc := int32(64*i + bits.TrailingZeros64(e.waiting[i]))
		list := e.take(pc)
		switch {
		case pc == int32(len(e.code)):
			if ends += len(list); ends > maxLeaves && !e.first {
				for _, s := range list {
					e.lose(s, tooManyEnds)
				}
				continue
			}
			e.leaves = append(e.leaves, list...)
			continue
		case e.meter.left < 0 || e.crowded:
			for _, s := range list {
				e.lose(s, tooMuchWork)
			}
			continue
		}
		for _, s := range list {
			e.follow(s)
		}
	}
}

// take empties a bucket and joins what can be joined.
func (e *explorer) take(pc int32) []*path {
	e.list = e.list[:0]
	for s := e.buckets[pc]; s != nil; s = s.behind {
		e.list = append(e.list, s)
	}
	e.buckets[pc] = nil
	e.waiting[pc/64] &^= 1 << (pc % 64)
	e.alive -= len(e.list)
	if len(e.list) == 1 {
		return e.list
	}
	slices.Reverse(e.list)
	return joinPaths(e.list, e.meter)
}

func (e *explorer) lose(s *path, reason string) { e.lost = append(e.lost, lostPath{s, reason}) }

// follow runs one path to where others may meet it, and leaves forks in the buckets.
func (e *explorer) follow(s *path) {
	for moved := false; ; moved = true {
		if moved && e.joins[s.pc] || e.first && s.task != 0 {
			e.push(s)
			return
		}
		if !e.meter.spend(1) || e.crowded {
			e.lose(s, tooMuchWork)
			return
		}
		in := &e.code[s.pc]
		switch in.code {
		case filter.OpLdAbs:
			s.a = e.words[in.k>>2&15]
		case opLoadSymbol:
			s.a = e.symbols[in.k%symbols]
		case filter.OpLdLen:
			s.a = constant(filter.DataSize)
		case filter.OpLdxLen:
			s.x = constant(filter.DataSize)
		case filter.OpLdImm:
			s.a = constant(in.k)
		case filter.OpLdxImm:
			s.x = constant(in.k)
		case filter.OpLdMem:
			s.a = s.load(in.k)
		case filter.OpLdxMem:
			s.x = s.load(in.k)
		case filter.OpSt:
			e.store(s, in, s.a)
		case filter.OpStx:
			e.store(s, in, s.x)
		case filter.OpTax:
			s.x = s.a
		case filter.OpTxa:
			s.a = s.x
		case filter.OpJa:
		case filter.OpRetK:
			e.end(s, in, filter.Action(in.k))
			return
		case filter.OpRetA:
			e.returns(s, in)
			return
		case filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK,
			filter.OpJeqX, filter.OpJgtX, filter.OpJgeX, filter.OpJsetX:
			if !e.jump(s, in) {
				return
			}
			continue
		default:
			if !e.arithmetic(s, in) {
				return
			}
		}
		s.pc = in.next
	}
}

func (s *path) load(k uint32) value {
	if s.m == nil {
		return value{}
	}
	return s.m[k%filter.MemWords]
}

func (e *explorer) store(s *path, in *instr, v value) {
	k := in.k % filter.MemWords
	if e.live[in.next]>>k&1 == 0 || s.load(k) == v {
		return
	}
	var m memory
	if s.m != nil {
		m = *s.m
	}
	m[k] = v
	s.m = &m
	e.meter.spend(4)
}

// end folds an answer into what the path has, and goes on with the next unit.
func (e *explorer) end(s *path, in *instr, a filter.Action) {
	for side := range s.answer {
		switch {
		case in.sides>>side&1 == 0:
		case e.raw:
			s.answer[side] = a
		default:
			s.answer[side] = fold(s.answer[side], a)
		}
	}
	s.a, s.x, s.m = value{}, value{}, nil
	s.pc = in.next
	e.push(s)
}
