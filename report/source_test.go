package report

import (
	"reflect"
	"strings"
	"testing"
)

func TestSource(t *testing.T) {
	long := strings.Repeat("a ", 500) + `"ptrace" ` + strings.Repeat("b ", 500)
	text := "{\r\n\t\"names\": [\"raed\", 12],\n\xff\u4e2d x\n\n" + long + "\nlast\"open"
	lines := NewLines([]byte(text))
	for _, c := range []struct {
		line, column int
		want         *Source
	}{
		{1, 1, &Source{Text: "{", Column: 1, Length: 1}},
		{1, 0, &Source{Text: "{"}},
		{1, 2, &Source{Text: "{", Column: 2}},
		{1, 4, nil}, {0, 1, nil}, {7, 1, nil}, {1, -1, nil},
		{2, 12, &Source{Text: "\t\"names\": [\"raed\", 12],", Column: 12, Length: 6}},
		{2, 20, &Source{Text: "\t\"names\": [\"raed\", 12],", Column: 20, Length: 2}},
		{3, 1, &Source{Text: "\ufffd\u4e2d x", Column: 1, Length: 1}},
		{3, 2, &Source{Text: "\ufffd\u4e2d x", Column: 2, Length: 1}},
		{3, 3, &Source{Text: "\ufffd\u4e2d x", Column: 2, Length: 1}}, // in the middle of a character
		{3, 6, &Source{Text: "\ufffd\u4e2d x", Column: 4, Length: 1}},
		{4, 1, &Source{Text: "", Column: 1}},
		{5, 1001, &Source{Text: long[960:1080], Column: 41, Length: 8, Before: 960, After: len(long) - 1080}},
		{5, 1, &Source{Text: long[:120], Column: 1, Length: 1, After: len(long) - 120}},
		{5, len(long), &Source{Text: long[len(long)-120:], Column: 120, Length: 1, Before: len(long) - 120}},
		{6, 5, &Source{Text: `last"open`, Column: 5, Length: 1}}, // a string that does not end
	} {
		got := lines.Source(c.line, c.column)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d:%d: %+v, want %+v", c.line, c.column, got, c.want)
		}
		if got != nil {
			if err := got.check("source"); err != nil {
				t.Error(err)
			}
		}
	}
	if NewLines(nil).Source(1, 1) != nil || NewLines([]byte{}).Source(1, 1) == nil {
		t.Error("an empty text has a line, and no text has none")
	}
}

// The mark stands below the word, whatever is before it.
func TestCaret(t *testing.T) {
	for _, c := range []struct {
		source Source
		want   string
	}{
		{Source{Text: "\t\"a\", \"bc\"", Column: 7, Length: 4}, "    12 | \t\"a\", \"bc\"\n       | \t     ^~~~\n"},
		{Source{Text: "\u4e2d\u0301x", Column: 3, Length: 1}, "    12 | \u4e2d\u0301x\n       |   ^\n"},
		{Source{Text: "\x1b[2Jx", Column: 5, Length: 1}, "    12 | \\x1b[2Jx\n       |        ^\n"},
		{Source{Text: "abc", Column: 2, Length: 1, Before: 7, After: 1}, "    12 | ...abc...\n       |     ^\n"},
		{Source{Text: "\"\u4e2d\"", Column: 1, Length: 3}, "    12 | \"\u4e2d\"\n       | ^~~~\n"},
		{Source{Text: "abc", Column: 4}, "    12 | abc\n       |    ^\n"},
		{Source{Text: "abc"}, "    12 | abc\n"},
		{Source{}, "    12 |\n"},
	} {
		p := &printer{}
		p.source(&Position{File: "f", Line: 12, Column: 9, Source: &c.source}, red)
		if got := p.out.String(); got != c.want {
			t.Errorf("%+v:\n%s\nwant:\n%s", c.source, got, c.want)
		}
	}
	p := &printer{}
	p.source(nil, red)
	p.source(&Position{File: "f", Line: 1}, red)
	if p.out.Len() > 0 {
		t.Errorf("a line from nowhere: %q", p.out.String())
	}
}

func TestDecodeRefusesSources(t *testing.T) {
	for text, want := range map[string]string{
		`{"text":"abc","column":4}`:                   "",
		`{"text":"abc","column":5}`:                   "findings[0].position.source.column: 5 of 3",
		`{"text":"abc","column":-1}`:                  "findings[0].position.source.column: -1 of 3",
		`{"text":"abc","column":2,"length":3}`:        "findings[0].position.source.length: 3 at 2 of 3",
		`{"text":"abc","column":1,"before":-1}`:       "findings[0].position.source: before and after are counts",
		`{"text":"a","column":1,"before":9999999999}`: "findings[0].position.source: before and after are counts",
	} {
		doc := `{"version":1,"findings":[{"check":"PC1","severity":"info","message":"m","position":{"file":"f","line":1,"column":1,"source":` + text + `}}]}`
		_, err := Decode(strings.NewReader(doc))
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		`"findings":[],"failOn":"warning"`:                                                      "",
		`"findings":[],"failOn":"sure"`:                                                         `failOn: unknown word "sure", want one of [error warning info never]`,
		`"findings":[{"check":"PC1","severity":"info","message":"m","profile":1}]`:              "findings[0].profile: 1 of 0",
		`"findings":[{"check":"PC1","severity":"info","message":"m","suppressed":{"by":"me"}}]`: `findings[0].suppressed.by: unknown word "me", want one of [comment config baseline]`,
	} {
		_, err := Decode(strings.NewReader(`{"version":1,` + text + `}`))
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
