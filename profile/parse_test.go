package profile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// at gives the place of the n-th occurrence of text, counted with plain string functions.
func at(t *testing.T, data, text string, n int) Pos {
	t.Helper()
	off := -1
	for ; n > 0; n-- {
		next := strings.Index(data[off+1:], text)
		if next < 0 {
			t.Fatalf("no occurrence of %s", text)
		}
		off += 1 + next
	}
	before := data[:off]
	return Pos{"p.json", strings.Count(before, "\n") + 1, off - strings.LastIndex(before, "\n")}
}

const positions = `{
  "defaultAction" : "SCMP_ACT_ERRNO", "flags": [ ],
	"archMap": [
		{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}
	],
  "syscalls": [
    {"names": ["read", "wriet",
       "é", "close"], "action": "SCMP_ACT_ALLOW"},
    {
      "name": "socket", "action": "SCMP_ACT_LOG", "Args": [
        {"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}, {"index": 5, "valueTwo": 7, "value": 9007199254740993, "op": "SCMP_CMP_MASKED_EQ"}],
      "includes": {"caps": ["CAP_SYS_ADMIN", "SYS_TIME"], "arches": ["x86_64"], "minKernel": "4.8"},
      "unheard": {"of": [1.5e3, -1, null, true, "\u00e9\"]"]}
    }
  ]
}
`

// Every name, rule, argument and problem lies where the text has it.
func TestPositions(t *testing.T) {
	p, err := Parse("p.json", []byte(positions))
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, got Pos, text string, n int) {
		t.Helper()
		if want := at(t, positions, text, n); got != want {
			t.Errorf("%s: at %v, want %v", what, got, want)
		}
	}
	check("profile", p.Pos, "{", 1)
	check("default action", p.DefaultActionPos, `"SCMP_ACT_ERRNO"`, 1)
	check("archMap", p.ArchMap[0].Pos, `{"architecture"`, 1)
	check("archMap architecture", p.ArchMap[0].Arch.Pos, `"SCMP_ARCH_X86_64"`, 1)
	check("archMap sub", p.ArchMap[0].Sub[0].Pos, `"SCMP_ARCH_X86"`, 1)
	check("rule 0", p.Rules[0].Pos, `{"names"`, 1)
	for i, n := range []string{"read", "wriet", "é", "close"} {
		if got := p.Rules[0].Names[i].Text; got != n {
			t.Errorf("name %d: %q, want %q", i, got, n)
		}
		check(n, p.Rules[0].Names[i].Pos, `"`+n+`"`, 1)
	}
	r := p.Rules[1]
	check("rule 1", r.Pos, "{\n      \"name\"", 1)
	check("old name", r.Names[0].Pos, `"socket"`, 1)
	check("action", r.ActionPos, `"SCMP_ACT_LOG"`, 1)
	check("arg 0", r.Args[0].Pos, `{"index"`, 1)
	check("arg 1", r.Args[1].Pos, `{"index"`, 2)
	check("includes", r.Includes.Pos, `{"caps"`, 1)
	check("cap", r.Includes.Caps[1].Pos, `"SYS_TIME"`, 1)
	if r.Args[0].Value != 1<<64-1 || r.Args[1].Value != 1<<53+1 || r.Args[1].ValueTwo != 7 {
		t.Errorf("numbers are not exact: %+v", r.Args)
	}
	if !p.FlagsSet || len(p.Flags) != 0 {
		t.Errorf("empty flags: set %v, %v", p.FlagsSet, p.Flags)
	}
	want := []struct {
		kind          Kind
		text          string
		n             int
		name, nearest string
	}{
		{UnknownSyscall, `"wriet"`, 1, "wriet", "write"},
		{UnknownSyscall, `"é"`, 1, "é", ""},
		{FieldCase, `"Args"`, 1, "Args", ""},
		{NeverMatches, `"SYS_TIME"`, 1, "SYS_TIME", "CAP_SYS_TIME"},
		{NeverMatches, `"x86_64"`, 1, "x86_64", "amd64"},
		{UnknownField, `"unheard"`, 1, "unheard", ""},
	}
	if len(p.Problems) != len(want) {
		t.Fatalf("%d problems, want %d: %v", len(p.Problems), len(want), p.Problems)
	}
	for i, w := range want {
		got := p.Problems[i]
		if got.Kind != w.kind || got.Name != w.name || got.Nearest != w.nearest || got.Pos != at(t, positions, w.text, w.n) {
			t.Errorf("problem %d: %+v, want %+v", i, got, w)
		}
	}
}

