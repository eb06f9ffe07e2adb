package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func samples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	return files
}

func decodeFile(t *testing.T, name string) Document {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

func render(t *testing.T, format string, d Document, o Options) string {
	t.Helper()
	f, err := LookupFormat(format)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out, d, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The texts of the samples, as they are by default and with --verbose.
func TestText(t *testing.T) {
	for _, name := range samples(t) {
		for suffix, o := range map[string]Options{".txt": {}, ".verbose.txt": {Verbose: true}} {
			golden := strings.TrimSuffix(name, ".json") + suffix
			got := render(t, "text", decodeFile(t, name), o)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s:\n%s\nwant:\n%s", golden, got, want)
			}
		}
	}
}

// What a document says survives its own JSON, byte for byte.
func TestSavedDocumentGivesTheSameText(t *testing.T) {
	for _, name := range samples(t) {
		d := decodeFile(t, name)
		saved := render(t, "json", d, Options{})
		again, err := Decode(strings.NewReader(saved))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, o := range []Options{{}, {Color: true}, {Verbose: true}} {
			if render(t, "text", d, o) != render(t, "text", again, o) {
				t.Errorf("%s: another text after a round trip with %+v", name, o)
			}
		}
		if render(t, "json", again, Options{}) != saved {
			t.Errorf("%s: another JSON after a round trip", name)
		}
	}
}

// Colours mark words and change nothing else.
func TestColour(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	marked := 0
	for _, name := range samples(t) {
		d := decodeFile(t, name)
		color := render(t, "text", d, Options{Color: true})
		text := render(t, "text", d, Options{})
		if escapes.ReplaceAllString(color, "") != text {
			t.Errorf("%s: colours change the text", name)
		}
		if strings.Contains(text, "\x1b") {
			t.Errorf("%s: an escape sequence without colours", name)
		}
		if color != text {
			marked++
		}
	}
	if marked == 0 {
		t.Error("no colours at all")
	}
}

func TestEveryKindHasASample(t *testing.T) {
	seen := make(map[string]bool)
	for _, name := range samples(t) {
		seen[Kind(decodeFile(t, name))] = true
	}
	for _, k := range kinds {
		if kind := k.fresh().kind(); !seen[kind] {
			t.Errorf("%s: no sample in testdata", kind)
		}
	}
}

// Names in a hostile binary must not reach the terminal.
func TestControlCharactersAreShown(t *testing.T) {
	for in, want := range map[string]string{
		"plain":         "plain",
		"a\x1b[2Jb":     `a\x1b[2Jb`,
		"line\nbreak":   `line\x0abreak`,
		"\xff\u202e":    `\xff\u202e`,
		"żółć 漢":        "żółć 漢",
		"\u0085":        `\x85`,
		"\ufffd is one": "\ufffd is one",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	d := &Why{Version: 1, Binary: "x\x1b]0;title\x07", Arch: "x86_64", Complete: true}
	if text := render(t, "text", d, Options{}); strings.ContainsAny(text, "\x1b\x07") {
		t.Errorf("%q", text)
	}
}

func TestDecodeRefuses(t *testing.T) {
	check := func(verdict, rest string) string {
		return `{"version":1,"binaries":[{"path":"p","arch":"x","kind":"go"}],"profile":{"name":"p"},"target":{"runtime":"docker"},"verdict":"` + verdict + `"` + rest + `}`
	}
	for _, c := range []struct{ in, want string }{
		{check("ok", ""), ""},
		{`{"version":1,"findings":[],"later":{"field":1}}`, ""},
		{``, "1:1: unexpected end of JSON input"},
		{`[]`, "1:1: the document is a JSON array, want an object"},
		{"{\n \"version\": 1,\n  oops}", "3:3: invalid character 'o' looking for beginning of object key string"},
		{`{"version":1,"findings":[]} {}`, "1:29: invalid character '{' after top-level value"},
		{`{}`, "not a report of profcheck"},
		{`{"findings":[]}`, "not a report of profcheck of version 1"},
		{`{"version":2,"findings":[]}`, "not a report of profcheck of version 1"},
		{`{"version":"1","findings":[]}`, "not a report of profcheck of version 1"},
		{`{"version":1,"findings":[7]}`, "findings is a JSON number, want an object"},
		{check("fine", ""), `verdict: unknown word "fine", want one of [ok denied unknown]`},
		{check("ok", `,"syscalls":[{"outcome":"maybe"}]`), `syscalls[0].outcome: unknown word "maybe"`},
		{check("ok", `,"findings":[{"severity":"bad"}]`), `findings[0].severity: unknown word "bad"`},
		{`{"version":1,"verdict":"ok","binaries":[]}`, "profile, target and binaries are needed"},
		{`{"version":1,"binaries":[{"path":"p","arch":"x","kind":"pe"}]}`, `binaries[0].kind: unknown word "pe"`},
		{`{"version":1,"binaries":[{"path":"p","arch":"x","kind":"go","syscalls":[{"class":"x"}]}]}`, `binaries[0].syscalls[0].class: unknown word "x"`},
		{`{"version":1,"binaries":[{"path":"p","arch":"x","kind":"go","gaps":[{"kind":"x"}]}]}`, `binaries[0].gaps[0].kind: unknown word "x"`},
		{`{"version":1,"binaries":[{"kind":"go"}]}`, "binaries[0]: path and arch are needed"},
		{`{"version":1,"binaries":[{"path":"p","arch":"x","kind":"go","syscalls":[{"class":"required","args":[{"index":6}]}]}]}`, "binaries[0].syscalls[0].args[0].index: 6 is not 0 to 5"},
		{`{"version":1,"binaries":[{"path":"p","arch":"x","kind":"go","syscalls":[{"class":"required","args":[{"index":5,"values":["40"]}]}]}]}`, `"40" is not a 64-bit hex value such as 0x28`},
		{`{"version":1,"findings":[{"check":"PC1","severity":"info","message":"m","witness":{"args":["0x1"]}}]}`, "findings[0].witness.args: 1 values, want 6"},
		{`{"version":1,"findings":[],"errors":[{"file":"f","message":"m"}]}`, ""},
		{`{"version":1,"findings":[],"errors":[{"file":"f"}]}`, "errors[0]: file and message are needed"},
		{`{"version":1,"findings":[],"errors":[{"message":"m"}]}`, "errors[0]: file and message are needed"},
		{`{"version":1,"findings":[{"severity":"info"}]}`, "findings[0]: check and message are needed"},
		{`{"version":1,"syscall":"x","action":"ALLOW","arch":"x"}`, "args: 0 values, want 6"},
		{`{"version":1,"why":{},"binary":"b","arch":"x","needed":true}`, "needed and need contradict each other"},
		{`{"version":1,"arches":[{"arch":"x","syscalls":[{"name":"read"}]}]}`, "arches[0].syscalls[0].regions is empty"},
		{`{"version":1,"arches":[],"compared":[{"name":"x"}],"differences":[{"answers":[]}]}`, "differences[0].answers: 0, want 1"},
		{`{"version":1,"arches":[],"compared":[{"name":"x"}],"differences":[{"answers":[{"column":"x"}]}]}`, "differences[0].answers[0].regions is empty"},
		{`{"version":1,"relation":"same","changes":[]}`, `relation: unknown word "same"`},
		{`{"version":1,"relation":"looser","changes":[{"direction":"up"}]}`, `changes[0].direction: unknown word "up"`},
		{`{"version":1,"relation":"looser","changes":[{"direction":"looser"}]}`, "changes[0].witness with six args is needed"},
		{`{"version":1,"verified":[{"name":"x"}]}`, "verified[0]: errno is needed for what is not accepted"},
		{`{"version":1,"mismatches":[{"line":1}]}`, "mismatches[0].args: 0 values, want 6"},
		{`{"version":1,"passed":1,"files":[{}]}`, "files[0].file is needed"},
		{`{"version":1,"passed":1,"files":[{"file":"f","failures":[{}]}]}`, "files[0].failures[0].cases is empty"},
		{`{"version":1,"passed":1,"files":[{"file":"f","failures":[{"cases":[{}]}]}]}`, "files[0].failures[0].cases[0].witness.args: 0 values, want 6"},
		{`{"version":1,"passed":1,"files":[{"file":"f","failures":[{"cases":[{"witness":{"args":["0x0","0x0","0x0","0x0","0x0","0x0"]},"action":"X"}]}]}]}`, `files[0].failures[0].cases[0].action: unknown word "X"`},
		{`{"version":1,"passed":1,"files":[{"file":"f","failures":[{"cases":[{"witness":{"args":["0x0","0x0","0x0","0x0","0x0","0x0"]},"action":"LOG","shown":1}]}]}]}`, "files[0].failures[0].cases[0].shown: 1 of 0 steps"},
	} {
		_, err := Decode(strings.NewReader(c.in))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.in, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s:\n%v, want %s", c.in, err, c.want)
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: more than one line: %q", c.in, err)
		}
	}
	if _, err := Decode(strings.NewReader(`{}`)); !errors.Is(err, ErrNotReport) {
		t.Errorf("%v does not wrap ErrNotReport", err)
	}
}

func TestHex(t *testing.T) {
	for _, c := range []struct {
		in string
		ok bool
		v  Hex
	}{
		{"0x0", true, 0}, {"0x28", true, 40}, {"0xffffffffffffffff", true, 1<<64 - 1}, {"0xAb", true, 0xab},
		{"0x", false, 0}, {"28", false, 0}, {"0x1_0", false, 0}, {"0x+1", false, 0}, {"0x10000000000000000", false, 0}, {"0xg", false, 0},
	} {
		var h Hex
		err := h.UnmarshalText([]byte(c.in))
		if (err == nil) != c.ok || h != c.v {
			t.Errorf("%q: %v, %v", c.in, h, err)
		}
		if again, _ := h.MarshalText(); c.ok && strings.ToLower(c.in) != string(again) {
			t.Errorf("%q comes back as %q", c.in, again)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, f := range Formats() {
		if f.Name == "" || f.Title == "" || f.Write == nil {
			t.Errorf("%+v: incomplete", f)
		}
	}
	if _, err := LookupFormat("xml"); err == nil || !strings.Contains(err.Error(), "text, json") {
		t.Errorf("an unknown format: %v", err)
	}
	files, err := filepath.Glob("format_*.go")
	if err != nil || len(files)+1 != len(formats) { // text is in text.go
		t.Errorf("%d formats, and the files %v", len(formats), files)
	}
}

// FuzzDecode: whatever Decode accepts can be rendered in every format, and read back.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, o := range []Options{{}, {Verbose: true, Color: true}} {
			render(t, "text", d, o)
		}
		if _, err := Decode(strings.NewReader(render(t, "json", d, Options{}))); err != nil {
			t.Errorf("its own JSON: %v", err)
		}
	})
}

// The caller is the innermost function that does more than carry a call to the kernel.
func TestCaller(t *testing.T) {
	program, lib := Frame{Function: "main"}, Frame{Function: "wants", Module: "libwants.so.1"}
	carrier := Frame{Function: "syscall", Module: "libc.so.6"}
	for _, c := range []struct {
		frames []Frame
		want   string
	}{
		{nil, ""}, {[]Frame{program}, "main"}, {[]Frame{program, lib, carrier}, "wants of libwants.so.1"},
		{[]Frame{program, carrier, carrier}, "main"}, {[]Frame{carrier}, "syscall of libc.so.6"},
	} {
		if got := Caller(c.frames); got != c.want {
			t.Errorf("%v: %q, want %q", c.frames, got, c.want)
		}
	}
}

func TestQuoted(t *testing.T) {
	for word, want := range map[string]string{
		"": "''", "/usr/bin/x-1.2": "/usr/bin/x-1.2", "my prog": "'my prog'", "it's": "'it'\\''s'", "$(x)": "'$(x)'", "~": "'~'",
	} {
		if got := Quoted(word); got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}
