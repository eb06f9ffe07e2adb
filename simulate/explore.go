package simulate

import (
	"errors"
	"math/bits"
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// ErrTooComplex is what Outcomes returns where it gives up: the filter has too many paths for this
// syscall, or its answer is computed from arguments in a way that has no short description.
var ErrTooComplex = errors.New("simulate: too complex to evaluate symbolically")

// The budget of one evaluation. Filters that compilers make stay below a hundredth of it.
const (
	maxWork   = 1 << 20 // instructions over all paths, and what feasibility costs beside them
	maxLeaves = 1 << 12 // feasible paths
	maxFree   = 8       // unknown bits in a returned value, which are tried one by one
)

// A leaf is the end of a feasible path.
type leaf struct {
	action filter.Action
	knowledge
}

// A path is a path under way: the state of the machine before the instruction at pc.
type path struct {
	pc   int
	a, x value
	m    [filter.MemWords]value
	knowledge
}

// An explorer follows all feasible paths of a program.
type explorer struct {
	p      filter.Program
	words  [16]value // what the load instructions give
	meter  *meter
	stack  []path
	leaves []leaf
}

// explore returns one leaf for each feasible path. A path that is taken for feasible although no
// call takes it does no harm: its conditions never hold.
func (e *explorer) explore(start knowledge) ([]leaf, error) {
	e.stack = append(e.stack, path{knowledge: start})
	for len(e.stack) > 0 {
		top := e.stack[len(e.stack)-1]
		e.stack = e.stack[:len(e.stack)-1]
		if err := e.follow(&top); err != nil {
			return nil, err
		}
		if len(e.leaves) > maxLeaves || len(e.stack) > maxLeaves {
			return nil, ErrTooComplex
		}
	}
	return e.leaves, nil
}

// follow runs one path to its end and leaves the forks on the stack.
func (e *explorer) follow(s *path) error {
	for s.pc < len(e.p) {
		if !e.meter.spend(1) {
			return ErrTooComplex
		}
		in := e.p[s.pc]
		s.pc++
		switch in.Code {
		case filter.OpLdAbs:
			s.a = e.words[in.K>>2&15]
		case filter.OpLdLen:
			s.a = constant(filter.DataSize)
		case filter.OpLdxLen:
			s.x = constant(filter.DataSize)
		case filter.OpLdImm:
			s.a = constant(in.K)
		case filter.OpLdxImm:
			s.x = constant(in.K)
		case filter.OpLdMem:
			s.a = s.m[in.K%filter.MemWords]
		case filter.OpLdxMem:
			s.x = s.m[in.K%filter.MemWords]
		case filter.OpSt:
			s.m[in.K%filter.MemWords] = s.a
		case filter.OpStx:
			s.m[in.K%filter.MemWords] = s.x
		case filter.OpTax:
			s.x = s.a
		case filter.OpTxa:
			s.a = s.x
		case filter.OpJa:
			s.pc += int(in.K)
		case filter.OpRetK:
			e.leaf(filter.Action(in.K), &s.knowledge)
			return nil
		case filter.OpRetA:
			return e.returns(s)
		case filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK,
			filter.OpJeqX, filter.OpJgtX, filter.OpJgeX, filter.OpJsetX:
			if alive, err := e.jump(s, in); !alive {
				return err
			}
		default:
			if alive, err := e.arithmetic(s, in); !alive {
				return err
			}
		}
	}
	return nil // not reached in a verified program: the last instruction returns
}

func (e *explorer) leaf(a filter.Action, k *knowledge) {
	e.leaves = append(e.leaves, leaf{a, *k})
}

// operand is k or X, as the code says.
func (s *path) operand(in filter.Insn) value {
	if in.Code&filter.SrcX != 0 {
		return s.x
	}
	return constant(in.K)
}

// arithmetic runs an instruction of ClassAlu. It is false if the path ends with it.
func (e *explorer) arithmetic(s *path, in filter.Insn) (bool, error) {
	v := s.operand(in)
	if in.Code == filter.OpDivX {
		// X = 0 ends the program with 0; the path goes on with every other X.
		alive, err := e.branch(s, v, opEq, constant(0), func(zero *path) {
			e.leaf(filter.KillThread, &zero.knowledge)
		})
		if !alive {
			return false, err
		}
	}
	s.a = apply(in.Code, s.a, v)
	return true, nil
}

// jump runs a conditional jump: it follows the false branch, where it is feasible, and leaves the
// true branch on the stack, where that is. It is false if nothing is left to follow.
func (e *explorer) jump(s *path, in filter.Insn) (bool, error) {
	v := s.operand(in)
	if s.a.isConst() && v.isConst() {
		if compare(in.Code, s.a.xor, v.xor) {
			s.pc += int(in.Jt)
		} else {
			s.pc += int(in.Jf)
		}
		return true, nil
	}
	if in.Jt == in.Jf {
		s.pc += int(in.Jt)
		return true, nil
	}
	left, op, right := s.a, relation(in.Code), v
	onTrue, onFalse := in.Jt, in.Jf
	if in.Code&^filter.SrcX == filter.OpJsetK { // A & v != 0 is not A & v == 0
		left, right = apply(filter.OpAndK, s.a, v), constant(0)
		onTrue, onFalse = onFalse, onTrue
	}
	alive, err := e.branch(s, left, op, right, func(taken *path) {
		taken.pc += int(onTrue)
		e.stack = append(e.stack, *taken)
	})
	s.pc += int(onFalse)
	return alive, err
}

// branch asks whether "left op right" holds on the path. Where it can, taken gets a copy of the
// path that knows it; where it cannot hold always, s learns the opposite and branch is true. It is
// false where the path s is over.
func (e *explorer) branch(s *path, left value, op relop, right value, taken func(*path)) (bool, error) {
	question, decided, holds, err := ask(left, op, right)
	switch {
	case err != nil:
		return false, err
	case decided && holds:
		taken(s)
		return false, nil
	case decided:
		return true, nil
	}
	fork := *s
	if question.learn(&fork.knowledge, true) {
		taken(&fork)
	}
	return question.learn(&s.knowledge, false), nil
}

// A question is a comparison that a path can go either way on.
type question struct {
	atom  atom // if isRel is false
	rel   relationFact
	isRel bool
}

// ask brings a comparison of values into the simplest form there is.
func ask(left value, op relop, right value) (q question, decided, holds bool, err error) {
	if left.isConst() {
		left, right, op = right, left, op.swap()
	}
	if op == opEq && left.node == nil && right.node == nil && !right.isConst() {
		if diff, ok := bitwise(filter.OpXorK, left, right); ok {
			left, right = diff, constant(0)
		}
	}
	switch {
	case left.isConst() && right.isConst():
		return q, true, op.holds(left.xor, right.xor), nil
	case left.node == nil && right.isConst():
		q.atom, decided, holds = newAtom(left, op, right.xor)
		return q, decided, holds, nil
	case left == right:
		return q, true, op == opEq || op == opGe || op == opLe, nil
	case left.size()+right.size() > maxSize:
		return q, false, false, ErrTooComplex
	}
	q.isRel, q.rel = true, relationFact{left, right, op}
	return q, false, false, nil
}

// learn adds the answer to what a path knows; false if no call of this path gives it.
func (q question) learn(k *knowledge, holds bool) bool {
	if q.isRel {
		r := q.rel
		if !holds {
			r.op = r.op.negate()
		}
		return k.relate(r)
	}
	a := q.atom
	if !holds {
		a = a.negate()
	}
	return k.assume(a)
}

// returns ends a path with the value of A, one leaf for each number that it can be.
func (e *explorer) returns(s *path) error {
	if s.a.isConst() {
		e.leaf(filter.Action(s.a.xor), &s.knowledge)
		return nil
	}
	numbers, err := s.numbers(s.a)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		q, decided, holds, err := ask(s.a, opEq, constant(n))
		if err != nil {
			return err
		}
		fork := s.knowledge
		if decided && holds || !decided && q.learn(&fork, true) {
			e.leaf(filter.Action(n), &fork)
		}
	}
	return nil
}

// numbers lists all that a value can be on the path, and perhaps more.
func (s *path) numbers(v value) ([]uint32, error) {
	deps := v.subjects()
	if v.size() > maxSize {
		return nil, ErrTooComplex
	}
	if i := bits.TrailingZeros8(deps); deps == 1<<i && s.listed[i] != nil {
		var all []uint32
		var as assignment
		for _, c := range s.listed[i] {
			as[2*i], as[2*i+1] = uint32(c), uint32(c>>32)
			all = append(all, v.eval(&as))
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	}
	if v.node != nil || bits.OnesCount32(v.mask) > maxFree {
		return nil, ErrTooComplex
	}
	var all []uint32
	for sub := uint32(0); ; {
		all = append(all, sub^v.xor)
		if sub = (sub - v.mask) & v.mask; sub == 0 { // the next subset of the mask's bits
			return all, nil
		}
	}
}