const ok = `"defaultAction":"SCMP_ACT_ERRNO"`

// rule puts one entry into an otherwise good profile.
func rule(entry string) string {
	return "{" + ok + `,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"},` + "\n" + entry + "]}"
}

// arg puts one condition into an otherwise good profile.
func arg(entry string) string {
	return rule(`{"names":["write"],"action":"SCMP_ACT_ALLOW","args":[` + entry + `]}`)
}

// Each bad text is refused with one line that names the place.
func TestBadInput(t *testing.T) {
	deep := strings.Repeat("[", 100000)
	cases := []struct{ name, data, want string }{
		{"empty", "", "p:1:1: empty input: not even an empty object"},
		{"blank", " \n\t ", "p:2:3: empty input: not even an empty object"},
		{"mark", "\xef\xbb\xbf{}", "p:1:1: a byte order mark: JSON readers refuse it"},
		{"array", "[]", "p:1:1: want an object, found an array"},
		{"string", `"x"`, "p:1:1: want an object, found a string"},
		{"yaml document", "apiVersion: v1", "p:1:1: no profile: YAML of no known format"},
		{"comment", "{\n // no\n}", "p:2:2: a comment, which JSON does not have, where a key should stand"},
		{"trailing", "{}\n{}", "p:2:1: text after the end of the profile"},
		{"comma", "{" + ok + ",\n}", "p:1:34: a comma before the end of the object"},
		{"list comma", `{"syscalls":[1,]}`, "p:1:15: a comma before the end of the array"},
		{"no comma", "{" + ok + "\n\"syscalls\":[]}", `p:2:1: '"' where a comma or the end of the object should stand`},
		{"no colon", `{"a" 1}`, "p:1:6: no colon after the key"},
		{"open", "{\n" + ok, "p:2:33: the text ends inside the object that opens at line 1"},
		{"open key", `{"a":1,`, "p:1:8: the text ends where a key should stand"},
		{"open value", `{"a":`, "p:1:6: the text ends where a value should stand"},
		{"open string", `{"a`, "p:1:2: a string without an end"},
		{"control", "{\"a\n\":1}", "p:1:4: control character 0x0a in a string"},
		{"escape", `{"\x":1}`, "p:1:3: unknown escape in a string"},
		{"short escape", `{"\u12`, "p:1:3: unknown escape in a string"},
		{"word", `{"a":nul}`, "p:1:6: 'n' where a value should stand"},
		{"zero", `{"a":01}`, "p:1:6: a number with a leading zero"},
		{"minus", `{"a":-}`, "p:1:6: an incomplete number"},
		{"point", `{"a":1.}`, "p:1:6: an incomplete number"},
		{"exponent", `{"a":1e+}`, "p:1:6: an incomplete number"},
		{"deep", deep, "p:1:257: more than 256 levels of nesting"},
		{"long", "{" + strings.Repeat(" ", maxInput) + "}", "p:1:1: more than 1048576 bytes, which is the limit for a profile"},
		{"elf", "\x7fELF\x02\x01", "p:1:1: is an ELF binary, not a profile"},
		{"long elf", "\x7fELF" + strings.Repeat("\x00", maxInput), "p:1:1: is an ELF binary, not a profile"},
		{"yaml", "# a profile\n---\ndefaultAction: SCMP_ACT_ERRNO\n", "p:3:1: no profile: a profile of Docker's or the OCI's in YAML, which they read as JSON only"},
		{"yaml list", "\nsyscalls:\n- names: [read]\n", "p:2:1: no profile: YAML of no known format"},
		{"prose", "hello world\n", "p:1:1: 'h' where a value should stand"},
		{"bare key", `{a: 1}`, "p:1:2: 'a' where a key should stand"},

		{"process", `{"process":[],"linux":{}}`, "p:1:12: process: want an object, found an array"},
		{"no new privs", `{"process":{"noNewPrivileges":"yes"}}`, "p:1:31: process.noNewPrivileges: want a boolean, found a string"},
		{"capabilities", `{"process":{"capabilities":["CAP_KILL"]}}`, "p:1:28: process.capabilities: want an object, found an array"},
		{"bounding", `{"process":{"capabilities":{"bounding":["CAP_KILL",1]}}}`, "p:1:52: process.capabilities.bounding[1]: want a string, found a number"},

		{"no default", `{"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`, "p:1:1: no defaultAction, although there are rules"},
		{"default", `{"defaultAction":"SCMP_ACT_ALOW"}`, `p:1:18: defaultAction: unknown action "SCMP_ACT_ALOW"; did you mean SCMP_ACT_ALLOW?`},
		{"default type", `{"defaultAction":5}`, "p:1:18: defaultAction: want a string, found a number"},
		{"default errno", `{` + ok + `,"defaultErrnoRet":"EPERM"}`, "p:1:53: defaultErrnoRet: want a number, found a string"},
		{"rules type", `{` + ok + `,"syscalls":{}}`, "p:1:46: syscalls: want an array, found an object"},
		{"flag", `{` + ok + `,"flags":["SECCOMP_FILTER_FLAG_LGO"]}`, `p:1:44: flags[0]: unknown flag "SECCOMP_FILTER_FLAG_LGO"; did you mean SECCOMP_FILTER_FLAG_LOG?`},
		{"arch", `{` + ok + `,"architectures":["SCMP_ARCH_X86_46"]}`, `p:1:52: architectures[0]: unknown architecture "SCMP_ARCH_X86_46"; did you mean SCMP_ARCH_X86_64?`},
		{"go arch", `{` + ok + `,"architectures":["arm64"]}`, `p:1:52: architectures[0]: unknown architecture "arm64"; did you mean SCMP_ARCH_AARCH64?`},
		{"arch type", `{` + ok + `,"architectures":"SCMP_ARCH_X86"}`, "p:1:51: architectures: want an array, found a string"},
		{"arch forms", "\n{" + ok + `,"architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_ARM"}]}`, "p:2:1: both architectures and archMap: only one of them may be given"},
		{"map arch", `{` + ok + `,"archMap":[{"architecture":"X"}]}`, `p:1:62: archMap[0].architecture: unknown architecture "X"`},

		{"null rule", rule("null"), "p:2:1: syscalls[1]: want an object, found null"},
		{"no action", rule(`{"names":["read"]}`), "p:2:1: syscalls[1]: no action"},
		{"action", rule(`{"names":["read"],"action":"ALLOW"}`), `p:2:28: syscalls[1].action: unknown action "ALLOW"; did you mean SCMP_ACT_ALLOW?`},
		{"action case", rule(`{"names":["read"],"action":"scmp_act_allow"}`), `p:2:28: syscalls[1].action: unknown action "scmp_act_allow"; did you mean SCMP_ACT_ALLOW?`},
		{"name forms", rule(`{"names":["read"],"name":"write","action":"SCMP_ACT_ALLOW"}`), "p:2:26: syscalls[1]: both name and names: only one of them may be given"},
		{"names type", rule(`{"names":"read","action":"SCMP_ACT_ALLOW"}`), "p:2:10: syscalls[1].names: want an array, found a string"},
		{"name type", rule(`{"names":["read",5],"action":"SCMP_ACT_ALLOW"}`), "p:2:18: syscalls[1].names[1]: want a string, found a number"},
		{"empty name", rule(`{"names":["read",""],"action":"SCMP_ACT_ALLOW"}`), "p:2:18: syscalls[1].names[1]: empty syscall name"},
		{"errno", rule(`{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":-1}`), "p:2:56: syscalls[1].errnoRet: negative number -1"},
		{"large errno", rule(`{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":4294967296}`), "p:2:56: syscalls[1].errnoRet: number 4294967296 > 4294967295"},
		{"includes", rule(`{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":[]}`), "p:2:56: syscalls[1].includes: want an object, found an array"},
		{"caps", rule(`{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"caps":"CAP_KILL"}}`), "p:2:64: syscalls[1].includes.caps: want an array, found a string"},
		{"kernel", rule(`{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8.1"}}`), `p:2:69: syscalls[1].includes.minKernel: kernel "4.8.1": want two numbers like 4.8`},
		{"kernel range", rule(`{"names":["read"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":"4.256"}}`), `p:2:69: syscalls[1].excludes.minKernel: kernel "4.256": want two numbers like 4.8`},
		{"kernel zero", rule(`{"names":["read"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":"0.0"}}`), `p:2:69: syscalls[1].excludes.minKernel: kernel "0.0": want two numbers like 4.8`},

		{"arg null", arg("null"), "p:2:54: syscalls[1].args[0]: want an object, found null"},
		{"index", arg(`{"index":7,"op":"SCMP_CMP_EQ"}`), "p:2:63: syscalls[1].args[0]: index 7 > 5"},
		{"no op", arg(`{"index":1}`), "p:2:54: syscalls[1].args[0]: no op"},
		{"op", arg(`{"index":1,"op":"SCMP_CMP_EQU"}`), `p:2:70: syscalls[1].args[0].op: unknown operator "SCMP_CMP_EQU"; did you mean SCMP_CMP_EQ?`},
		{"short op", arg(`{"index":1,"op":"eq"}`), `p:2:70: syscalls[1].args[0].op: unknown operator "eq"; did you mean SCMP_CMP_EQ?`},
		{"value text", arg(`{"index":1,"op":"SCMP_CMP_EQ","value":"5"}`), "p:2:92: syscalls[1].args[0].value: want a number, found a string"},
		{"value minus", arg(`{"index":1,"op":"SCMP_CMP_EQ","value":-5}`), "p:2:92: syscalls[1].args[0].value: negative number -5"},
		{"value point", arg(`{"index":1,"op":"SCMP_CMP_EQ","value":5.0}`), "p:2:92: syscalls[1].args[0].value: 5.0 is not written as a whole number"},
		{"value large", arg(`{"index":1,"op":"SCMP_CMP_EQ","value":18446744073709551616}`), "p:2:92: syscalls[1].args[0].value: number 18446744073709551616 > 18446744073709551615"},
		{"config", `{"ociVersion":"1.0","linux":{"seccomp":{"defaultAction":"x"}}}`, `p:1:57: linux.seccomp.defaultAction: unknown action "x"`},
		{"config type", `{"ociVersion":"1.0","linux":[]}`, "p:1:29: linux: want an object, found an array"},
		{"seccomp type", `{"linux":{"seccomp":"unconfined"}}`, "p:1:21: linux.seccomp: want an object, found a string"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse("p", []byte(c.data))
			if err == nil {
				t.Fatalf("accepted: %+v", p)
			}
			if got := err.Error(); got != "profile "+c.want {
				t.Errorf("\ngot  %s\nwant profile %s", got, c.want)
			}
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Pos.Line == 0 || strings.Contains(err.Error(), "\n") {
				t.Errorf("not a *ParseError with a place in one line: %#v", err)
			}
		})
	}
}

