package profile

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const spoHead = "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nmetadata: {name: x}\n"

// hostileYAML is read, or refused with its place.
var hostileYAML = []struct{ name, text, want string }{
	{"plain", spoHead + "spec: {defaultAction: SCMP_ACT_LOG}\n", ""},
	{"line ends", strings.ReplaceAll(spoHead+"spec:\n  defaultAction: SCMP_ACT_LOG\n", "\n", "\r\n"), ""},
	{"mark", "\xef\xbb\xbf" + spoHead + "spec:\n  defaultAction: SCMP_ACT_LOG\n", ""},
	{"comments", "# a\n\n" + spoHead + "spec: # b\n  defaultAction: SCMP_ACT_LOG # c\n# d", ""},
	{"directive", "%YAML 1.1\n---\n" + spoHead + "spec: {defaultAction: SCMP_ACT_LOG}\n...\n", ""},
	{"JSON in YAML", "---\n{\"apiVersion\": \"security-profiles-operator.x-k8s.io/v1\", \"kind\": \"SeccompProfile\",\n \"spec\": {\"defaultAction\": \"SCMP_ACT_LOG\"}}", ""},
	{"quoted keys", "\"apiVersion\": security-profiles-operator.x-k8s.io/v1\n'kind': SeccompProfile\nspec: {defaultAction: SCMP_ACT_LOG}", ""},
	{"16-bit characters", "\xff\xfea\x00:\x00", "p:1:1: UTF-16: want UTF-8"},
	{"NUL", spoHead + "spec: \x00\n", "p:4:7: a NUL byte"},
	{"tab", spoHead + "spec:\n\tdefaultAction: SCMP_ACT_LOG\n", "p:5:1: no YAML: found character that cannot start any token"},
	{"tab behind blanks", spoHead + "spec:\n  \tdefaultAction: SCMP_ACT_LOG\n", "p:5:3: no YAML: found character that cannot start any token"},
	{"control character", spoHead + "spec: \x01\n", "p:4:7: the control character 0x01"},
	{"bad characters", spoHead + "spec: \xc3\x28\n", "p:4:7: the byte 0xc3, which is no UTF-8"},
	{"open list", spoHead + "spec: [\n", "p:4:1: no YAML: did not find expected node content"},
	{"two colons", spoHead + "spec: a: b\n", "p:4:1: no YAML: mapping values are not allowed in this context"},
	{"second document", spoHead + "spec: {defaultAction: SCMP_ACT_LOG}\n---\na: [\n", "p:6:1: no YAML: did not find expected node content"},
	{"unknown alias", spoHead + "spec: *nothing\n", "p:1:1: no YAML: unknown anchor 'nothing' referenced"},
	{"alias in itself", spoHead + "spec: &a [*a]\n", "p:4:11: the alias *a stands in what it stands for"},
	{"key that is a list", spoHead + "? [a, b]\n: c\nspec: {}\n", "p:4:3: a key that is no word"},
	{"unknown tag", spoHead + "spec: !foo {defaultAction: !bar SCMP_ACT_LOG}\n", ""},
	{"bomb", spoHead + bomb(9, 9) + "spec: *l8\n", fmt.Sprintf("p:4:10: more than %d values with the aliases written out", maxNodes)},
	{"deep", spoHead + "spec: " + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "\n", "p:4:263: more than 256 levels of nesting"},
	{"very deep", spoHead + "spec: " + strings.Repeat("[", 20000) + "\n", "p:4:1: no YAML: exceeded max depth of 10000"},
	{"template", spoHead + "spec:\n  {{ .Values.spec }}\n", "p:5:4: a key that is no word (it looks like a template: render it first)"},
	{"template first", "{{- if .Values.x }}\n" + spoHead, "p:1:2: '{' where a key should stand (it looks like a template: render it first)"},
	{"merge of a word", spoHead + "spec: {<<: a, defaultAction: SCMP_ACT_LOG}\n", ""},
	{"infinity", spoHead + "spec: {defaultAction: .inf}\n", "p:4:23: spec.defaultAction: want a string, found a number"},
	{"only comments", "# a\n---\n# b\n", "p:1:1: empty input: not even an empty object"},
}

