package profile

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// spoList is a list of two resources, the first with the second as its base.
const spoList = `{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"security-profiles-operator.x-k8s.io/v1","kind":"SeccompProfile","metadata":{"name":"own"},"spec":{"defaultAction":"SCMP_ACT_ERRNO","baseProfileName":"base","syscalls":%s}},
{"apiVersion":"security-profiles-operator.x-k8s.io/v1","kind":"SeccompProfile","metadata":{"name":"base"},"spec":{"defaultAction":"SCMP_ACT_ERRNO","syscalls":%s}}]}`

// What the operator's merger made of rules is what we make of them: security-profiles-merger 0.3.2
// was run on them.
func TestUnionAsOperator(t *testing.T) {
	file, err := os.Open(filepath.Join("testdata", "spo_union.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	same, joined, plain := 0, 0, 0
	for lines.Scan() {
		var c struct{ Base, Own, Union json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		list, err := Read("p", fmt.Appendf(nil, spoList, c.Own, c.Base), ReadOptions{})
		if err != nil || len(list) != 2 {
			t.Fatalf("%s: %d, %v", lines.Text(), len(list), err)
		}
		want := plainRules(t, c.Union)
		got := rulesOf(list[0])
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s: operator -, we +: %s", lines.Text(), diff)
		}
		same++
		for _, q := range list[0].Problems {
			if q.Kind == JoinedRules {
				joined++
				break
			}
		}
		// The twin: without the base it is another profile.
		if cmp.Diff(want, plainRules(t, c.Own)) != "" {
			plain++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if same < 300 || joined < 50 || plain < 250 {
		t.Errorf("%d the same, %d with joined rules, %d not without the base", same, joined, plain)
	}
}

// plainRules reads rules without any format.
func plainRules(t *testing.T, text []byte) []jsonRule {
	t.Helper()
	var rules []jsonRule
	if err := json.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

func rulesOf(p *Profile) (out []jsonRule) {
	out = []jsonRule{}
	for _, r := range p.Rules {
		j := jsonRule{Names: texts(r.Names), Action: r.Action, ErrnoRet: r.ErrnoRet}
		for _, a := range r.Args {
			j.Args = append(j.Args, jsonArg{a.Index, a.Value, a.ValueTwo, a.Op})
		}
		out = append(out, j)
	}
	return out
}

// chain makes resources of which each has the next as its base.
func chain(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "---\napiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nmetadata: {name: p%d}\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n", i)
		fmt.Fprintf(&b, "  syscalls: [{action: SCMP_ACT_ALLOW, names: [read]}]\n")
		if i < n-1 {
			fmt.Fprintf(&b, "  baseProfileName: p%d\n", i+1)
		}
	}
	return b.String()
}

// The operator follows 14 base profiles in a row and refuses more.
func TestBasesInARow(t *testing.T) {
	list, err := Read("p", []byte(chain(15)), ReadOptions{})
	if err != nil || len(list) != 15 || len(list[0].Rules) != 1 {
		t.Errorf("%d, %v", len(list), err)
	}
	list, err = Read("p", []byte(chain(16)), ReadOptions{})
	if err == nil || !strings.Contains(err.Error(), "more than 14 base profiles in a row") || len(list) != 15 {
		t.Errorf("%d, %v", len(list), err)
	}
}

// The files of a root are found by what they hold; Load takes its place; nothing outside is read.
func TestBaseFiles(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	write := func(path, name string) {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text := "apiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nmetadata: {name: " + name + "}\nspec: {defaultAction: SCMP_ACT_ERRNO, syscalls: [{action: SCMP_ACT_ALLOW, names: [read]}]}\n"
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("root/a/b/deep.yml", "deep")
	write("root/text.txt", "text")
	write("outside.yaml", "outside")
	if err := os.WriteFile(filepath.Join(root, "broken.yaml"), []byte("a: ["), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "outside.yaml"), filepath.Join(root, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	for base, want := range map[string]int{"deep": 1, "text": 0, "outside": 0, "../outside": 0} {
		text := spoHead + "spec: {defaultAction: SCMP_ACT_ERRNO, baseProfileName: " + base + "}\n"
		list, err := Read("p", []byte(text), ReadOptions{Root: root})
		if err != nil || len(list[0].Rules) != want || len(list[0].Problems) != 1-want {
			t.Errorf("%s: %+v, %v", base, list, err)
		}
	}
	list, err := Read("p", []byte(spoHead+"spec: {defaultAction: SCMP_ACT_ERRNO, baseProfileName: loaded}\n"), ReadOptions{Load: func(path string) ([]byte, error) {
		if path != "loaded.yaml" {
			return nil, errors.New("not there")
		}
		return []byte(strings.ReplaceAll(spoHead, "x}", "loaded}") + "spec: {defaultAction: SCMP_ACT_LOG, syscalls: [{action: SCMP_ACT_ALLOW, names: [read]}]}\n"), nil
	}})
	if err != nil || len(list[0].Rules) != 1 || list[0].DefaultAction != "SCMP_ACT_ERRNO" {
		t.Errorf("%+v, %v", list, err)
	}
}