// The twins of the bad texts: what looks odd and loads all the same.
func TestOddInput(t *testing.T) {
	cases := []struct {
		name, data string
		kinds      string
	}{
		{"object", "{}", ""},
		{"null", " null\n", ""},
		{"nulls", `{"defaultAction":null,"syscalls":null,"archMap":null,"flags":null,"architectures":null,"defaultErrnoRet":null}`, ""},
		{"null fields", rule(`{"names":["read"],"name":null,"action":"SCMP_ACT_ALLOW","args":null,"includes":null,"excludes":null,"errnoRet":null,"comment":null}`), ""},
		{"old form", rule(`{"name":"read","action":"SCMP_ACT_ALLOW"}`), ""},
		{"empty forms", `{` + ok + `,"architectures":[],"archMap":[{"architecture":"SCMP_ARCH_ARM"}]}`, ""},
		{"empty name", rule(`{"names":["read"],"name":"","action":"SCMP_ACT_ALLOW"}`), ""},
		{"kernel", rule(`{"names":["read"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":""}}`), ""},
		{"case", `{"DEFAULTACTION":"SCMP_ACT_ALLOW"}`, "field-case"},
		{"twice", `{` + ok + `,` + ok + `}`, "duplicate-key"},
		{"twice by case", `{` + ok + `,"defaultaction":"SCMP_ACT_LOG"}`, "field-case duplicate-key"},
		{"unknown twice", `{"a":1,"a":2}`, "unknown-field unknown-field duplicate-key"},
		{"no names", rule(`{"names":[],"action":"SCMP_ACT_ALLOW"}`), "empty-names"},
		{"errno range", rule(`{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":4096}`), "errno-range"},
		{"errno zero", rule(`{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":0}`), "errno-zero"},
		{"errno unused", rule(`{"names":["read"],"action":"SCMP_ACT_ALLOW","errnoRet":1}`), "errno-unused"},
		{"trace data", rule(`{"names":["read"],"action":"SCMP_ACT_TRACE","errnoRet":9999}`), ""},
		{"trace range", rule(`{"names":["read"],"action":"SCMP_ACT_TRACE","errnoRet":65537}`), "errno-range"},
		{"errno cut to zero", rule(`{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":65536}`), "errno-range"},
		{"errno limit", rule(`{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":4095}`), ""},
		{"default errno range", `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":5000}`, "errno-range"},
		{"podman", `{` + ok + `,"defaultErrno":"ENOSYS"}`, ""},
		{"podman with a number", `{` + ok + `,"defaultErrno":38}`, "ignored-field"},
		{"config", `{"ociVersion":"1.0.2","process":{"args":[]}}`, ""},
		{"config null", `{"ociVersion":"1.0.2","linux":{"seccomp":null}}`, ""},
		{"oci with docker's", `{"linux":{"seccomp":{` + ok + `,"archMap":5,"syscalls":[{"name":"read","names":["write"],"action":"SCMP_ACT_LOG"}]}}}`, "ignored-field ignored-field"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse("p", []byte(c.data))
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, q := range p.Problems {
				kinds = append(kinds, string(q.Kind))
			}
			if got := strings.Join(kinds, " "); got != c.kinds {
				t.Errorf("problems %q, want %q", got, c.kinds)
			}
		})
	}
}

