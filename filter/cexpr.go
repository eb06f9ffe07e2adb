package filter

import (
	"strconv"
	"strings"
)

// A cValue is an integer of C on a machine whose long has 64 bits: int, unsigned, long or unsigned
// long. Its bits are those of v, sign-extended or zero-extended from 32.
type cValue struct {
	v              int64
	wide, unsigned bool
}

func (x cValue) int() int64 { return x.v }

// of gives the bits the type of x.
func (x cValue) of(v int64) cValue {
	switch {
	case x.wide:
	case x.unsigned:
		v = int64(uint32(v))
	default:
		v = int64(int32(v))
	}
	return cValue{v, x.wide, x.unsigned}
}

// common is the type in which C computes with both.
func (x cValue) common(y cValue) cValue {
	if x.wide == y.wide {
		return cValue{0, x.wide, x.unsigned || y.unsigned}
	}
	if y.wide {
		x = y
	}
	return cValue{0, true, x.unsigned}
}

// maxDepth is how deep parentheses and signs may be nested.
const maxDepth = 100

// cPrecedence has the binary operators that are read; higher binds tighter.
var cPrecedence = map[string]int{
	"|": 1, "^": 2, "&": 3, "<<": 4, ">>": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6,
}

// expression reads a value.
func (c *cParser) expression(depth int) (cValue, error) { return c.binary(1, depth) }

// binary reads operators that bind at least as tightly as least.
func (c *cParser) binary(least, depth int) (cValue, error) {
	x, err := c.unary(depth)
	for err == nil && cPrecedence[c.tok.text] >= least {
		op := c.tok
		if err = c.advance(); err != nil {
			break
		}
		var y cValue
		if y, err = c.binary(cPrecedence[op.text]+1, depth+1); err == nil {
			x, err = op.compute(x, y)
		}
	}
	return x, err
}

// compute carries out a binary operator.
func (t cToken) compute(x, y cValue) (cValue, error) {
	to := x.common(y)
	a, b := to.of(x.v).v, to.of(y.v).v
	switch t.text {
	case "|":
		return to.of(a | b), nil
	case "^":
		return to.of(a ^ b), nil
	case "&":
		return to.of(a & b), nil
	case "+":
		return to.of(a + b), nil
	case "-":
		return to.of(a - b), nil
	case "*":
		return to.of(a * b), nil
	case "<<", ">>":
		return t.shift(x, y.v)
	}
	if b == 0 {
		return x, t.fail("division by 0")
	}
	quotient, rest := a/b, a%b
	if to.unsigned {
		quotient, rest = int64(uint64(a)/uint64(b)), int64(uint64(a)%uint64(b))
	}
	if t.text == "/" {
		return to.of(quotient), nil
	}
	return to.of(rest), nil
}

// shift has the type of its left side.
func (t cToken) shift(x cValue, by int64) (cValue, error) {
	if by < 0 || by > 63 || !x.wide && by > 31 {
		return x, t.fail("shift by %d", by)
	}
	switch {
	case t.text == "<<":
		return x.of(x.v << by), nil
	case x.unsigned:
		return x.of(int64(uint64(x.v) >> by)), nil
	}
	return x.of(x.v >> by), nil
}

// unary reads a value with signs, casts and parentheses.
func (c *cParser) unary(depth int) (cValue, error) {
	t := c.tok
	if depth > maxDepth {
		return cValue{}, t.fail("nested too deeply")
	}
	switch {
	case t.is("~", "-", "+"):
		if err := c.advance(); err != nil {
			return cValue{}, err
		}
		x, err := c.unary(depth + 1)
		switch t.text {
		case "~":
			x = x.of(^x.v)
		case "-":
			x = x.of(-x.v)
		}
		return x, err
	case t.is("("):
		if err := c.advance(); err != nil {
			return cValue{}, err
		}
		if cTypes[c.tok.text] != 0 {
			return c.cast(depth)
		}
		x, err := c.expression(depth + 1)
		if err == nil {
			err = c.expect(")")
		}
		return x, err
	case t.is("offsetof", "__builtin_offsetof"):
		return c.offset()
	case t.is("sizeof"):
		return c.sizeof()
	case t.text == "" || !isWordByte(t.text[0]):
		return cValue{}, t.fail("%s where a value must stand", t.name())
	}
	if err := c.advance(); err != nil {
		return cValue{}, err
	}
	if t.text[0] <= '9' {
		return t.number()
	}
	x, ok := cConstant(t.text)
	if !ok && (strings.HasPrefix(t.text, "__NR_") || strings.HasPrefix(t.text, "SYS_")) {
		return x, t.fail("%s is another number on each architecture", t.text)
	}
	if !ok {
		return x, t.fail("unknown name %s", t.name())
	}
	return x, nil
}

