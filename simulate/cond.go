package simulate

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/filter"
)

// A Cond is a condition on a call, mostly on one argument: that the number is in a set, or that some
// of its bits have a value. Its zero value always holds.
type Cond struct {
	kind    condKind
	subject int8 // argument, or ipSubject
	half    int8 // 0 low, 1 high, both for the whole number
	limit   uint64
	in      set
	bits    masked
	atom    atom
	rel     relationFact
}

type condKind uint8

const (
	condTrue condKind = iota
	condIn            // the number, or half of it, is in the set
	condEq            // bits of the whole number are equal
	condNe            // bits of the whole number are not equal
	condAtom          // the atom holds for half of the number
	condRel           // the relation holds
)

const both = -1

// Arg returns the argument that the condition is about, 0 to 5; -1 for the instruction pointer, for
// several arguments, for the number and for none.
func (c Cond) Arg() int {
	if c.kind == condTrue || c.kind == condRel && bits.OnesCount16(c.rel.subjects()) != 1 {
		return -1
	}
	i := int(c.subject)
	if c.kind == condRel {
		i = bits.TrailingZeros16(c.rel.subjects())
	}
	if i >= ipSubject {
		return -1
	}
	return i
}

// Holds reports whether the condition holds for a call with these arguments, as they stand in
// seccomp_data, and instruction pointer 0.
func (c Cond) Holds(args [6]uint64) bool { return c.HoldsFor(&filter.Data{Args: args}) }

// HoldsFor reports whether the condition holds for a call. It looks at arguments and instruction
// pointer only.
func (c Cond) HoldsFor(d *filter.Data) bool {
	var v uint64
	switch {
	case c.kind == condRel:
	case c.subject == ipSubject:
		v = d.IP
	case c.subject == callSubject:
		v = uint64(uint32(d.Nr))
	case c.subject == tokenSubject:
		v = uint64(d.Arch)
	default:
		v = d.Args[c.subject]
	}
	switch c.half {
	case 0:
		v &= max32
	case 1:
		v >>= 32
	}
	switch c.kind {
	case condIn:
		return c.in.contains(v)
	case condEq:
		return v&c.bits.mask == c.bits.bits
	case condNe:
		return v&c.bits.mask != c.bits.bits
	case condAtom:
		return c.atom.holds(uint32(v))
	case condRel:
		return c.rel.holds(assign(d))
	}
	return true
}

func assign(d *filter.Data) *assignment {
	var as assignment
	for i, v := range d.Args {
		as[2*i], as[2*i+1] = uint32(v), uint32(v>>32)
	}
	as[2*ipSubject], as[2*ipSubject+1] = uint32(d.IP), uint32(d.IP>>32)
	as[numberSymbol], as[tokenSymbol] = uint32(d.Nr), d.Arch
	return &as
}

// String returns the condition as a person reads it: "arg0 == 40", "arg1 in {1, 3}", "arg2 > 5",
// "arg0 & 0x7e020000 == 0", and ".lo" or ".hi" after the name for half of a number. All numbers are
// unsigned, and spans in braces include both ends.
func (c Cond) String() string {
	name := subjectName(int(c.subject), int(c.half))
	switch c.kind {
	case condIn:
		return setString(name, c.in, c.limit)
	case condEq:
		return name + " & " + hexString(c.bits.mask) + " == " + bitsString(c.bits.bits)
	case condNe:
		return name + " & " + hexString(c.bits.mask) + " != " + bitsString(c.bits.bits)
	case condAtom:
		v := value{sym: c.atom.sym, mask: c.atom.mask, xor: c.atom.xor}
		return v.String() + " " + c.atom.op.String() + " " + number(uint64(c.atom.k))
	case condRel:
		return c.rel.String()
	}
	return "always"
}

func (op relop) String() string {
	return [...]string{"==", "!=", ">", "<=", ">=", "<"}[op]
}

func subjectName(subject, half int) string {
	switch subject {
	case tokenSubject:
		return "arch"
	case callSubject:
		return "nr"
	}
	name := "ip"
	if subject != ipSubject {
		name = "arg" + strconv.Itoa(subject)
	}
	switch half {
	case 0:
		return name + ".lo"
	case 1:
		return name + ".hi"
	}
	return name
}

