package isa

import (
	"fmt"
	"strings"
)

// a64plain are the mnemonics with a destination, a source and a last operand.
var a64plain = map[string]func(x, y uint64) uint64{
	"add": a64binary[OpAdd], "adds": a64binary[OpAdd], "sub": a64binary[OpSub], "subs": a64binary[OpSub],
	"and": a64binary[OpAnd], "ands": a64binary[OpAnd], "orr": a64binary[OpOr], "eor": a64binary[OpXor],
	"bic":  func(x, y uint64) uint64 { return x &^ y },
	"bics": func(x, y uint64) uint64 { return x &^ y },
	"orn":  func(x, y uint64) uint64 { return x | ^y },
	"eon":  func(x, y uint64) uint64 { return x ^ ^y },
}

// a64nothing are mnemonics without a general destination, whatever their operands look like.
var a64nothing = " cmp cmn tst ccmp ccmn nop hint yield dmb dsb isb bti msr prfm prfum clrex csdb sevl sev wfe wfi " +
	"rmif setf8 setf16 cfinv xaflag axflag esb psb tsb dgh "

// a64forgotten are the mnemonics whose first operand is a destination that Ops forget.
var a64forgotten = " mul madd msub mneg umulh smulh udiv sdiv clz cls rbit rev rev16 rev32 rev64 adc adcs sbc sbcs ngc ngcs " +
	"bfi bfxil bfm extr crc32b crc32h crc32w crc32x crc32cb crc32ch crc32cw crc32cx smull umull smnegl umnegl " +
	"smaddl umaddl smsubl umsubl mrs umov smov irg gmi addg subg subp subps ldg cntb cnth cntw cntd lslv lsrv asrv rorv " +
	"ldxr ldaxr ldxrb ldaxrb ldxrh ldaxrh pacga pacia pacib autia autib xpaci xpacd "

func a64in(list, name string) bool { return strings.Contains(list, " "+name+" ") }

// run interprets the line.
func (t *a64text) run() bool {
	if t.control() {
		return true
	}
	if a64in(a64nothing, t.name) {
		return true
	}
	if f := a64plain[t.name]; f != nil {
		if _, _, general := a64reg(t.arg[0]); !general {
			return t.arg[0][0] != 'z' && t.arg[0][0] != 'p' // SIMD, but not SVE
		}
		t.loose = len(t.arg) > 3 && !strings.HasPrefix(t.arg[2], "#") && a64loose(t) ||
			t.name == "orn" && t.arg[0] == t.arg[1]
		t.set(t.arg[0], a64one(f(t.get(t.arg[1]), t.last(2))))
		return true
	}
	return t.access() || t.move() || t.choose() || t.field() || t.other()
}

// a64loose: forms that cannot be said without a register to spare, and shifts that no Op has.
func a64loose(t *a64text) bool {
	how := t.arg[3]
	return t.arg[0] == t.arg[1] || strings.HasPrefix(how, "asr") || strings.HasPrefix(how, "ror") ||
		strings.HasSuffix(t.arg[0], "sp")
}

func (t *a64text) control() bool {
	switch t.name {
	case "b", "bl":
		if len(t.arg) == 2 { // arm64asm puts the condition here
			t.flow = fmt.Sprintf("b.cond %#x", a64target(t.arg[1]))
			break
		}
		t.flow = fmt.Sprintf("%s %#x", t.name, a64target(t.arg[0]))
	case "cbz", "cbnz", "tbz", "tbnz":
		t.flow = fmt.Sprintf("b.cond %#x", a64target(t.arg[len(t.arg)-1]))
	case "br", "blr":
		t.flow = fmt.Sprintf("%s %#x", t.name, t.get(t.arg[0]))
	case "ret":
		t.flow = "ret"
	case "brk", "hlt", "udf", "hvc", "smc":
		t.flow = "stop"
	case "svc":
		t.flow, t.reg[0] = "svc", a64val{}
	default:
		if !strings.HasPrefix(t.name, "b.") {
			return false
		}
		t.flow = fmt.Sprintf("b.cond %#x", a64target(t.arg[0]))
	}
	return true
}

