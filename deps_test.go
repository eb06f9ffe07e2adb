// Package profcheck_test holds the tests of the repository as a whole.
package profcheck_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/profcheck/profcheck"

// diagram says which package may import which: in "a < b" b may import a, and nothing else may.
// Packages that do not exist yet have their place already; their edges are not checked. Do not
// change it to make a build pass: change it when the code has taught something better, together
// with ARCHITECTURE.md.
//
// Tests of a package may import any package that is not above it.
const diagram = `
	syscalls < filter, profile, simulate, elfscan, observe, lint, generate, profiletest, analyzer, internal/config, internal/cli
	filter   < profile, simulate, observe, lint, profiletest, analyzer, internal/cli
	finding  < elfscan, observe, lint, report, analyzer, internal/config, internal/cli
	profile  < lint, generate, profiletest, analyzer, internal/config, internal/cli
	simulate < lint, profiletest, internal/cli
	lint     < analyzer, internal/config, internal/cli
	analyzer < golangci, cmd/profvet
	elfscan, observe, generate, profiletest, report, internal/config < internal/cli < cmd/profcheck

	# what a package keeps to itself
	elfscan/internal/isa    < elfscan/internal/flow, elfscan/internal/code, elfscan/internal/native
	elfscan/internal/module < elfscan/internal/loader, elfscan/internal/code, elfscan/internal/native, elfscan/internal/symbolize
	elfscan/internal/loader, elfscan/internal/code, elfscan/internal/flow < elfscan/internal/native
	syscalls, finding       < elfscan/internal/native
	elfscan/internal/isa, elfscan/internal/module, elfscan/internal/loader, elfscan/internal/code, elfscan/internal/flow, elfscan/internal/native, elfscan/internal/symbolize, elfscan/internal/cache < elfscan
	lint/internal/catalog   < lint
	syscalls/internal/table < syscalls/internal/gen
	syscalls, filter < simulate/internal/randbpf
`

// alone are packages that nothing imports and that are no command: they hold tests, or are run by
// go generate.
var alone = []string{"elfscan/witness", "simulate/internal/randbpf", "simulate/kernels", "simulate/kernels/guest", "syscalls/internal/gen"}

// thirdParties says who may import what does not come with Go, and why it is there.
var thirdParties = []thirdPartyRule{
	{"golang.org/x/tools", []string{"analyzer", "golangci", "cmd/profvet"}, nil, "go/analysis"},
	{"golang.org/x/arch", []string{"elfscan/internal/isa"}, []string{"elfscan"}, "decoders as a witness for our own"},
	{"github.com/ianlancetaylor/demangle", []string{"elfscan/internal/symbolize"}, nil, "names of C++ and Rust functions"},
	{"golang.org/x/net", nil, []string{"filter", "profile", "simulate"}, "another machine and notation of the same instructions as a witness"},
	{"golang.org/x/sys", nil, []string{"*"}, "Go's own numbers of syscalls, and the calls that tests of the kernel need"},
	{"github.com/google/go-cmp", nil, []string{"*"}, "readable differences"},
	{"github.com/spf13/cobra", []string{"internal/cli"}, nil, "commands, flags, completion"},
	{"github.com/spf13/pflag", []string{"internal/cli"}, nil, "cobra's flags, to list them in manual pages"},
	{"go.yaml.in/yaml/v3", []string{"profile", "profiletest", "internal/config"}, nil, "profiles, expectation files and settings in YAML, with the line and column of each word"},
	{"github.com/elastic/go-seccomp-bpf", nil, []string{"profile", "simulate", "elfscan/witness"}, "another compiler of filters as a witness, and a loader"},
	{"github.com/moby/profiles/seccomp", nil, []string{"profile"}, "the built-in docker-default must be equal to it"},
	{"github.com/owenrumney/go-sarif/v3", []string{"report"}, nil, "the types of SARIF, and its schema for the tests"},
	{"github.com/xeipuuv/gojsonschema", nil, []string{"report"}, "holds reports against that schema"},
	{"github.com/opencontainers/runtime-spec", nil, []string{"profile"}, "the types that moby's module takes"},
}