// number writes small numbers decimal and others hexadecimal.
func number(v uint64) string {
	if v < 1024 {
		return strconv.FormatUint(v, 10)
	}
	return hexString(v)
}

func hexString(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }

func bitsString(v uint64) string {
	if v == 0 {
		return "0"
	}
	return hexString(v)
}

// setString writes the set or its complement, whichever is shorter.
func setString(name string, s set, limit uint64) string {
	out := s.complement(limit)
	if len(s) == 1 && len(out) <= 1 {
		switch sp := s[0]; {
		case sp.lo == sp.hi:
			return fmt.Sprintf("%s == %s", name, number(sp.lo))
		case sp.lo == 0 && sp.hi == limit:
			return "always"
		case sp.lo == 1 && sp.hi == limit:
			return name + " != 0"
		case sp.lo == 0 && sp.hi == limit-1:
			return fmt.Sprintf("%s != %s", name, number(limit))
		case sp.lo == 0 && round(sp.hi+1):
			return fmt.Sprintf("%s < %s", name, number(sp.hi+1))
		case sp.lo == 0:
			return fmt.Sprintf("%s <= %s", name, number(sp.hi))
		case round(sp.lo):
			return fmt.Sprintf("%s >= %s", name, number(sp.lo))
		default:
			return fmt.Sprintf("%s > %s", name, number(sp.lo-1))
		}
	}
	eq, in := "==", "in"
	if out.cost() < s.cost() {
		s, eq, in = out, "!=", "not in"
	}
	if len(s) == 1 && s[0].lo == s[0].hi {
		return fmt.Sprintf("%s %s %s", name, eq, number(s[0].lo))
	}
	var parts []string
	for _, sp := range s {
		switch sp.hi - sp.lo {
		case 0:
			parts = append(parts, number(sp.lo))
		case 1:
			parts = append(parts, number(sp.lo), number(sp.hi))
		default:
			parts = append(parts, number(sp.lo)+".."+number(sp.hi))
		}
	}
	return fmt.Sprintf("%s %s {%s}", name, in, strings.Join(parts, ", "))
}

// cost is how much there is to read.
func (s set) cost() int {
	n := 0
	for _, sp := range s {
		n += int(min(sp.hi-sp.lo, 1)) + 1
	}
	return n
}

// round reports whether v or the number after it is a round one, as limits in filters are.
func round(v uint64) bool { return v >= 1024 && (v%1024 == 0 || v%1024 == 1023) }

var operators = map[uint16]string{
	filter.OpAddK: "+", filter.OpSubK: "-", filter.OpMulK: "*", filter.OpDivK: "/",
	filter.OpOrK: "|", filter.OpAndK: "&", filter.OpXorK: "^", filter.OpLshK: "<<", filter.OpRshK: ">>",
}

// String writes the value as an expression over 32-bit words, in parentheses where it has parts.
func (v value) String() string {
	switch {
	case v.node != nil:
		right := v.node.right.String()
		if code := v.node.code; code == filter.OpLshK || code == filter.OpRshK {
			right = "(" + right + " & 31)"
		}
		return "(" + v.node.left.String() + " " + operators[v.node.code] + " " + right + ")"
	case v.mask == 0:
		return number(uint64(v.xor))
	}
	s := subjectName(v.sym.subject(), int(v.sym&1))
	natural := uint32(max32)
	switch {
	case v.shift > 0:
		s, natural = s+" << "+strconv.Itoa(int(v.shift)), natural<<v.shift
	case v.shift < 0:
		s, natural = s+" >> "+strconv.Itoa(-int(v.shift)), natural>>-v.shift
	}
	if v.mask != natural {
		if v.shift != 0 {
			s = "(" + s + ")"
		}
		s += " & " + hexString(uint64(v.mask))
	}
	if v.xor != 0 {
		s = "(" + s + ") ^ " + hexString(uint64(v.xor))
	}
	if strings.Contains(s, " ") && v.shift != 0 || v.xor != 0 {
		return "(" + s + ")"
	}
	return s
}