// The last of two equal keys counts, as in encoding/json.
func TestDuplicateKeyLastWins(t *testing.T) {
	p, err := Parse("p", []byte(`{"defaultAction":"SCMP_ACT_LOG","defaultaction":"SCMP_ACT_TRAP"}`))
	if err != nil || p.DefaultAction != "SCMP_ACT_TRAP" {
		t.Errorf("%q, %v", p.DefaultAction, err)
	}
}

func TestFormats(t *testing.T) {
	alone := `{` + ok + `,"syscalls":[{"name":"read","action":"SCMP_ACT_ALLOW"}]}`
	inside := `{"linux":{"seccomp":` + alone + `}}`
	for _, c := range []struct{ data, force, want, names string }{
		{alone, "", Docker, "read"},
		{alone, OCI, OCI, ""},
		{inside, "", OCI, ""},
		{inside, Docker, Docker, "read"},
	} {
		p, err := ParseAs("p", []byte(c.data), c.force)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, n := range p.Rules[0].Names {
			got += n.Text
		}
		if p.Format != c.want || got != c.names {
			t.Errorf("%q forced %q: format %s, names %q", c.data, c.force, p.Format, got)
		}
	}
	if _, err := ParseAs("p", []byte("{}"), "yaml"); err == nil || !strings.Contains(err.Error(), `unknown format "yaml"`) {
		t.Errorf("unknown format: %v", err)
	}
}

