package isa

import (
	"strconv"
	"strings"
)

// access interprets loads and stores.
func (t *a64text) access() bool {
	switch {
	case a64in(" stg st2g ", t.name):
		t.place(1) // tags are not data
		return true
	case strings.HasPrefix(t.name, "ldp"), t.name == "ldnp", t.name == "stp", t.name == "stnp":
		return t.pair()
	case a64in(" ld1 ld2 ld3 ld4 ld1r ld2r ld3r ld4r st1 st2 st3 st4 ", t.name):
		return t.structure()
	}
	for _, p := range []string{"ldadd", "ldclr", "ldeor", "ldset", "ldsmax", "ldsmin", "ldumax", "ldumin", "swp", "cas",
		"stadd", "stclr", "steor", "stset"} {
		if rest, ok := strings.CutPrefix(t.name, p); ok && !strings.HasPrefix(t.name, "casp") && !strings.HasPrefix(rest, "p") {
			return t.atomic(p, rest)
		}
	}
	for _, p := range []string{"stxr", "stlxr"} {
		if rest, ok := strings.CutPrefix(t.name, p); ok {
			_, width, _ := a64reg(t.arg[1])
			t.write(t.place(2), a64bytes(rest, width), a64val{})
			t.set(t.arg[0], a64val{})
			return true
		}
	}
	for _, p := range []string{"ldapur", "ldapr", "ldar", "ldlar", "ldtr", "ldur", "ldr"} {
		if rest, ok := strings.CutPrefix(t.name, p); ok {
			return t.load(rest)
		}
	}
	for _, p := range []string{"stlur", "stllr", "stlr", "sttr", "stur", "str"} {
		if rest, ok := strings.CutPrefix(t.name, p); ok {
			return t.store(rest)
		}
	}
	return false
}

// a64bytes is the size that a suffix of a mnemonic says, or else the register's.
func a64bytes(suffix string, width int) int {
	switch strings.TrimPrefix(suffix, "s") {
	case "b":
		return 1
	case "h":
		return 2
	case "w":
		return 4
	}
	return width
}

// a64vector is the size of a SIMD register, 0 for a general one.
func a64vector(s string) int {
	return map[byte]int{'b': 1, 'h': 2, 's': 4, 'd': 8, 'q': 16}[s[0]] * a64bool(s != "sp")
}

func a64bool(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t *a64text) write(addr uint64, size int, v a64val) {
	t.stores = append(t.stores, a64store{a64one(addr), size, v})
}

func (t *a64text) load(suffix string) bool {
	if a64vector(t.arg[0]) != 0 {
		t.place(1)
		return true
	}
	_, width, _ := a64reg(t.arg[0])
	size := a64bytes(suffix, width)
	// A 32-bit index is extended in the destination, which must not be the base.
	t.loose = strings.Contains(t.arg[1], "xtw") && strings.HasPrefix(t.arg[1], "[x"+t.arg[0][1:]+",")
	v := a64memory(t.place(1), size)
	if strings.HasPrefix(suffix, "s") {
		v = a64extendSign(v, size)
	}
	t.set(t.arg[0], a64one(v))
	return true
}

func (t *a64text) store(suffix string) bool {
	value, size := a64val{}, a64vector(t.arg[0])
	if size == 0 {
		_, width, _ := a64reg(t.arg[0])
		size = a64bytes(suffix, width)
		value = a64one(a64cut(t.get(t.arg[0]), size))
	}
	at := t.place(1)
	if _, index, ok := strings.Cut(t.arg[1], ","); ok && strings.Contains(index, "xtw") {
		// Ops give the index up: the store is to an unknown address.
		index, _, _ = strings.Cut(strings.TrimSpace(index), ",")
		n, _, _ := a64reg(index)
		if n == 31 {
			return false
		}
		t.reg[n] = a64val{}
		t.stores = append(t.stores, a64store{a64val{}, size, a64val{}})
		return true
	}
	t.write(at, size, value)
	return true
}

func (t *a64text) pair() bool {
	load := t.name[0] == 'l'
	size := a64vector(t.arg[0])
	simd := size != 0
	if !simd {
		_, size, _ = a64reg(t.arg[0])
	}
	var values [2]a64val
	if !simd && !load {
		values = [2]a64val{a64one(t.get(t.arg[0])), a64one(t.get(t.arg[1]))}
	}
	at := t.place(2)
	switch {
	case simd && !load:
		t.write(at, 2*size, a64val{})
	case simd:
	case t.name == "ldpsw":
		t.set(t.arg[0], a64one(a64extendSign(a64memory(at, 4), 4)))
		t.set(t.arg[1], a64one(a64extendSign(a64memory(at+4, 4), 4)))
	case load:
		t.set(t.arg[0], a64one(a64memory(at, size)))
		t.set(t.arg[1], a64one(a64memory(at+uint64(size), size)))
	default:
		t.write(at, size, values[0])
		t.write(at+uint64(size), size, values[1])
	}
	return true
}

func (t *a64text) atomic(prefix, rest string) bool {
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "a"), "l")
	dst := 1
	if prefix == "cas" || strings.HasPrefix(prefix, "st") {
		dst = 0
	}
	_, width, _ := a64reg(t.arg[0])
	t.write(t.place(len(t.arg)-1), a64bytes(rest, width), a64val{})
	if !strings.HasPrefix(prefix, "st") {
		t.set(t.arg[dst], a64val{})
	}
	return true
}

// structure: "{v0.16b-v3.16b}, [x0], #64", "{v1.s}[2], [x0]".
func (t *a64text) structure() bool {
	list, rest, ok := strings.Cut(t.arg[0], "}")
	if !ok {
		return false
	}
	list = strings.TrimPrefix(list, "{")
	regs := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '-' })
	count := len(regs)
	if strings.Contains(list, "-") {
		n := func(s string) int {
			v, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(strings.TrimSpace(s), ".")[0], "v"))
			return v
		}
		count = (n(regs[1])-n(regs[0])+32)%32 + 1
	}
	_, arrangement, _ := strings.Cut(strings.TrimSpace(regs[0]), ".")
	lanes, _ := strconv.Atoi(arrangement[:len(arrangement)-1])
	size := map[byte]int{'b': 1, 'h': 2, 's': 4, 'd': 8}[arrangement[len(arrangement)-1]]
	if rest == "" {
		size *= lanes
	}
	at := t.place(1)
	if t.name[0] == 's' {
		t.write(at, count*size, a64val{})
	}
	return true
}
