package filter

// Rules say what a filter is meant to do, before anybody compiles it: for each architecture token
// and each stretch of syscall numbers an ordered list of cases. They are the reference that a
// compiled Program can be held against.
//
// The arguments are compared as numbers, so that Rules have no byte order.
type Rules struct {
	Tokens []Token // each token once
	Other  Action  // for calls with any other token
}

// A Token is what the rules say of calls with one AUDIT_ARCH token. Two ABIs that share a token,
// x86_64 and x32, are told apart by the number.
type Token struct {
	Arch      uint32    // as in Data.Arch
	Stretches []Stretch // ascending; together they are all numbers from 0 to 1<<32-1, each once
}

// A Stretch is a range of syscall numbers with the same cases.
type Stretch struct {
	From, To uint32 // both included; Data.Nr as an unsigned number
	Cases    []Case // the first whose tests all hold decides
	Else     Action // if none does
}

// A Case is an action for calls on which all tests hold.
type Case struct {
	Tests  []Test // joined by AND; none: always
	Action Action
	Rule   int // index of the profile's rule that it comes from, -1 if there is none
}

// A Test compares Args[Arg] & Mask with Value, as unsigned 64-bit numbers.
type Test struct {
	Arg   int    // 0 to 5
	Op    TestOp // what must hold between the masked argument and Value
	Mask  uint64 // 0xffffffff on ABIs whose compilers look at the low word alone
	Value uint64
}

// A TestOp is a comparison of unsigned numbers.
type TestOp uint8

// The comparisons.
const (
	TestEq TestOp = iota
	TestNe
	TestGt
	TestLe
	TestGe
	TestLt
)

// Holds reports whether a op b.
func (op TestOp) Holds(a, b uint64) bool {
	switch op {
	case TestEq:
		return a == b
	case TestNe:
		return a != b
	case TestGt:
		return a > b
	case TestLe:
		return a <= b
	case TestGe:
		return a >= b
	}
	return a < b
}

// String returns the operator as C writes it.
func (op TestOp) String() string {
	return [...]string{TestEq: "==", TestNe: "!=", TestGt: ">", TestLe: "<=", TestGe: ">=", TestLt: "<"}[op]
}

// Holds reports whether the test holds for the arguments of a call.
func (t Test) Holds(args *[6]uint64) bool { return t.Op.Holds(args[t.Arg]&t.Mask, t.Value) }

// Answer returns what the rules say of a call, evaluated directly, and the case that decided; nil
// where none did.
func (r *Rules) Answer(d *Data) (Action, *Case) {
	for i := range r.Tokens {
		if r.Tokens[i].Arch == d.Arch {
			return r.Tokens[i].answer(d)
		}
	}
	return r.Other, nil
}

func (t *Token) answer(d *Data) (Action, *Case) {
	nr := uint32(d.Nr)
	low, high := 0, len(t.Stretches)-1
	for low < high { // the last stretch that does not begin above the number
		middle := (low + high + 1) / 2
		if t.Stretches[middle].From <= nr {
			low = middle
		} else {
			high = middle - 1
		}
	}
	s := &t.Stretches[low]
	for i := range s.Cases {
		if s.Cases[i].holds(d) {
			return s.Cases[i].Action, &s.Cases[i]
		}
	}
	return s.Else, nil
}

func (c *Case) holds(d *Data) bool {
	for _, t := range c.Tests {
		if !t.Holds(&d.Args) {
			return false
		}
	}
	return true
}
