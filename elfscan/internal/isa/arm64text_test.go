package isa

import (
	"fmt"
	"strconv"
	"strings"
)

// a64text interprets one line of assembly, as arm64asm and objdump write it with addresses made
// absolute, without a look at the encoding. It is the reference to which Ops are compared.
type a64text struct {
	a64state
	name  string
	arg   []string
	loose bool // Ops may forget the destination
	why   string
}

// a64interpret runs a line; false if it does not know the mnemonic or an operand.
func a64interpret(line string, s a64state) (t a64text, ok bool) {
	t = a64text{a64state: s}
	line = strings.ToLower(line)
	if i := strings.Index(line, "//"); i >= 0 {
		line = line[:i]
	}
	t.name, line, _ = strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "\t", " ")), " ")
	t.arg = a64split(line)
	defer func() {
		if e := recover(); e != nil {
			ok, t.why = false, fmt.Sprint(e)
		}
	}()
	return t, t.run()
}

// a64split cuts operands at commas outside of brackets; a shift or extension stays with its register.
func a64split(s string) []string {
	var out []string
	depth, from := 0, 0
	for i, c := range s + "," {
		switch {
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		case c == ',' && depth == 0:
			if a := strings.TrimSpace(s[from:i]); a != "" {
				out = append(out, a)
			}
			from = i + 1
		}
	}
	return out
}

// reg parses a general register: number and bytes. 31 is the zero register, 32 is SP.
func a64reg(s string) (n, width int, ok bool) {
	switch s {
	case "xzr":
		return 31, 8, true
	case "wzr":
		return 31, 4, true
	case "sp":
		return 32, 8, true
	case "wsp":
		return 32, 4, true
	}
	if len(s) < 2 || s[0] != 'x' && s[0] != 'w' {
		return 0, 0, false
	}
	n, err := strconv.Atoi(s[1:])
	if err != nil || n > 30 {
		return 0, 0, false
	}
	return n, map[byte]int{'x': 8, 'w': 4}[s[0]], true
}

func a64number(s string) uint64 {
	s = strings.TrimPrefix(s, "#")
	s, _, _ = strings.Cut(s, " ")
	if v, err := strconv.ParseInt(s, 0, 64); err == nil {
		return uint64(v)
	}
	v, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		panic("no number: " + s)
	}
	return v
}

// target parses an absolute address: objdump writes it in hexadecimal without 0x.
func a64target(s string) uint64 {
	s, _, _ = strings.Cut(s, " ")
	v, err := strconv.ParseUint(strings.TrimPrefix(s, "0x"), 16, 64)
	if err != nil {
		panic("no address: " + s)
	}
	return v
}

func (t *a64text) get(s string) uint64 {
	n, width, ok := a64reg(s)
	if !ok {
		panic("no register: " + s)
	}
	if n == 31 {
		return 0
	}
	return a64cut(t.reg[min(n, 31)].v[0], width)
}

func (t *a64text) set(s string, v a64val) {
	n, width, ok := a64reg(s)
	if !ok {
		panic("no register: " + s)
	}
	for i := range v.v[:v.n] {
		v.v[i] = a64cut(v.v[i], width)
	}
	if v.n == 2 && v.v[0] == v.v[1] {
		v = a64one(v.v[0])
	}
	if n != 31 {
		t.reg[min(n, 31)] = v
	}
}

// last is the value of the operand from index i on: number, register, shifted or extended register.
func (t *a64text) last(i int) uint64 {
	if _, width, ok := a64reg(t.arg[i]); ok {
		v := t.get(t.arg[i])
		if len(t.arg) > i+1 {
			return a64shift(v, t.arg[i+1], width)
		}
		return v
	}
	v := a64number(t.arg[i])
	if len(t.arg) > i+1 {
		v = a64shift(v, t.arg[i+1], 8)
	}
	return v
}

// a64shift applies "lsl #3", "sxtw", "uxtb #2" to the value of a register of width bytes.
func a64shift(v uint64, how string, width int) uint64 {
	kind, amount, some := strings.Cut(how, " ")
	n := uint64(0)
	if some {
		n = a64number(amount)
	}
	bytes := map[byte]int{'b': 1, 'h': 2, 'w': 4, 'x': 8}[kind[len(kind)-1]]
	switch {
	case kind == "lsl":
		return v << n
	case kind == "lsr":
		return v >> n
	case kind == "asr":
		return uint64(int64(a64extendSign(v, width)) >> n)
	case kind == "ror":
		bits := uint64(width) * 8
		return v>>n | v<<((bits-n)%bits)
	case strings.HasPrefix(kind, "uxt"):
		return a64cut(v, bytes) << n
	case strings.HasPrefix(kind, "sxt"):
		return a64extendSign(v, bytes) << n
	}
	panic("no shift: " + how)
}

// place parses a memory operand and does its writeback: "[x0, #8]!", "[x0], #8", "[x1,w2,sxtw #2]".
func (t *a64text) place(i int) uint64 {
	a := t.arg[i]
	if !strings.HasPrefix(a, "[") {
		return a64target(a)
	}
	inside, tail, _ := strings.Cut(a[1:], "]")
	parts := a64split(inside)
	base := t.get(parts[0])
	sum := base
	switch {
	case len(parts) == 1:
	case strings.HasPrefix(parts[1], "#"):
		sum += a64number(parts[1])
	default:
		_, width, _ := a64reg(parts[1])
		v := t.get(parts[1])
		if len(parts) == 3 {
			v = a64shift(v, parts[2], width)
		}
		sum += v
	}
	switch {
	case tail == "!":
		t.set(parts[0], a64one(sum))
	case len(t.arg) > i+1: // post-index
		v := uint64(0)
		if _, _, ok := a64reg(t.arg[i+1]); ok {
			v = t.get(t.arg[i+1])
		} else {
			v = a64number(t.arg[i+1])
		}
		t.set(parts[0], a64one(base+v))
	}
	return sum
}
