package profiletest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// interesting are numbers at which comparisons of two 32-bit halves go wrong.
var interesting = []uint64{
	0, 1, 39, 40, 41, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 32, 1<<32 | 40, 1<<32 | 41, 0x7fffffffffffffff, 1 << 63, 1<<64 - 2, 1<<64 - 1,
}

// conditionTexts are conditions on arg2, with those of the numbers above that fulfil them on 64 bits.
var conditionTexts = map[string]func(v uint64) bool{
	"arg2 == 40":                         func(v uint64) bool { return v == 40 },
	"arg2 != 0x100000028":                func(v uint64) bool { return v != 1<<32|40 },
	"arg2 < 0x100000028":                 func(v uint64) bool { return v < 1<<32|40 },
	"arg2 <= 40":                         func(v uint64) bool { return v <= 40 },
	"arg2 > 0xffffffff":                  func(v uint64) bool { return v > 0xffffffff },
	"arg2 >= 0x100000000":                func(v uint64) bool { return v >= 1<<32 },
	"arg2 == -1":                         func(v uint64) bool { return v == 1<<64-1 },
	"arg2 & 0xffffffff == 40":            func(v uint64) bool { return v&0xffffffff == 40 },
	"arg2 & 0xff00000000 != 0":           func(v uint64) bool { return v&0xff00000000 != 0 },
	"arg2 in {0, 40, 0x100000029}":       func(v uint64) bool { return v == 0 || v == 40 || v == 1<<32|41 },
	"arg2 not in {1..40, 0xffffffff}":    func(v uint64) bool { return v == 0 || v > 40 && v != 0xffffffff },
	"arg2 in {40..0x100000028}":          func(v uint64) bool { return v >= 40 && v <= 1<<32|40 },
	"arg2 & 0x1ffffffff in {1..0x10000}": func(v uint64) bool { w := v & 0x1ffffffff; return w >= 1 && w <= 0x10000 },
}

func parseCondition(t *testing.T, text string, arch *syscalls.Arch) bound {
	t.Helper()
	c, err := parseCalls("read(" + text + ")")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	b, err := c.conditions[0].bind(arch, "read")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b
}

// A guard lets exactly those calls through that fulfil the condition, in both byte orders.
func TestGuard(t *testing.T) {
	const marker = filter.Action(0x00010000)
	for _, name := range []string{"x86_64", "s390x"} {
		arch := syscalls.ByName(name)
		for text, want := range conditionTexts {
			b := parseCondition(t, text, arch)
			p := guard(filter.Program{filter.Return(filter.Allow)}, []bound{b}, marker, arch.Order())
			if err := p.Verify(); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			numbers := append([]uint64{}, interesting...)
			for range 200 {
				v := rand.Uint64()
				numbers = append(numbers, v, v>>32, v&(v<<7), interesting[v%15]+v>>62)
			}
			for _, v := range numbers {
				d := filter.Data{Args: [6]uint64{^v, ^v, v, ^v, ^v, ^v}}
				got := simulate.Run(p, &d, arch.Order()) == filter.Allow
				if got != want(v) || b.holds(&d.Args) != want(v) {
					t.Errorf("%s on %s: %#x: the guard says %v, holds %v, want %v", text, name, v, got, b.holds(&d.Args), want(v))
				}
			}
		}
	}
}

// Behind a guard a filter finds the registers as the kernel leaves them at the start: 0.
func TestGuardLeavesNothing(t *testing.T) {
	arch := syscalls.ByName("x86_64")
	b := parseCondition(t, "arg2 & 0xffff != 7", arch)
	d := filter.Data{Args: [6]uint64{2: 99}}
	for _, p := range []filter.Program{
		{filter.Stmt(filter.OpRetA, 0)},
		{filter.Stmt(filter.OpTxa, 0), filter.Stmt(filter.OpRetA, 0)},
	} {
		if got := simulate.Run(guard(p, []bound{b}, filter.Trap, arch.Order()), &d, arch.Order()); got != 0 {
			t.Errorf("%v: %v", p, got)
		}
	}
	d.Args[2] = 7
	if got := simulate.Run(guard(filter.Program{filter.Return(filter.Allow)}, []bound{b}, filter.Trap, arch.Order()), &d, arch.Order()); got != filter.Trap {
		t.Errorf("the guard itself is not there: %v", got)
	}
}

