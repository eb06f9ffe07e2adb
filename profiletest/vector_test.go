package profiletest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// sharedDir is the folder of shared data. Without it the test skips, and fails where CI is set.
func sharedDir(t testing.TB, sub string) string {
	t.Helper()
	dir := os.Getenv("PROFCHECK_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	dir = filepath.Join(dir, sub)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("shared data: %v", err)
		}
		t.Skipf("no shared data (set PROFCHECK_SHARED): %v", err)
	}
	return dir
}

func readTable(t testing.TB, file string) []Vector {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := ReadVectors(file, f)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func readFilter(t testing.TB, file string, arch *syscalls.Arch) filter.Program {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Decode(data, arch.Order())
	if err == nil {
		err = p.Verify()
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return p
}

// Every row of libseccomp's suite, and of what a Linux 6.18 kernel did with random filters, is read
// and passes; no row passes with another expectation.
func TestSharedVectors(t *testing.T) {
	for sub, want := range map[string]int{"libseccomp": 7788, "kernel": 10000} {
		files, err := filepath.Glob(filepath.Join(sharedDir(t, "vectors/"+sub), "*.bpf"))
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for _, file := range files {
			table := strings.TrimSuffix(file, ".bpf") + ".tsv"
			vectors := readTable(t, table)
			p := readFilter(t, file, vectors[0].Arch)
			for _, v := range vectors {
				rows++
				got, ok := v.Check(p)
				if !ok {
					t.Errorf("%s:%d: %v, want %v", table, v.Line, got, v.Expect)
				}
				v.Expect = filter.Trace | 0x7777
				if got, ok := v.Check(p); ok {
					t.Errorf("%s:%d: %v passes for %v", table, v.Line, got, v.Expect)
				}
			}
		}
		if rows != want {
			t.Errorf("%s: %d rows, want %d", sub, rows, want)
		}
	}
}

// A table runs against the file of a compiled filter, and against a profile; a row that is wrong is
// the one that fails.
func TestRunVectors(t *testing.T) {
	dir := sharedDir(t, "vectors/libseccomp")
	rows := 0
	for _, name := range []string{"01-sim-allow", "12-sim-basic_masked_ops", "16-sim-arch_basic", "26-sim-arch_all_be_basic"} {
		table, err := os.ReadFile(filepath.Join(dir, name+".tsv"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := RunVectors("t", bytes.NewReader(table), filepath.Join(dir, name+".bpf"))
		if err != nil || !r.OK() || r.Passed < 5 || r.Format != "filter" {
			t.Errorf("%s: %+v, %v", name, r, err)
			continue
		}
		rows += r.Passed
		lines := strings.SplitAfter(string(table), "\n")
		fields := strings.Split(lines[3], "\t")
		fields[10] = "TRACE(77)\n"
		lines[3] = strings.Join(fields, "\t")
		wrong, err := RunVectors("t", strings.NewReader(strings.Join(lines, "")), filepath.Join(dir, name+".bpf"))
		if err != nil || wrong.Failed != 1 || wrong.Passed != r.Passed-1 || wrong.Failures[0].Line != 4 {
			t.Errorf("%s with a wrong row: %+v, %v", name, wrong, err)
		}
	}
	if rows < 100 {
		t.Errorf("only %d rows", rows)
	}
	const mount = "x86_64\t0xc000003e\tmount\t165\t0\t0\t0\t0\t0\t0\tERRNO(1)\n"
	for want, options := range map[string][]Option{
		"1 0": nil, "0 1": {Cap("SYS_ADMIN")}, "1 0 ": {Target("podman", "docker"), Kernel("5.10")},
	} {
		r, err := RunVectors("t", strings.NewReader(mount), "docker-default", options...)
		if err != nil || fmt.Sprint(r.Passed, r.Failed) != strings.TrimSpace(want) {
			t.Errorf("want %s: %+v, %v", want, r, err)
		}
	}
	for want, c := range map[string]struct {
		table, profile string
		option         Option
	}{
		"t: no vectors":               {"", "docker-default", nil},
		`no such built-in; did you`:   {mount, "docker-defalt", nil},
		"profile ./no: ":              {mount, "./no", nil},
		`cap: unknown capability "X"`: {mount, "docker-default", Cap("X")},
		`target: unknown runtime "X"`: {mount, "docker-default", Target("X")},
		`arch: unknown architecture`:  {mount, "docker-default", Arch("X")},
		`kernel: kernel "X"`:          {mount, "docker-default", Kernel("X")},
	} {
		options := []Option{}
		if c.option != nil {
			options = append(options, c.option)
		}
		if _, err := RunVectors("t", strings.NewReader(c.table), c.profile, options...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

const goodRow = "x86_64\t0xc000003e\tread\t0\t0x1\t2\t-1\t0\t0\t0xffffffffffffffff\tERRNO(1)"

func TestReadVectors(t *testing.T) {
	text := "#arch\trest\n\n" + goodRow + "\r\n" + "s390x\t0x80000016\t-\t-1\t0\t0\t0\t0\t0\t0\tKILL\n" +
		"x32\t0xc000003e\tread\t0x40000000\t0\t0\t0\t0\t0\t0\tERRNO(EPERM)"
	rows, err := ReadVectors("t", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%+v", rows)
	want := "[{Line:3 Arch:x86_64 Data:{Nr:0 Arch:3221225534 IP:0 Args:[1 2 18446744073709551615 0 0 18446744073709551615]} Syscall:read Expect:ERRNO(1)} " +
		"{Line:4 Arch:s390x Data:{Nr:-1 Arch:2147483670 IP:0 Args:[0 0 0 0 0 0]} Syscall: Expect:KILL_THREAD} " +
		"{Line:5 Arch:x32 Data:{Nr:1073741824 Arch:3221225534 IP:0 Args:[0 0 0 0 0 0]} Syscall:read Expect:ERRNO(1)}]"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestReadVectorsRefuses(t *testing.T) {
	change := func(from, to string) string {
		if !strings.Contains(goodRow, from) {
			t.Fatalf("%q is not in the row", from)
		}
		return "#\n" + strings.Replace(goodRow, from, to, 1)
	}
	for _, c := range []struct{ in, want string }{
		{"", "t: no vectors"},
		{"# x\n\n", "t: no vectors"},
		{change("x86_64", "x86-65"), `t:2:1: arch: unknown architecture "x86-65"`},
		{change("0xc000003e", "0xc000003f"), "t:2:8: audit_arch: 0xc000003f is not the token of x86_64, 0xc000003e"},
		{change("0xc000003e", "x"), `t:2:8: audit_arch: "x" is no 32-bit number`},
		{change("read", "raed"), `t:2:19: syscall: unknown syscall "raed": did you mean read?`},
		{change("read", ""), `t:2:19: syscall: unknown syscall ""`},
		{change("\t0\t0x1", "\t1\t0x1"), "t:2:24: nr: 1, but read is 0 on x86_64"},
		{change("\t0\t0x1", "\t4294967296\t0x1"), `t:2:24: nr: "4294967296" is no 32-bit number`},
		{change("0x1", "1x"), `t:2:26: a0: "1x" is no 64-bit number`},
		{change("0xffffffffffffffff", "0x1ffffffffffffffff"), `t:2:39: a5: "0x1ffffffffffffffff" is no 64-bit number`},
		{change("ERRNO(1)", "ERNO"), `t:2:58: expect: action "ERNO": unknown name`},
		{change("ERRNO(1)", "ERRNO"), "t:2:58: expect: ERRNO needs its number: ERRNO(1)"},
		{change("\tERRNO(1)", ""), "t:2:57: no expect: 10 fields, separated by tabs, want 11"},
		{change("ERRNO(1)", "ERRNO(1)\t"), "t:2:67: 12 fields, want 11"},
		{change("\t", "  "), "t:2:67: no expect: 10 fields, separated by tabs, want 11"},
		{goodRow + "\n" + strings.Repeat("x", maxVectorLine+1), "t:2:4096: a line of more than 4096 bytes"},
	} {
		_, err := ReadVectors("t", strings.NewReader(c.in))
		var typed *VectorError
		if err == nil || !errors.As(err, &typed) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q:\n%v, want\n%s", c.in, err, c.want)
		}
	}
	if _, err := ReadVectors("t", brokenReader{}); err == nil || err.Error() != "t: broken" {
		t.Errorf("a reader that breaks: %v", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

// What of an action counts.
func TestVectorCheck(t *testing.T) {
	for _, c := range []struct {
		returns filter.Action
		expect  string
		ok      bool
	}{
		{filter.Errno | 1, "ERRNO(1)", true}, {filter.Errno | 1, "ERRNO(EPERM)", true}, {filter.Errno | 2, "ERRNO(1)", false},
		{filter.Errno | 5000, "ERRNO(4095)", true}, {filter.Errno | 5000, "ERRNO(5000)", true},
		{filter.Trap | 7, "TRAP", true}, {filter.Trap | 7, "TRAP(7)", true}, {filter.Trap | 7, "TRAP(6)", false},
		{filter.Trace | 7, "TRACE(7)", true}, {filter.Trace, "TRACE(7)", false},
		{filter.Allow | 7, "ALLOW", true}, {filter.Log, "ALLOW", false}, {filter.KillThread, "KILL", true},
		{filter.KillProcess, "KILL", false}, {0x00060000, "KILL_PROCESS", true},
	} {
		v := Vector{Arch: syscalls.ByName("x86_64")}
		var err error
		if v.Expect, err = parseOutcome(c.expect); err != nil {
			t.Fatal(err)
		}
		if got, ok := v.Check(filter.Program{filter.Return(c.returns)}); ok != c.ok || got != c.returns.Effect() {
			t.Errorf("%v for %s: %v %v", c.returns, c.expect, got, ok)
		}
	}
}

// FuzzReadVectors: whatever is read can be run, and errors have a place within the text.
func FuzzReadVectors(f *testing.F) {
	f.Add(goodRow)
	f.Add("#arch\n\nx86\t0x40000003\t-\t-1\t0\t0\t0\t0\t0\t0\tKILL\r\n")
	f.Add("x86_64\t0xc000003e\traed\t0")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := ReadVectors("t", strings.NewReader(text))
		var typed *VectorError
		if errors.As(err, &typed) {
			if n := strings.Count(text, "\n") + 1; typed.Line > n || typed.Column > len(text)+1 {
				t.Errorf("%v of %d lines", err, n)
			}
		}
		if err == nil && len(rows) == 0 {
			t.Error("nothing was read")
		}
		for _, v := range rows {
			v.Check(filter.Program{filter.Return(filter.Allow)})
		}
	})
}
