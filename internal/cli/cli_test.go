package cli

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// The words that a misspelt command is compared with are the commands.
func TestCommandNames(t *testing.T) {
	root := (&App{Stdout: io.Discard, Stderr: io.Discard}).root()
	root.InitDefaultHelpCmd()
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
		if c.Short == "" {
			t.Errorf("%s: no description", c.Name())
		}
	}
	want := slices.Clone(commandNames)
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("commandNames is %v, the commands are %v", want, names)
	}
}

// Every flag says what it is for, and every help can be read.
func TestHelp(t *testing.T) {
	root := (&App{Stdout: io.Discard, Stderr: io.Discard}).root()
	for _, c := range append([]*cobra.Command{root}, root.Commands()...) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s: no description", c.Name(), f.Name)
			}
		})
		args := []string{"--help"}
		if c != root {
			args = []string{c.Name(), "--help"}
		}
		stdout, stderr, code := runApp(args, nil, nil)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage:") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, stderr)
		}
	}
}

func TestOutputFile(t *testing.T) {
	t.Chdir(t.TempDir())
	want, _, _ := runApp([]string{"profiles"}, nil, nil)
	run := func(wantCode int, wantErr string, args ...string) {
		t.Helper()
		stdout, stderr, code := runApp(args, nil, nil)
		if stdout != "" || stderr != wantErr || code != wantCode {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	content := func() string {
		data, err := os.ReadFile("out")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	run(0, "", "profiles", "-o", "out")
	if content() != want {
		t.Errorf("the file holds %q", content())
	}
	if err := os.WriteFile("out", []byte("mine, and longer than what profcheck writes\n"+want), 0o644); err != nil {
		t.Fatal(err)
	}
	run(2, "profcheck: -o out: the file exists; --force overwrites it\n", "profiles", "-o", "out")
	if !strings.HasPrefix(content(), "mine") {
		t.Error("the file was overwritten")
	}
	run(0, "", "profiles", "-o", "out", "--force")
	if content() != want {
		t.Errorf("with --force the file holds %q", content())
	}
	run(3, "profcheck: -o no/out: no such file or directory\n", "profiles", "-o", "no/out")
}

// A full disk or a closed pipe is no success.
func TestWriteError(t *testing.T) {
	var stderr strings.Builder
	app := &App{Args: []string{"profiles"}, Stdout: brokenWriter{}, Stderr: &stderr}
	if code := app.Run(); code != exitUnknown || stderr.String() != "profcheck: no space left\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr.String())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestBuild(t *testing.T) {
	t.Chdir(packageFile())
	stdout, stderr, code := runApp([]string{"scan", "--build", "./testdata/prog/hello"}, nil, nil)
	if code != 0 || !strings.HasPrefix(stdout, "complete: hello, go (") || stderr != "profcheck: building ./testdata/prog/hello\n" {
		t.Errorf("exit code %d, stdout %.60q, stderr %q", code, stdout, stderr)
	}
	stdout, stderr, code = runApp([]string{"-q", "--build", "./testdata/prog/hello", "--arch", "arm64", "strict", "--fail-on", "never"}, nil, nil)
	if code != 0 || !strings.HasPrefix(stdout, "denied: hello does not run under strict (kernel, aarch64)") || stderr != "" {
		t.Errorf("exit code %d, stdout %.60q, stderr %q", code, stdout, stderr)
	}
	for _, c := range []struct {
		pkg, want string
		code      int
	}{
		{"./nosuch", "profcheck: --build ./nosuch: go build: exit status 1", 3},
		{".", "profcheck: --build .: go build: exit status 1", 3},
		{"-x", `profcheck: --build: "-x" is no package`, 2},
	} {
		stdout, stderr, code := runApp([]string{"--build=" + c.pkg}, nil, nil)
		if code != c.code || stdout != "" || !strings.Contains(stderr, c.want+"\n") {
			t.Errorf("--build %s: exit code %d, stdout %q, stderr %q", c.pkg, code, stdout, stderr)
		}
	}
	_, stderr, code = runApp([]string{"--build", ".", "--arch", "sh"}, nil, nil)
	if code != 2 || stderr != "profcheck: --build: Go has no port to sh\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// What is built is removed, also after a failure.
func TestBuildLeavesNothing(t *testing.T) {
	t.Chdir(packageFile())
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, pkg := range []string{"./testdata/prog/hello", "./nosuch"} {
		runApp([]string{"scan", "-q", "--build", pkg}, nil, nil)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// ELF files that are no program that can be read: one line, exit 3, and never an empty set.
func TestForeignELF(t *testing.T) {
	t.Chdir(t.TempDir())
	header := func(class, order byte, machine uint16) []byte {
		h := make([]byte, 4096)
		copy(h, "\x7fELF")
		h[4], h[5], h[6], h[16] = class, order, 1, 2
		var bytes binary.ByteOrder = binary.LittleEndian
		if order == 2 {
			bytes = binary.BigEndian
			h[16], h[17] = 0, 2
		}
		bytes.PutUint16(h[18:], machine)
		bytes.PutUint32(h[20:], 1)
		bytes.PutUint16(h[52:], 64)
		return h
	}
	lying := header(2, 1, 62)
	binary.LittleEndian.PutUint64(lying[40:], 1<<62) // section headers at 4 EiB
	binary.LittleEndian.PutUint16(lying[58:], 64)
	binary.LittleEndian.PutUint16(lying[60:], 0xffff)
	for name, data := range map[string][]byte{
		"s390x": header(2, 2, 22), "mips": header(1, 2, 8), "riscv": header(2, 1, 243), "unknown": header(2, 1, 0xbeef),
		"nothing": header(2, 1, 62), "lying": lying, "magic": []byte("\x7fELF"),
	} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{name}, {"scan", name}, {"why", name, "read"}, {name, "strict", "--allow-incomplete"}} {
			stdout, stderr, code := runApp(args, nil, nil)
			if code != 3 || stdout != "" || !strings.HasPrefix(stderr, "profcheck: "+name+": ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
			}
		}
	}
}

// Shells give a pipe for <(command): the profile can come from one.
func TestProfileFromPipe(t *testing.T) {
	workFolder(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s on this system", path)
	}
	if _, err := io.WriteString(w, narrowProfile); err != nil {
		t.Fatal(err)
	}
	w.Close()
	stdout, stderr, code := runApp([]string{"hello", path}, nil, nil)
	if code != 1 || !strings.HasPrefix(stdout, "denied: hello does not run under /dev/fd/") || stderr != "" {
		t.Errorf("exit code %d, stdout %.60q, stderr %q", code, stdout, stderr)
	}
}

func TestSplitArgs(t *testing.T) {
	workFolder(t)
	for name, text := range map[string]string{"notes.txt": "text", "list.json": "[]", "bom": "\xef\xbb\xbf {}"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args    string
		built   bool
		bins    string
		profile string
		err     string
	}{
		{"hello", false, "hello", "docker-default", ""},
		{"hello strict", false, "hello", "strict", ""},
		{"hello hello.arm64", false, "hello hello.arm64", "docker-default", ""},
		{"hello hello.arm64 narrow.json", false, "hello hello.arm64", "narrow.json", ""},
		{"hello -", false, "hello", "-", ""},
		{"hello bom", false, "hello", "bom", ""},
		{"hello notes.txt", false, "hello", "notes.txt", ""}, // and the profile's reader complains
		{"hello nosuch.json", false, "hello", "nosuch.json", ""},
		{"hello ./nosuch", false, "hello ./nosuch", "docker-default", ""}, // and the scan complains
		{"hello nosuch", false, "hello", "nosuch", ""},
		{"notes.txt", false, "notes.txt", "docker-default", ""},
		{".", false, ".", "docker-default", ""},
		{"hello .", false, "hello .", "docker-default", ""},
		{"", true, "", "docker-default", ""},
		{"strict", true, "", "strict", ""},
		{"narrow.json", true, "", "narrow.json", ""},
		{"hello", true, "hello", "docker-default", ""},
		{"", false, "", "", "no binary given; see profcheck --help"},
		{"strict", false, "", "", "no binary given to check under strict; profcheck lint strict judges the profile alone"},
		{"narrow.json", false, "", "", "narrow.json is a profile, and no binary is given; profcheck lint narrow.json judges it alone"},
		{"nosuch", false, "", "", "nosuch: no such file or command; see profcheck --help"},
	} {
		bins, profile, err := splitArgs(strings.Fields(c.args), c.built)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if strings.Join(bins, " ") != c.bins || profile != c.profile || message != c.err {
			t.Errorf("splitArgs(%q, %v) = %v, %q, %q", c.args, c.built, bins, profile, message)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		in   string
		want uint64
		ok   bool
	}{
		{"0", 0, true}, {"40", 40, true}, {"0x28", 40, true}, {"0o50", 40, true}, {"0b101", 5, true},
		{"18446744073709551615", 1<<64 - 1, true}, {"18446744073709551616", 0, false},
		{"-1", 1<<64 - 1, true}, {"-0x8000000000000000", 1 << 63, true}, {"-0x8000000000000001", 0, false},
		{"", 0, false}, {"-", 0, false}, {"x", 0, false}, {"1.5", 0, false}, {"--1", 0, false},
	} {
		got, err := parseNumber(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("parseNumber(%q) = %d, %v", c.in, got, err)
		}
	}
}

func TestParseNr(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int32
		ok   bool
	}{
		{"0", 0, true}, {"4294967295", -1, true}, {"-1", -1, true}, {"-2147483648", -1 << 31, true},
		{"4294967296", 0, false}, {"-2147483649", 0, false}, {"0x40000000", 0x40000000, true},
		{"18446744073709551615", -1, true}, {"0xffffffff7fffffff", 0, false}, {"x", 0, false},
	} {
		got, err := parseNr(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("parseNr(%q) = %d, %v", c.in, got, err)
		}
	}
}

func TestParseArgs(t *testing.T) {
	wide, narrow := syscalls.ByName("x86_64"), syscalls.ByName("x86")
	for _, c := range []struct {
		abi  *syscalls.Arch
		in   string
		want [6]uint64
		ok   bool
	}{
		{wide, "1 -1", [6]uint64{1, 1<<64 - 1}, true},
		{narrow, "1 -1", [6]uint64{1, 1<<32 - 1}, true},
		{narrow, "0xffffffff", [6]uint64{1<<32 - 1}, true},
		{narrow, "-2147483649", [6]uint64{}, false},
		{narrow, "0x100000000", [6]uint64{}, false},
		{wide, "1 2 3 4 5 6", [6]uint64{1, 2, 3, 4, 5, 6}, true},
		{wide, "1 2 3 4 5 6 7", [6]uint64{}, false},
	} {
		got, err := parseArgs(c.abi, strings.Fields(c.in))
		if (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("parseArgs(%s, %q) = %v, %v", c.abi.Name, c.in, got, err)
		}
	}
}

// Every code that the kernel takes has a mnemonic of its own, and shows its operand where it has one.
func TestMnemonics(t *testing.T) {
	seen := make(map[string]uint16)
	for _, code := range filter.Opcodes() {
		text := mnemonic(filter.Insn{Code: code, K: 3})
		if strings.Contains(text, "%!") || strings.HasPrefix(text, "0x") {
			t.Errorf("%#x: %s", code, text)
		}
		if other, ok := seen[text]; ok {
			t.Errorf("%#x and %#x: %s", code, other, text)
		}
		seen[text] = code
	}
	for in, want := range map[filter.Insn]string{
		{Code: filter.OpLdAbs, K: 16}:                "ld [16]",
		{Code: filter.OpJeqK, K: 0x3b, Jt: 4, Jf: 1}: "jeq #0x3b, +4, +1",
		{Code: filter.OpJsetX, Jt: 4}:                "jset x, +4, +0",
		{Code: filter.OpRetK, K: 0x50026}:            "ret ERRNO(38)",
		{Code: filter.OpJa, K: 7}:                    "ja +7",
		{Code: 0xffff, K: 1}:                         "0xffff 0 0 0x1",
		{Code: filter.OpAndK, K: 0xff}:               "and #0xff",
	} {
		if got := mnemonic(in); got != want {
			t.Errorf("%+v: %s, want %s", in, got, want)
		}
	}
}

// Unknown arguments must stay unknown on their way to lint, and known ones known.
func TestUsageOf(t *testing.T) {
	abi := syscalls.ByName("x86_64")
	path := finding.Path{{Function: "main.main"}}
	known := [6]elfscan.Values{{Known: true, Consts: []uint64{0}}, {}, {Known: true}}
	u := usageOf(&elfscan.Result{
		Path: "p", Kind: "go", Arch: abi,
		Needs: []elfscan.Need{{
			Nr: 1, Name: "write", Class: finding.Required, Args: known,
			Sites: []elfscan.Site{{Class: finding.Startup, Args: known, Path: path}},
		}},
		Unresolved: []elfscan.Unresolved{{Function: "main.raw"}},
		Gaps:       []elfscan.Gap{{Kind: elfscan.GapExec, Detail: "x"}, {Kind: elfscan.GapMissing, Detail: "libc"}},
	}, "prog")
	need := u.Needs[0]
	for _, args := range [][6][]uint64{need.Args, need.Sites[0].Args} {
		if len(args[0]) != 1 || args[0][0] != 0 || args[1] != nil || args[2] != nil {
			t.Errorf("arguments: %v", args)
		}
	}
	if u.Complete || u.Program != "prog" || len(u.Unresolved) != 1 || len(u.Missing) != 1 || u.Missing[0] != "libc" {
		t.Errorf("%+v", u)
	}
	if need.Sites[0].Class != finding.Startup || need.Class != finding.Required || len(need.Path) != 1 {
		t.Errorf("%+v", need)
	}
}

// The exit codes, for verdicts that are hard to bring about with a real program.
func TestJudge(t *testing.T) {
	denied := []finding.Finding{{Check: "PC613", Severity: finding.Error, Message: "m"}}
	exec := []*elfscan.Result{{Path: "p", Gaps: []elfscan.Gap{{Kind: elfscan.GapExec, Detail: "starts others"}}}}
	loader := []*elfscan.Result{{Path: "p", Gaps: []elfscan.Gap{{Kind: elfscan.GapLoader, Detail: "x"}}}}
	depends := []lint.Outcome{{Arch: syscalls.ByName("x86_64"), Name: "clone", Outcome: lint.Depends}}
	for _, c := range []struct {
		name    string
		result  lint.Result
		scans   []*elfscan.Result
		options options
		code    int
		verdict string
		reason  string
	}{
		{"ok", lint.Result{Verdict: "ok"}, nil, options{}, 0, "ok", ""},
		{"denied", lint.Result{Verdict: "denied", Findings: denied}, nil, options{}, 1, "denied", ""},
		{"denied, never", lint.Result{Verdict: "denied", Findings: denied}, nil, options{failOn: "never"}, 0, "denied", ""},
		{"listener", lint.Result{Verdict: "unknown"}, nil, options{}, 3, "unknown", "a listener decides, or the filter is too complex"},
		{"listener, allowed", lint.Result{Verdict: "unknown"}, nil, options{allowIncomplete: true}, 0, "unknown", "a listener decides, or the filter is too complex"},
		{"3 wins over 1", lint.Result{Verdict: "denied", Findings: denied, Incomplete: []string{"p"}}, nil, options{}, 3, "denied", "the scan of p is incomplete"},
		{"unless allowed", lint.Result{Verdict: "denied", Findings: denied, Incomplete: []string{"p"}}, nil, options{allowIncomplete: true}, 1, "denied", "the scan of p is incomplete"},
		{"exec", lint.Result{Verdict: "ok"}, exec, options{}, 0, "ok", ""},
		{"exec, strict", lint.Result{Verdict: "ok"}, exec, options{strict: true}, 3, "unknown", "--strict: p starts others"},
		{"loader, strict", lint.Result{Verdict: "ok"}, loader, options{strict: true}, 0, "ok", ""},
		{"depends", lint.Result{Verdict: "ok", Outcomes: depends}, nil, options{}, 0, "ok", ""},
		{"depends, strict", lint.Result{Verdict: "ok", Outcomes: depends}, nil, options{strict: true}, 3, "unknown", "--strict: 1 outcome depends on arguments that the scan does not know"},
		{"denied, strict", lint.Result{Verdict: "denied", Findings: denied}, exec, options{strict: true}, 3, "denied", ""},
	} {
		var doc report.Check
		code := c.options.judge(&doc, &c.result, c.scans)
		if code != c.code || doc.Verdict != c.verdict || doc.Reason != c.reason {
			t.Errorf("%s: exit code %d, verdict %s, reason %q", c.name, code, doc.Verdict, doc.Reason)
		}
	}
}

// The check that the counted line stands for is the one on unused calls.
func TestUnusedCheck(t *testing.T) {
	c, ok := lint.Lookup(unusedCheck)
	if !ok || c.Name != "unused-allow" {
		t.Errorf("%s is %+v", unusedCheck, c)
	}
	names := []string{"a", "b", "c", "d", "e", "f"}
	got := mostDangerous([]finding.Finding{{Check: "PC613", Syscalls: []string{"x"}}, {Check: unusedCheck, Syscalls: names}})
	if !slices.Equal(got, names[:5]) {
		t.Errorf("riskiest: %v", got)
	}
	if got := mostDangerous(nil); got == nil || len(got) != 0 {
		t.Errorf("riskiest of nothing: %v, want an empty list for JSON", got)
	}
}

func TestThreshold(t *testing.T) {
	list := []finding.Finding{{Severity: finding.Warning}}
	for failOn, want := range map[string]int{"error": 0, "warning": 1, "info": 1, "never": 0, "": 0} {
		if got := (&options{failOn: failOn}).code(list); got != want {
			t.Errorf("--fail-on %q: exit code %d, want %d", failOn, got, want)
		}
	}
}

func TestCaps(t *testing.T) {
	start := []string{"CAP_KILL"}
	for in, want := range map[string]string{
		"":                      "CAP_KILL",
		"sys_admin":             "CAP_KILL CAP_SYS_ADMIN",
		"none":                  "",
		"none CAP_CHOWN":        "CAP_CHOWN",
		"CAP_CHOWN none":        "",
		"kill kill":             "CAP_KILL",
		"none SYS_ADMIN chown ": "CAP_CHOWN CAP_SYS_ADMIN",
	} {
		got, err := (&options{caps: strings.Fields(in)}).capSet(start)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v, want %s", in, got, err, want)
		}
	}
	if all, err := (&options{caps: []string{"all"}}).capSet(nil); err != nil || len(all) < 40 {
		t.Errorf("all: %v, %v", all, err)
	}
	if _, err := (&options{caps: []string{"CAP_NOPE"}}).capSet(nil); err == nil {
		t.Error("CAP_NOPE is taken")
	}
}

// A message is one line and holds nothing that a terminal obeys.
func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a\nb\n": "a b", "x\x1b[2Jy": "x [2Jy", "\u009b1m": " 1m", "żółć": "żółć",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}
