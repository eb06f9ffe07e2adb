package simulate

import (
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// operand is k or X, as the code says.
func (s *path) operand(in *instr) value {
	if in.code&filter.SrcX != 0 {
		return s.x
	}
	return constant(in.k)
}

// arithmetic runs an instruction of ClassAlu. It is false if the path ends with it.
func (e *explorer) arithmetic(s *path, in *instr) bool {
	v := s.operand(in)
	if in.code == filter.OpDivX {
		// X = 0 ends the program with 0; the path goes on with every other X.
		alive := e.branch(s, v, opEq, constant(0), func(zero *path) { e.end(zero, in.quit(), filter.KillThread) })
		if !alive {
			return false
		}
	}
	s.a = apply(in.code, s.a, v)
	return true
}

// jump runs a conditional jump: it follows the false branch, where it is feasible, and leaves the
// true branch in a bucket, where that is. It is false if nothing is left to follow.
func (e *explorer) jump(s *path, in *instr) bool {
	v := s.operand(in)
	if s.a.isConst() && v.isConst() {
		if s.pc = in.next; compare(in.code, s.a.xor, v.xor) {
			s.pc = in.jt
		}
		return true
	}
	left, op, right := s.a, relation(in.code), v
	onTrue, onFalse := in.jt, in.next
	if in.code&^filter.SrcX == filter.OpJsetK { // A & v != 0 is not A & v == 0
		left, right = apply(filter.OpAndK, s.a, v), constant(0)
		onTrue, onFalse = onFalse, onTrue
	}
	alive := e.branch(s, left, op, right, func(taken *path) {
		taken.pc = onTrue
		e.push(taken)
	})
	if alive {
		s.pc = onFalse
	}
	return alive
}

// branch asks whether "left op right" holds on the path. Where it can, taken gets the path that
// knows it; where it cannot hold always, s learns the opposite and branch is true. It is false where
// the path s is over.
func (e *explorer) branch(s *path, left value, op relop, right value, taken func(*path)) bool {
	question, decided, holds, err := ask(left, op, right)
	switch {
	case err != nil:
		e.lose(s, tooComputed)
		return false
	case decided && holds:
		taken(s)
		return false
	case decided:
		return true
	}
	if yes, no, ok := question.ofNumber(&s.knowledge); ok {
		switch {
		case len(no) == 0:
			s.numbers = yes
			taken(s)
			return false
		case len(yes) == 0:
			s.numbers = no
			return true
		}
		fork := *s
		fork.numbers, s.numbers = yes, no
		taken(&fork)
		return true
	}
	fork := s.clone()
	before := s.facts
	can := question.learn(&fork.knowledge, true)
	cannot := question.learn(&s.knowledge, false)
	switch {
	case !cannot && !can:
		return false
	case !cannot: // what always holds is nothing to learn
		fork.facts = before
		taken(fork)
		return false
	case !can:
		s.facts = before
		return true
	}
	if e.first && s.task == 0 {
		e.newTask(s)
	}
	fork.task = s.task
	taken(fork)
	return true
}

func (e *explorer) newTask(s *path) {
	s.task = int32(len(e.tasks))
	e.tasks = append(e.tasks, nil)
}

func (s *path) clone() *path {
	fork := *s
	if s.numbers != nil {
		s.meter.spend(len(s.numbers) / 16)
		fork.numbers = slices.Clone(s.numbers)
	}
	return &fork
}

// returns ends a path with the value of A, one end for each number that it can be.
func (e *explorer) returns(s *path, in *instr) {
	if s.a.isConst() {
		e.end(s, in, filter.Action(s.a.xor))
		return
	}
	values, err := s.values(s.a)
	if err != nil {
		e.lose(s, tooManyTails)
		return
	}
	for _, n := range values {
		q, decided, holds, err := ask(s.a, opEq, constant(n))
		if err != nil {
			e.lose(s, tooComputed)
			return
		}
		fork := s.clone()
		if decided && holds {
			e.end(fork, in, filter.Action(n))
			continue
		}
		if decided {
			continue
		}
		if yes, _, ok := q.ofNumber(&fork.knowledge); ok {
			if fork.numbers = yes; len(yes) > 0 {
				e.end(fork, in, filter.Action(n))
			}
			continue
		}
		if !q.learn(&fork.knowledge, true) {
			continue
		}
		if e.first && s.task == 0 {
			e.newTask(s)
		}
		fork.task = s.task
		e.end(fork, in, filter.Action(n))
	}
}
