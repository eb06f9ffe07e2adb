package randbpf

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

func TestFiltersVerify(t *testing.T) {
	g := New(1)
	shapes := []Shape{{}, {Actions: true}, {IP: true, Actions: true, Raw: true}, {Size: 8}, {Size: 600}, {Prefix: LetThrough(syscalls.ByName("x86_64"))}}
	seen := make(Coverage)
	for i := range 6000 {
		p := g.Filter(shapes[i%len(shapes)])
		if err := p.Verify(); err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		if i%len(shapes) == 0 {
			seen.Add(p)
		}
	}
	for i := range 200 {
		p := g.Ladder(uint32(i)*1000, 1+i)
		if err := p.Verify(); err != nil || p[0] != filter.Load(filter.OffsetNr) {
			t.Fatalf("%v: %v", p, err)
		}
	}
	if code, n := seen.Least(); n < 100 {
		t.Errorf("code %#02x is in %d places of 1000 filters", code, n)
	}
}

// A filter without Actions and Raw returns nothing but errnos.
func TestShapes(t *testing.T) {
	g := New(2)
	returns := func(s Shape) (kinds map[filter.Action]int, raw, ip int) {
		kinds = make(map[filter.Action]int)
		for range 500 {
			p := g.Filter(s)
			for pc, in := range p {
				switch {
				case in.Code == filter.OpRetK:
					kinds[filter.Action(in.K).Base()]++
				case in.Code == filter.OpRetA && (pc < 3 || p[pc-1].Code != filter.OpOrK):
					raw++
				case in.Code == filter.OpLdAbs && in.K&^7 == filter.OffsetIP:
					ip++
				}
			}
		}
		return kinds, raw, ip
	}
	if kinds, raw, ip := returns(Shape{}); len(kinds) != 1 || kinds[filter.Errno] == 0 || raw != 0 || ip != 0 {
		t.Errorf("plain: %v, %d raw, %d of the instruction pointer", kinds, raw, ip)
	}
	if kinds, raw, ip := returns(Shape{Actions: true, Raw: true, IP: true}); len(kinds) != len(Actions()) || raw == 0 || ip == 0 {
		t.Errorf("all: %v, %d raw, %d of the instruction pointer", kinds, raw, ip)
	}
}

func TestSameSeedSameWork(t *testing.T) {
	make3 := func(seed uint64) []byte {
		g := New(seed)
		var b []byte
		for _, p := range append(g.Stack(3, Shape{}), g.Mutant()) {
			b = append(b, p.Encode(binary.LittleEndian)...)
		}
		return b
	}
	if !bytes.Equal(make3(7), make3(7)) {
		t.Error("a seed gives different programs")
	}
	if bytes.Equal(make3(7), make3(8)) {
		t.Error("different seeds give the same programs")
	}
}

// Numbers are in no table, and a filter that begins with LetThrough decides on them.
func TestNumbers(t *testing.T) {
	g := New(3)
	for _, a := range syscalls.Arches() {
		if err := append(LetThrough(a), filter.Return(filter.KillProcess)).Verify(); err != nil {
			t.Errorf("%s: %v", a, err)
		}
		wide := false
		for range 2000 {
			d := g.Data(a, nil)
			if name, ok := a.NameOf(d.Nr); ok {
				t.Fatalf("%s: %d is %s", a, d.Nr, name)
			}
			if i := uint32(d.Nr - a.Base); i < LetThroughBelow {
				t.Fatalf("%s: %d is let through", a, d.Nr)
			}
			wide = wide || d.Args[0]>>32 != 0
		}
		if wide != (a.Bits == 64) {
			t.Errorf("%s: arguments of more than 32 bits: %v", a, wide)
		}
	}
}

// A validator is put to the test by both verdicts, for many reasons.
func TestMutants(t *testing.T) {
	g := New(4)
	good, reasons := 0, make(map[string]int)
	for range 20000 {
		p := g.Mutant()
		if len(p) == 0 {
			t.Fatal("no instructions")
		}
		if err := p.Verify(); err == nil {
			good++
		} else {
			reasons[err.(*filter.VerifyError).Reason[:6]]++
		}
	}
	if good < 5000 || good > 15000 || len(reasons) < 10 {
		t.Errorf("%d of 20000 load; reasons %v", good, reasons)
	}
}

func TestCoverage(t *testing.T) {
	c := make(Coverage)
	for _, code := range filter.Opcodes() {
		c.Add(filter.Program{{Code: code}, {Code: code}})
	}
	c[filter.OpAddK]--
	if code, n := c.Least(); code != filter.OpAddK || n != 1 || c[filter.OpAddX] != 2 {
		t.Errorf("least is %#x, %d times; %d of add x", code, n, c[filter.OpAddX])
	}
}