func (t *a64text) move() bool {
	if len(t.arg) == 0 {
		return false
	}
	d := t.arg[0]
	if _, _, ok := a64reg(d); !ok {
		return false
	}
	switch t.name {
	case "mov", "movz":
		if _, _, ok := a64reg(t.arg[1]); !ok && !strings.HasPrefix(t.arg[1], "#") { // from a vector
			t.set(d, a64val{})
			return true
		}
		t.set(d, a64one(t.last(1)))
	case "movn":
		t.set(d, a64one(^t.last(1)))
	case "mvn":
		t.loose = len(t.arg) > 2 && (strings.HasPrefix(t.arg[2], "asr") || strings.HasPrefix(t.arg[2], "ror"))
		t.set(d, a64one(^t.last(1)))
	case "movk":
		shift := uint64(0)
		if len(t.arg) > 2 {
			shift = a64number(strings.TrimPrefix(t.arg[2], "lsl "))
		}
		t.set(d, a64one(t.get(d)&^(0xffff<<shift)|a64number(t.arg[1])<<shift))
	case "neg", "negs":
		t.loose = len(t.arg) > 2 && strings.HasPrefix(t.arg[2], "asr")
		t.set(d, a64one(-t.last(1)))
	case "adr", "adrp":
		t.set(d, a64one(a64target(t.arg[1])))
	default:
		return false
	}
	return true
}

// field: shifts, extensions and bit fields.
func (t *a64text) field() bool {
	if len(t.arg) < 2 {
		return false
	}
	d := t.arg[0]
	_, width, ok := a64reg(d)
	if !ok {
		return false
	}
	if t.name == "bfc" {
		lsb, n := a64number(t.arg[1]), a64number(t.arg[2])
		t.set(d, a64one(t.get(d)&^(a64Low(uint32(n))<<lsb)))
		return true
	}
	n, isReg, immediate := uint64(0), false, len(t.arg) > 2
	if immediate {
		if _, _, isReg = a64reg(t.arg[2]); !isReg {
			n = a64number(t.arg[2])
		}
	}
	bits := func() uint64 { return a64number(t.arg[3]) }
	switch t.name {
	case "lsl", "lsr", "asr", "ror":
		if isReg {
			t.set(d, a64val{})
			return true
		}
		left := width*8 - int(n)
		t.loose = t.name == "ror" || t.name == "asr" && left != 8 && left != 16 && left != 32
		t.set(d, a64one(a64shift(t.get(t.arg[1]), t.name+" "+t.arg[2], width)))
	case "uxtb", "uxth", "uxtw", "sxtb", "sxth", "sxtw":
		t.set(d, a64one(a64shift(t.get(t.arg[1]), t.name, width)))
	case "ubfx":
		t.set(d, a64one(t.get(t.arg[1])>>n&a64Low(uint32(bits()))))
	case "ubfiz":
		t.set(d, a64one(t.get(t.arg[1])&a64Low(uint32(bits()))<<n))
	case "sbfx", "sbfiz":
		b := bits()
		t.loose = b != 8 && b != 16 && b != 32
		v := t.get(t.arg[1])
		if t.name == "sbfx" {
			v, n = v>>n, 0
		}
		t.set(d, a64one(uint64(int64(v<<(64-b))>>(64-b))<<n))
	default:
		return false
	}
	return true
}

// choose: the conditional selects, where both outcomes are possible.
func (t *a64text) choose() bool {
	pair := func(x, y uint64) bool {
		_, width, _ := a64reg(t.arg[0])
		v := a64one(a64cut(x, width)).with(a64cut(y, width))
		t.set(t.arg[0], v)
		return true
	}
	if len(t.arg) < 2 {
		return false
	}
	get := func(i int) uint64 { return t.get(t.arg[i]) }
	same := func(i int) bool { return t.arg[0] == t.arg[i] }
	switch t.name {
	case "csel":
		return pair(get(1), get(2))
	case "csinc":
		return pair(get(1), get(2)+1)
	case "csinv":
		t.loose = same(1)
		return pair(get(1), ^get(2))
	case "csneg":
		t.loose = same(1)
		return pair(get(1), -get(2))
	case "cset":
		return pair(0, 1)
	case "csetm":
		return pair(0, ^uint64(0))
	case "cinc":
		return pair(get(1), get(1)+1)
	case "cinv":
		t.loose = same(1)
		return pair(get(1), ^get(1))
	case "cneg":
		t.loose = same(1)
		return pair(get(1), -get(1))
	}
	return false
}

// other: destinations that Ops forget, and instructions on SIMD registers alone.
func (t *a64text) other() bool {
	if len(t.arg) == 0 {
		return false
	}
	_, _, general := a64reg(t.arg[0])
	switch {
	case t.name == "dc":
		return false
	case a64in(a64forgotten, t.name) && general, general && strings.HasPrefix(t.name, "fcvt"),
		general && t.name == "fmov", general && t.name == "fjcvtzs":
		t.set(t.arg[0], a64val{})
		return true
	case general:
		return false
	}
	for _, p := range []string{"v", "d", "s", "q", "b", "h"} {
		if strings.HasPrefix(t.arg[0], p) && strings.IndexByte("0123456789", t.arg[0][1]) >= 0 {
			return true
		}
	}
	return false
}