// A list of problems ends after maxProblems and says so; the rules themselves are all kept.
func TestManyProblems(t *testing.T) {
	var b strings.Builder
	const n = 3000
	for i := range n {
		fmt.Fprintf(&b, ",%q", fmt.Sprint("nosuch", i))
	}
	p, err := Parse("p", []byte(rule(`{"action":"SCMP_ACT_ALLOW","names":["read"`+b.String()+`]}`)))
	if err != nil {
		t.Fatal(err)
	}
	last := p.Problems[len(p.Problems)-1]
	if len(p.Problems) != maxProblems+1 || last.Kind != MoreProblems || !strings.Contains(last.Text, "2000") {
		t.Errorf("%d problems, the last %v", len(p.Problems), last)
	}
	if got := len(p.Rules[1].Names); got != n+1 {
		t.Errorf("%d names, want %d", got, n+1)
	}
}

func TestOpen(t *testing.T) {
	for _, b := range Builtins() {
		p, err := Open(b.Name)
		if err != nil || len(p.Rules) == 0 || len(p.Problems) > 0 || b.Title == "" || b.Origin == "" {
			t.Errorf("%+v: %v %v", b, p, err)
		}
		if b.Licence != "" && !strings.Contains(b.LicenceText(), "Apache License") {
			t.Errorf("%s: no licence text", b.Name)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"docker-defualt", "profile docker-defualt: no such built-in; did you mean docker-default? (a file is given as ./docker-defualt)"},
		{"q", "profile q: no such built-in (a file is given as ./q)"},
		{"./testdata", "profile ./testdata: is a directory"},
		{"./missing.json", "profile ./missing.json: no such file or directory"},
	} {
		if _, err := Open(c.name); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