type thirdPartyRule struct {
	path  string   // a module, or a folder of one
	users []string // packages; their tests are users, too
	tests []string // packages whose tests alone may import it; "*" is any
	why   string
}

// goFile is one file's imports.
type goFile struct {
	pkg     string // folder relative to the root
	name    string
	test    bool
	imports []string
}

func TestImports(t *testing.T) {
	files := goFiles(t)
	edges, packages := parseDiagram(t, diagram)
	for _, complaint := range judge(files, edges, packages) {
		t.Error(complaint)
	}
}

// judge holds the files against the diagram.
func judge(files []goFile, edges map[[2]string]bool, packages map[string]bool) (complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	above := closure(edges)
	exists, used, third := make(map[string]bool), make(map[[2]string]bool), make(map[int]bool)
	for _, f := range files {
		exists[f.pkg] = true
	}
	for _, f := range files {
		if f.pkg == "." {
			continue // these tests look at everything
		}
		if !packages[f.pkg] && !slices.Contains(alone, f.pkg) {
			complain("%s: the diagram does not have this package", f.pkg)
			packages[f.pkg] = true // said once
		}
		for _, imp := range f.imports {
			from, own := strings.CutPrefix(imp, module+"/")
			switch {
			case own && f.test:
				if above[[2]string{f.pkg, from}] {
					complain("%s: a test imports %s, which is above", path.Join(f.pkg, f.name), from)
				}
			case own && slices.Contains(alone, f.pkg) && !edges[[2]string{from, f.pkg}]:
				complain("%s: %s stands alone and may not import %s outside of tests", path.Join(f.pkg, f.name), f.pkg, from)
			case own:
				used[[2]string{from, f.pkg}] = true
				if !edges[[2]string{from, f.pkg}] {
					complain("%s imports %s, which the diagram does not allow", path.Join(f.pkg, f.name), from)
				}
			case strings.Contains(strings.Split(imp, "/")[0], "."):
				if i := thirdParty(imp, f); i < 0 {
					complain("%s imports %s, which it may not", path.Join(f.pkg, f.name), imp)
				} else {
					third[i] = true
				}
			}
		}
	}
	for e := range edges {
		if exists[e[0]] && exists[e[1]] && !used[e] {
			complain("%s < %s: the diagram allows it and nobody uses it", e[0], e[1])
		}
	}
	for i, p := range thirdParties {
		expected := slices.ContainsFunc(p.users, func(u string) bool { return exists[u] })
		if expected && !third[i] {
			complain("%s: allowed for %v and nobody uses it", p.path, p.users)
		}
	}
	slices.Sort(complaints)
	return complaints
}

// thirdParty returns the index of the rule that lets a file import a package, -1 if there is none.
func thirdParty(imp string, f goFile) int {
	for i, p := range thirdParties {
		if imp != p.path && !strings.HasPrefix(imp, p.path+"/") {
			continue
		}
		if slices.Contains(p.users, f.pkg) || f.test && (slices.Contains(p.tests, f.pkg) || slices.Contains(p.tests, "*")) {
			return i
		}
	}
	return -1
}

// closure returns the pairs {a, b} where b is above a.
func closure(edges map[[2]string]bool) map[[2]string]bool {
	above := make(map[[2]string]bool)
	for e := range edges {
		above[e] = true
	}
	for grown := true; grown; {
		grown = false
		for a := range above {
			for e := range edges {
				if pair := [2]string{a[0], e[1]}; a[1] == e[0] && !above[pair] {
					above[pair], grown = true, true
				}
			}
		}
	}
	return above
}

// parseDiagram reads lines of lists joined by "<".
func parseDiagram(t *testing.T, text string) (edges map[[2]string]bool, packages map[string]bool) {
	t.Helper()
	edges, packages = make(map[[2]string]bool), make(map[string]bool)
	name := regexp.MustCompile(`^[a-z/]+$`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		var last []string
		for _, list := range strings.Split(line, "<") {
			var these []string
			for _, p := range strings.Split(list, ",") {
				p = strings.TrimSpace(p)
				if !name.MatchString(p) {
					t.Fatalf("diagram: %q in %q", p, line)
				}
				these, packages[p] = append(these, p), true
				for _, below := range last {
					edges[[2]string{below, p}] = true
				}
			}
			last = these
		}
	}
	return edges, packages
}

