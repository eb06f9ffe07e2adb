package table

import (
	"reflect"
	"strings"
	"testing"
)

const sample = `# head
kernel 7.1
columns x86 mips

syscall open
since 1.0 man-pages
nr x86=5 mips=5
args filename:pointer flags:flags mode:flags/16

syscall pread64
nr x86=180 mips=200
args fd:fd pos:long/64
args@mips fd:fd _:unknown pos:long/64

syscall sync
nr x86=36
args void

syscall vserver
since 2.0 man-pages
removed 5.5 man-pages
nr mips=277
args ?
`

func TestParse(t *testing.T) {
	table, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Format(); got != sample {
		t.Errorf("Format gives\n%s", got)
	}
	open := table.Entries[0]
	want := &Entry{Name: "open", Since: "1.0", Origin: "man-pages", Numbers: map[string]int32{"x86": 5, "mips": 5},
		Args: []Prototype{{Params: []Param{{"filename", "pointer", Register}, {"flags", "flags", 32}, {"mode", "flags", 16}}}}}
	if !reflect.DeepEqual(open, want) {
		t.Errorf("open is %+v", open)
	}
	pread := table.Entries[1]
	if a, b := pread.Prototype("x86"), pread.Prototype("mips"); len(a.Params) != 2 || len(b.Params) != 3 || a.Unknown || b.Unknown {
		t.Errorf("pread64: %+v and %+v", a, b)
	}
	if p := table.Entries[2].Prototype("x86"); p.Unknown || len(p.Params) != 0 {
		t.Errorf("sync: %+v", p)
	}
	if p := table.Entries[3].Prototype("mips"); !p.Unknown {
		t.Errorf("vserver: %+v", p)
	}
}

func TestParseErrors(t *testing.T) {
	const head = "kernel 7.1\ncolumns x86 mips\n"
	for text, want := range map[string]string{
		"":                                                      "kernel or columns missing",
		"kernel seven\n":                                        `line 1: bad release "seven"`,
		head + "syscall a\nsince 2.x man\n":                     `line 4: bad release "2.x"`,
		"kernel 7.1\n":                                          "kernel or columns missing",
		head + "# late\n":                                       "line 3: comment after the head",
		head + "nr x86=1\n":                                     `line 3: "nr" before the first syscall`,
		head + "syscall a\nremoved soon man\n":                  `line 4: bad release "soon"`,
		head + "syscall a\nremoved 5.5\n":                       `line 4: unknown directive "removed 5.5"`,
		head + "nonsense\n":                                     `line 3: "nonsense" before the first syscall`,
		head + "syscall a\nnr arm=1\n":                          `line 4: unknown column "arm"`,
		head + "syscall a\nnr x86=-1\n":                         `line 4: bad number "x86=-1"`,
		head + "syscall a\nnr x86\n":                            `line 4: bad number "x86"`,
		head + "syscall a\nnr x86=1 x86=2\n":                    `line 4: column "x86" twice`,
		head + "syscall a\nnr x86=99999999999\n":                `line 4: bad number "x86=99999999999"`,
		head + "syscall a\nsince 1.0\n":                         `line 4: unknown directive "since 1.0"`,
		head + "syscall a\nargs\n":                              "line 4: no parameter: write void or ?",
		head + "syscall a\nargs fd\n":                           `line 4: bad parameter "fd"`,
		head + "syscall a\nargs :fd\n":                          `line 4: bad parameter ":fd"`,
		head + "syscall a\nargs fd:thing\n":                     `line 4: bad parameter "fd:thing"`,
		head + "syscall a\nargs fd:fd/8\n":                      `line 4: bad width in "fd:fd/8"`,
		head + "syscall a\nargs@arm void\n":                     `line 4: unknown column "arm"`,
		head + "syscall a\nargs void\nargs void\n":              "line 5: the default prototype must be the first and only one",
		head + "syscall a\nargs void\nargs@x86 ?\nargs@x86 ?\n": "a: two prototypes for x86",
		head + "syscall b\nsyscall a\n":                         "a: not in ascending order",
		head + "syscall a\nnr x86=1\nsyscall b\nnr x86=1\n":     "b: number x86=1 is a",
	} {
		if _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("Parse(%q): %v, want %s", text, err, want)
		}
	}
}

func TestReadNumbers(t *testing.T) {
	table, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	const csv = "#syscall (v7.2.0-rc1 2026-08-30),x86,x86_kver,mips,mips_kver\n" +
		"open,5,U,6,U\nnew_call,472,U,PNR,U\npread64,180,U,200,U\nsync,36,U,36,U\n"
	if err := table.ReadNumbers(strings.NewReader(csv)); err != nil {
		t.Fatal(err)
	}
	got := table.Format()
	want := strings.NewReplacer("kernel 7.1", "kernel 7.2", "x86=5 mips=5", "x86=5 mips=6", "nr x86=36\n", "nr x86=36 mips=36\n",
		"syscall open", "syscall new_call\nnr x86=472\n\nsyscall open", "\nsyscall vserver\nsince 2.0 man-pages\nremoved 5.5 man-pages\nnr mips=277\nargs ?\n", "").Replace(sample)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, bad := range []string{"", "#syscall,x86\n", "#syscall (v7.2),x86,mips\n\"", "#syscall (v7.2),x86\n",
		"#syscall (v7.2),x86,mips,arm\n", "#syscall (v7.2),x86,mips\nopen,5,six\n", "#syscall (v7.2),x86,mips\nopen,-5,6\n",
		"#syscall (v7.2),x86,mips\nopen,5,6\nsync,5,7\n"} {
		fresh, err := Parse(sample)
		if err != nil {
			t.Fatal(err)
		}
		if err := fresh.ReadNumbers(strings.NewReader(bad)); err == nil {
			t.Errorf("ReadNumbers(%q) succeeds", bad)
		}
	}
}