// number reads a literal.
func (t cToken) number() (cValue, error) {
	digits := strings.TrimRight(strings.ToLower(t.text), "ul")
	suffix := strings.ToLower(t.text[len(digits):])
	v, err := strconv.ParseUint(digits, 0, 64)
	if err != nil || strings.ContainsAny(digits, "_o") || strings.Count(suffix, "u") > 1 || len(suffix) > 3 {
		return cValue{}, t.fail("%s is no number of 64 bits", t.name())
	}
	x := cValue{int64(v), strings.Contains(suffix, "l"), strings.Contains(suffix, "u")}
	decimal := digits[0] != '0'
	// A literal has the first type that holds it; a decimal one does not become unsigned by itself.
	if !x.wide && (v > 0xffffffff || v > 0x7fffffff && !x.unsigned && decimal) {
		x.wide = true
	}
	if !x.unsigned && !decimal && (!x.wide && v > 0x7fffffff || x.wide && v > 1<<63-1) {
		x.unsigned = true
	}
	if !x.unsigned && v > 1<<63-1 {
		return x, t.fail("%s is no number of 64 bits", t.name())
	}
	return x, nil
}

// cTypes are the types that a cast or a sizeof may name, with their size in bytes, negative where
// they are signed. The words of a type of several words are each in it.
var cTypes = map[string]int{
	"__u8": 1, "__u16": 2, "__u32": 4, "__u64": 8, "__s32": -4, "__s64": -8,
	"uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8, "int32_t": -4, "int64_t": -8,
	"unsigned": 4, "int": -4, "short": -2, "long": -8, "char": -1, "size_t": 8,
}

// typeSize reads the words of a type and the parenthesis behind them.
func (c *cParser) typeSize() (int, error) {
	size, unsigned := 0, false
	at := c.tok
	for ; cTypes[c.tok.text] != 0; at = c.tok {
		switch s := cTypes[c.tok.text]; {
		case c.tok.is("unsigned"):
			unsigned = true
		case c.tok.is("int") && size != 0: // short int
		default:
			size = s
		}
		if err := c.advance(); err != nil {
			return 0, err
		}
	}
	if size == 0 && !unsigned {
		return 0, at.fail("%s is no type of an integer", at.name())
	}
	if size == 0 {
		size = 4
	}
	if unsigned {
		size = max(size, -size)
	}
	return size, c.expect(")")
}

// cast reads "type) value".
func (c *cParser) cast(depth int) (cValue, error) {
	size, err := c.typeSize()
	if err != nil {
		return cValue{}, err
	}
	x, err := c.unary(depth + 1)
	switch size {
	case 1:
		return cValue{v: int64(uint8(x.v))}, err
	case -1:
		return cValue{v: int64(int8(x.v))}, err
	case 2:
		return cValue{v: int64(uint16(x.v))}, err
	case -2:
		return cValue{v: int64(int16(x.v))}, err
	}
	return cValue{wide: size == 8 || size == -8, unsigned: size > 0}.of(x.v), err
}

// sizeof reads sizeof(type).
func (c *cParser) sizeof() (cValue, error) {
	if err := c.advance(); err != nil {
		return cValue{}, err
	}
	if err := c.expect("("); err != nil {
		return cValue{}, err
	}
	size, err := c.typeSize()
	return cValue{int64(max(size, -size)), true, true}, err
}