// goFiles reads the imports of every Go file of the module, whatever its build constraints are.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_")
			if file != "." && (hidden || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := goFile{pkg: filepath.ToSlash(filepath.Dir(file)), name: d.Name(), test: strings.HasSuffix(file, "_test.go")}
		for _, spec := range parsed.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imp)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The test itself must see what it is there for.
func TestImportsAreJudged(t *testing.T) {
	edges, packages := parseDiagram(t, "low < mid < top\nlow < top")
	prod := func(pkg string, imports ...string) goFile { return goFile{pkg: pkg, name: "x.go", imports: imports} }
	test := func(pkg string, imports ...string) goFile {
		return goFile{pkg: pkg, name: "x_test.go", test: true, imports: imports}
	}
	full := []goFile{prod("low"), prod("mid", module+"/low"), prod("top", module+"/mid", module+"/low")}
	for _, c := range []struct {
		name string
		add  []goFile
		want string
	}{
		{"clean", nil, ""},
		{"upward", []goFile{prod("low", module+"/top")}, "low/x.go imports top, which the diagram does not allow"},
		{"upward in a test", []goFile{test("low", module+"/top")}, "low/x_test.go: a test imports top, which is above"},
		{"beside in a test", []goFile{test("top", module+"/low")}, ""},
		{"stranger", []goFile{prod("other")}, "other: the diagram does not have this package"},
		{"third party", []goFile{prod("low", "github.com/google/go-cmp/cmp")}, "low/x.go imports github.com/google/go-cmp/cmp, which it may not"},
		{"third party in a test", []goFile{test("low", "github.com/google/go-cmp/cmp")}, ""},
		{"like a third party", []goFile{test("low", "github.com/google/go-cmpx")}, "low/x_test.go imports github.com/google/go-cmpx, which it may not"},
		{"alone", []goFile{prod("elfscan/witness", module+"/low")}, "elfscan/witness/x.go: elfscan/witness stands alone and may not import low outside of tests"},
	} {
		got := judge(append(slices.Clone(full), c.add...), edges, maps.Clone(packages))
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := judge(full[:2], edges, packages); len(got) != 0 {
		t.Errorf("an edge to a package that does not exist: %q", got)
	}
	idle := []goFile{prod("low"), prod("mid"), prod("top", module+"/mid", module+"/low")}
	if got := judge(idle, edges, packages); len(got) != 1 || got[0] != "low < mid: the diagram allows it and nobody uses it" {
		t.Errorf("an idle edge: %q", got)
	}
}

// Every module that go.mod asks for directly has a rule, so that none is there without a reason.
func TestModulesHaveRules(t *testing.T) {
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	require := regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+/\S+) v\S+$`)
	for _, m := range require.FindAllStringSubmatch(string(data), -1) {
		if !slices.ContainsFunc(thirdParties, func(r thirdPartyRule) bool { return r.path == m[1] && r.why != "" }) {
			t.Errorf("go.mod requires %s, and no rule says who may use it and why", m[1])
		}
	}
}

// Go drops a file whose name ends in _GOARCH or _GOOS elsewhere, in silence. Every file that is
// meant for some systems only says so in a go:build line, or is named here by its suffix.
func TestNoFileIsDroppedInSilence(t *testing.T) {
	arch := regexp.MustCompile(`_(386|amd64|arm|arm64|loong64|mips|mipsle|mips64|mips64le|ppc64|ppc64le|riscv64|s390x|wasm)(_test)?\.go$`)
	for _, f := range goFiles(t) {
		if arch.MatchString(f.name) {
			t.Errorf("%s: the name is a build constraint", path.Join(f.pkg, f.name))
		}
	}
}