// bomb doubles a list many times over.
func bomb(levels, width int) string {
	var b strings.Builder
	b.WriteString("l0: &l0 [a]\n")
	for i := 1; i < levels; i++ {
		alias := fmt.Sprintf("*l%d", i-1)
		fmt.Fprintf(&b, "l%d: &l%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(alias+", ", width), ", "))
	}
	return b.String()
}

func TestHostileYAML(t *testing.T) {
	for _, c := range hostileYAML {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse("p", []byte(c.text))
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want == "" && p.DefaultAction != "SCMP_ACT_LOG":
				t.Errorf("%+v", p)
			case c.want != "" && err == nil:
				t.Fatalf("read, want %s", c.want)
			case c.want != "" && err.Error() != "profile "+c.want:
				t.Errorf("\ngot  %s\nwant profile %s", err, c.want)
			}
		})
	}
}

// Lines and columns are those of editors, whatever YAML counts as a line, and columns are bytes.
func TestYAMLPlaces(t *testing.T) {
	text := "# \u00e9\u2028# x\r" + spoHead + "spec: {x: é, defaultAction: SCMP_ACT_LOG}\n---\r\n" +
		spoHead + "spec: &s {defaultAction: SCMP_ACT_TRAP}\n"
	list, err := Read("p", []byte(text), ReadOptions{})
	if err != nil || len(list) != 2 {
		t.Fatal(len(list), err)
	}
	lines := strings.Split(text, "\n")
	for i, word := range []string{"SCMP_ACT_LOG", "SCMP_ACT_TRAP"} {
		pos := list[i].DefaultActionPos
		if !strings.HasPrefix(lines[pos.Line-1][pos.Column-1:], word) {
			t.Errorf("%s at %s", word, pos)
		}
	}
}

// The longest texts of the worst kinds end soon and stay in bounds.
func TestLongYAML(t *testing.T) {
	fill := func(head, next string) string { return head + strings.Repeat(next, (maxInput-len(head)-2)/len(next)) }
	rules := spoHead + "spec:\n  defaultAction: SCMP_ACT_ERRNO\n  syscalls:\n"
	for name, text := range map[string]string{
		"list":      fill("x:\n", "-\n"),
		"keys":      fill("x:\n", "a:\n"),
		"flow":      fill("x: [", "a,") + "]",
		"rules":     fill(rules, "  - {names: [read], action: SCMP_ACT_ALLOW}\n"),
		"aliases":   fill("a: &a b\nx:\n", "- *a\n"),
		"anchors":   fill("x:\n", "- &a b\n"),
		"comments":  fill("x: y\n", "#\n"),
		"blanks":    fill("x: y\n", "\n"),
		"quotes":    fill("x:\n", "- ''\n"),
		"text":      fill("x: |\n", " a\n"),
		"folded":    fill("x: \"", "a\n ") + "\"",
		"merges":    fill("a: &a {b: c}\nx:\n  ", "<<: *a\n  "),
		"keys in a": fill("x: {", "a, ") + "}",
		"documents": fill("", "---\nx: y\n"),
		"marks":     fill("x: y\n", "---\n"),
		"columns":   fill("x: [", "é,") + "]",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			begin := time.Now()
			list, err := Read("p", []byte(text), ReadOptions{})
			runtime.ReadMemStats(&after)
			for _, p := range list {
				_, _ = p.Resolve(p.DefaultTarget(arch(t, "x86_64"))) // that it ends is all
			}
			took := time.Since(begin)
			t.Logf("%s: %v, %d MiB allocated, %d kept, %v", name, took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, (after.HeapAlloc-before.HeapAlloc)>>20, err)
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 || took > 20*time.Second {
				t.Errorf("%v, %d MiB", took, used>>20)
			}
		})
	}
	if _, err := Parse("p", make([]byte, 100<<20)); err == nil {
		t.Error("100 MiB are read")
	}
	if _, err := Parse("p", []byte("a: b\n"+strings.Repeat("# ", 50<<20))); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("100 MiB of YAML: %v", err)
	}
}