// On 32-bit registers a negative number means the same 32 bits, and nothing larger fits.
func TestBindNarrow(t *testing.T) {
	arch := syscalls.ByName("x86")
	for text, want := range map[string]string{
		"arg0 == -1":                       "[{4294967295 4294967295}]",
		"arg0 >= 5":                        "[{5 4294967295}]",
		"arg0 < 5":                         "[{0 4}]",
		"arg0 in {7, 0x100000007}":         "[{7 7}]",
		"arg0 in {5..0x100000007}":         "[{5 4294967295}]",
		"arg0 != 0":                        "[{1 4294967295}]",
		"arg0 == 0x100000000":              "no argument fulfils the condition on x86",
		"arg0 < 0":                         "no argument fulfils the condition on x86",
		"arg0 & 0xf0 == 1":                 "no argument fulfils the condition on x86",
		"arg0 & 0x100000000 == 0":          "0x100000000 does not fit into the 32-bit registers of x86",
		"arg0 == -4294967296":              "no argument fulfils the condition on x86",
		"arg0 in {1, 3, 2, 9, 4..6, 5..7}": "[{1 7} {9 9}]",
	} {
		c, err := parseCalls("read(" + text + ")")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b, err := c.conditions[0].bind(arch, "read")
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = spansText(b.spans)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestLeastWithin(t *testing.T) {
	for mask := range uint64(64) {
		for v := range uint64(64) {
			want, found := uint64(0), false
			for w := v; w < 128 && !found; w++ {
				want, found = w, w&^mask == 0
			}
			got, ok := leastWithin(v, mask)
			if ok != found || ok && got != want {
				t.Fatalf("from %#x within %#x: %#x %v, want %#x %v", v, mask, got, ok, want, found)
			}
		}
	}
	if got, ok := leastWithin(1<<63+1, 1<<63); ok {
		t.Errorf("%#x", got)
	}
}

func TestParseCalls(t *testing.T) {
	for in, want := range map[string]string{
		"read":                         "read",
		" read ":                       "read",
		"socket( 40 , _,6 )":           "socket(40 , _,6 )",
		"socket(40)":                   "socket(40)",
		"clone(clone_flags & 1 == 0)":  "clone(clone_flags & 1 == 0)",
		"clone(arg0 == 1 and arg1==2)": "clone(arg0 == 1 and arg1==2)",
		"0x40000000":                   "0x40000000",
		"-1":                           "-1",
		"512..547":                     "512..547",
		"59(arg0 == 0)":                "59(arg0 == 0)",
		"rest":                         "rest", "all": "all", "unnamed": "unnamed",
	} {
		c, err := parseCalls(in)
		if err != nil || c.text != want {
			t.Errorf("%q: %+v, %v", in, c, err)
		}
	}
	for in, want := range map[string]string{
		"":                      "0: no syscall: want a name, a number, rest, unnamed or all",
		"raed":                  `0: unknown syscall "raed": did you mean read?`,
		"others":                `0: unknown syscall "others": did you mean rest (the syscalls that the file names nowhere else) or unnamed (numbers without a syscall)?`,
		"unamed":                `0: unknown syscall "unamed": did you mean uname?`,
		"xyzzy_plugh":           `0: unknown syscall "xyzzy_plugh"`,
		"read write":            `5: "write" after the call`,
		"read(":                 `5: want a value or a condition at the end of "read("`,
		"read(1":                `6: want a comma or a closing parenthesis at the end of "read(1"`,
		"read(1))":              `7: ")" after the call`,
		"read(arg6 == 1)":       "5: arg6: arguments are arg0 to arg5",
		"read(arg0)":            `9: want ==, !=, <, <=, >, >=, in or not in before ")"`,
		"read(arg0 = 1)":        "10: unknown operator =: did you mean ==?",
		"read(arg0 == AF_INET)": `13: "AF_INET" is no number: names of constants are not known here`,
		"read(arg0 == 1z)":      `13: "1z" is no 64-bit number`,
		"read(arg0 in 1)":       `13: want { before "1)"`,
		"read(arg0 in {})":      `14: want a number before "})"`,
		"read(arg0 in {1 2})":   `16: want a comma or } before "2})"`,
		"read(arg0 in {5..1})":  "15: the span ends before it begins",
		"read(arg0 not 1)":      `14: want in before "1)"`,
		"read(arg0 & == 1)":     `12: want a number before "== 1)"`,
		"read(1, arg1 == 2)":    "8: values and conditions in one call: write arg1 == ...",
		"read(1,2,3,4,5,6,7)":   "17: more than 6 arguments or conditions",
		"socket(famly == 2)":    `7: socket has no parameter "famly": family, type, protocol, or arg0 to arg5`,
		"59(filename == 0)":     `3: "filename": arguments of a number are arg0 to arg5`,
		"rest(arg0 == 0)":       "4: conditions on the arguments of many calls",
		"1..2(arg0 == 0)":       "4: conditions on the arguments of many calls",
		"5..1":                  "3: the range ends before it begins",
		"4294967296":            `0: "4294967296" is no 32-bit number`,
		"read(arg0 in {" + strings.Repeat("1,", 64) + "1})": "143: more than 64 numbers in a list",
	} {
		c, err := parseCalls(in)
		if err == nil {
			t.Errorf("%q is read as %+v", in, c)
			continue
		}
		if got := itoa(offset(err)) + ": " + err.Error(); got != want {
			t.Errorf("%q:\n%s, want\n%s", in, got, want)
		}
	}
}
