package config

import (
	"strings"
	"testing"
)

const (
	printA = "0123456789abcdef0123456789abcdef"
	printB = "fedcba9876543210fedcba9876543210"
)

func TestBaseline(t *testing.T) {
	list := []Known{
		{printB, "b.json", "PC714", "bpf is open"},
		{printA + ":2", "a.json", "PC714", "again"},
		{printA, "a.json", "PC714", "with a\ttab\nand a line"},
		{printA, "a.json", "PC714", "another text"},
		{printA, "", "PC615", "nowhere"},
		{printA, "x\ty", "PC801", "m"},
	}
	text := FormatBaseline(list)
	want := baselineHead + "\n# Findings that were there before; --baseline leaves them out. Fingerprint, check, path, message.\n" +
		printA + "\tPC615\t\tnowhere\n" +
		printA + ":2\tPC714\ta.json\tagain\n" +
		printA + "\tPC714\ta.json\tanother text\n" +
		printB + "\tPC714\tb.json\tbpf is open\n" +
		printA + "\tPC801\tx y\tm\n"
	if string(text) != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	list[0], list[5] = list[5], list[0]
	if string(FormatBaseline(list)) != want {
		t.Error("the order of the findings shows")
	}
	for _, data := range []string{want, strings.ReplaceAll(want, "\n", "\r\n"), "\ufeff" + want} {
		b, err := ParseBaseline("b", []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range list {
			if k.Path != "b.json" && !b.Has(k) {
				t.Errorf("not there: %+v", k)
			}
		}
		if b.Has(Known{Fingerprint: printB, Path: "a.json"}) || b.Has(Known{Fingerprint: printA, Path: "b.json"}) {
			t.Error("path and fingerprint of two findings are taken for a third")
		}
		if gone := b.Gone(func(path string) bool { return path == "b.json" }); len(gone) != 1 || gone[0] != (Known{printB, "b.json", "PC714", "bpf is open"}) {
			t.Errorf("gone: %+v", gone)
		}
		if gone := b.Gone(func(string) bool { return false }); len(gone) != 0 {
			t.Errorf("gone, of what was not judged: %+v", gone)
		}
	}
}

func TestBaselineRefuses(t *testing.T) {
	head := baselineHead + "\n"
	for text, want := range map[string]string{
		"":                                  "b: the file is empty",
		"{}\n":                              `b:1:1: not a baseline: want the line "# profcheck baseline 1"`,
		baselineHead + "0\n":                `b:1:1: not a baseline: want the line "# profcheck baseline 1"`,
		head + "\n\nx\n":                    "b:4:1: want fingerprint, check, path and message with tabs between them",
		head + "x\ta\tb\tc\n":               `b:2:1: "x" is no fingerprint`,
		head + printA + "\ta\tb":            "b:2:1: want fingerprint, check, path and message with tabs between them",
		head + printA + ":\ta\tb\tc":        `b:2:1: "` + printA + `:" is no fingerprint`,
		head + strings.Repeat("\x00", 1000): "b:2:1: want fingerprint, check, path and message with tabs between them",
	} {
		if b, err := ParseBaseline("b", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%.60q: %+v, %v", text, b, err)
		}
	}
	if b, err := ParseBaseline("b", []byte(head)); err != nil || len(b.known) != 0 {
		t.Errorf("no findings: %+v, %v", b, err)
	}
	if _, err := ParseBaseline("b", make([]byte, MaxBaseline+1)); err == nil || err.Error() != "b: larger than 67108864 bytes" {
		t.Errorf("large: %v", err)
	}
}
