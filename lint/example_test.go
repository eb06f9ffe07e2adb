package lint

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// The examples of each check are its tests. An archive holds, for each stem:
//
//	STEM.json   a profile, and those that it refers to
//	STEM.run    how to judge it, see setting; may be missing
//	STEM.want   the findings of this check, one a line: SEVERITY LINE:COLUMN TEXT, where TEXT is a
//	            part of the message and "-" is the profile as a whole; may be missing for none
//
// A stem that begins with bad has findings, one that begins with good has none. The checks of ignores
// have files of settings, too, and are run by the tests of internal/cli.
func TestExamples(t *testing.T) {
	for _, c := range Checks() {
		t.Run(c.ID, func(t *testing.T) {
			comment, files := readExamples(c.Example())
			if strings.TrimSpace(comment) == "" {
				t.Error("the examples have no introduction")
			}
			text := make(map[string]string)
			for _, f := range files {
				text[f.name] = f.text
			}
			bad, good := 0, 0
			for _, f := range files {
				stem, ok := strings.CutSuffix(f.name, ".json")
				if !ok {
					continue
				}
				want := lines(text[stem+".want"])
				switch {
				case strings.HasPrefix(stem, "bad"):
					bad++
					if len(want) == 0 {
						t.Errorf("%s: nothing expected", stem)
					}
				case strings.HasPrefix(stem, "good"):
					good++
					if len(want) != 0 {
						t.Errorf("%s: findings expected", stem)
					}
				default:
					t.Errorf("%s: neither bad nor good", stem)
				}
				if c.Run != nil {
					runExample(t, c, stem, f.text, text[stem+".run"], want)
				}
			}
			if bad == 0 || good == 0 {
				t.Errorf("%d flagged and %d clean examples", bad, good)
			}
		})
	}
}

// lines splits a text and drops empty lines.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func runExample(t *testing.T, c *Check, stem, json, setting string, want []string) {
	t.Helper()
	o := profile.ReadOptions{}
	if slices.Contains(lines(setting), "root") {
		o.Load = loadExample
	}
	parts, err := profile.Read(stem+".json", []byte(json), o)
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Profile: parts[0]} // the others are what it refers to
	for _, line := range lines(setting) {
		if err := set(&in, line); err != nil {
			t.Fatalf("%s.run: %s: %v", stem, line, err)
		}
	}
	r, err := Run(in)
	if err != nil {
		t.Fatalf("%s: %v", stem, err)
	}
	if len(r.Hosts) > 0 { // the profile of a container was read
		confirm(t, r)
	}
	var got []string
	for _, f := range r.Findings {
		if f.Check != c.ID {
			continue
		}
		place := "-"
		if f.Pos.Line > 0 {
			place = fmt.Sprintf("%d:%d", f.Pos.Line, f.Pos.Column)
		}
		got = append(got, fmt.Sprintf("%s %s %s", f.Severity, place, f.Message))
	}
	for i, w := range want {
		if i >= len(got) || !matches(got[i], w) {
			t.Errorf("%s: finding %d:\n got %s\nwant %s", stem, i+1, strings.Join(got, "\n     "), w)
			return
		}
	}
	if len(got) > len(want) {
		t.Errorf("%s: unexpected findings:\n%s", stem, strings.Join(got[len(want):], "\n"))
	}
}

// loadExample is a root with one file.
func loadExample(path string) ([]byte, error) {
	if path != "profiles/app.json" {
		return nil, fs.ErrNotExist
	}
	return []byte(`{"defaultAction": "SCMP_ACT_LOG"}`), nil
}

// matches compares severity and place, and looks for the rest in the message.
func matches(got, want string) bool {
	g, w := strings.SplitN(got, " ", 3), strings.SplitN(want, " ", 3)
	return len(w) == 3 && g[0] == w[0] && g[1] == w[1] && strings.Contains(g[2], w[2])
}

// set reads one line of a setting:
//
//	runtime docker|runc|kernel      the target
//	caps CAP_... | caps none        its capabilities
//	kernel 4.4                      its kernel
//	arch NAME...                    the ABIs to judge
//	program NAME ARCH [incomplete]  a usage; the lines below belong to the last one
//	need NAME CLASS [if=CONDITION] [argN=V,V] [via=FUNCTION] [past=FUNCTION]
//	site CLASS [...]                another place of the last need
//	unresolved FUNCTION | missing CLAUSE
//	version V                       the release of the runtime
//	root                            read with a root that holds profiles/app.json
func set(in *Input, line string) error {
	words := strings.Fields(line)
	if in.Target.Runtime == "" {
		in.Target = in.Profile.DefaultTarget(syscalls.ByName("x86_64"))
		in.Target.Host = nil
	}
	last := len(in.Usage) - 1
	if last < 0 && strings.Contains("need site unresolved missing", words[0]) {
		return fmt.Errorf("no program")
	}
	switch words[0] {
	case "root": // for the reader
	case "runtime":
		in.Target.Runtime = words[1]
	case "version":
		in.Target.Version = words[1]
	case "caps":
		in.Target.Caps = nil
		if words[1] != "none" {
			in.Target.Caps = words[1:]
		}
	case "kernel":
		k, err := syscalls.ParseKernel(words[1])
		in.Target.Kernel = k
		return err
	case "arch":
		for _, w := range words[1:] {
			a, err := syscalls.Lookup(w)
			if err != nil {
				return err
			}
			in.Arches = append(in.Arches, a)
		}
	case "program":
		a, err := syscalls.Lookup(words[2])
		in.Usage = append(in.Usage, Usage{Program: words[1], Kind: "go", Arch: a, Complete: len(words) < 4})
		return err
	case "unresolved":
		in.Usage[last].Unresolved = append(in.Usage[last].Unresolved, words[1])
	case "missing":
		in.Usage[last].Missing = append(in.Usage[last].Missing, strings.Join(words[1:], " "))
	case "need":
		u := &in.Usage[last]
		nr, ok := u.Arch.Number(words[1])
		if !ok {
			return fmt.Errorf("no call of this name")
		}
		s, err := site(words[2:])
		u.Needs = append(u.Needs, Need{Nr: nr, Name: words[1], Class: s.Class, Condition: s.Condition, Args: s.Args, Path: s.Path, Always: s.Always})
		return err
	case "site":
		needs := in.Usage[last].Needs
		n := &needs[len(needs)-1]
		if n.Sites == nil {
			n.Sites = []Site{{Class: n.Class, Condition: n.Condition, Args: n.Args, Path: n.Path, Always: n.Always}}
		}
		s, err := site(words[1:])
		n.Sites = append(n.Sites, s)
		return err
	default:
		return fmt.Errorf("unknown word")
	}
	return nil
}

// site reads CLASS [if=CONDITION] [argN=V,V] [via=FUNCTION] [past=FUNCTION]: via is on every way, past
// on the one that is shown.
func site(words []string) (Site, error) {
	s := Site{Class: finding.Class(words[0]), Path: finding.Path{{Function: "main.main", Edge: finding.EdgeCall}}}
	if classRank(s.Class) == len(classOrder) {
		return s, fmt.Errorf("no class %s", s.Class)
	}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch {
		case key == "if":
			s.Condition = strings.ReplaceAll(value, "_", " ")
		case key == "via", key == "past":
			s.Path = append(s.Path, finding.Frame{Function: value})
			if key == "via" {
				s.Always = append(s.Always, value)
			}
		case strings.HasPrefix(key, "arg") && len(key) == 4 && key[3] >= '0' && key[3] <= '5':
			for v := range strings.SplitSeq(value, ",") {
				n, err := strconv.ParseUint(v, 0, 64)
				if err != nil {
					return s, err
				}
				s.Args[key[3]-'0'] = append(s.Args[key[3]-'0'], n)
			}
		default:
			return s, fmt.Errorf("unknown word %s", w)
		}
	}
	return s, nil
}

// confirm asks the compiled filter about every witness: a finding that shows a call as open must
// show one that runs.
func confirm(t *testing.T, r *Result) {
	t.Helper()
	p := &Pass{Input: r.Input}
	if err := p.resolve(); err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if f.Witness == nil {
			if strings.HasPrefix(f.Check, "PC7") {
				t.Errorf("%s: no witness: %s", f.Check, f.Message)
			}
			continue
		}
		abi := p.find(syscalls.ByName(f.Witness.Arch))
		if abi == nil {
			t.Errorf("%s: witness on %q, which is not judged", f.Check, f.Witness.Arch)
			continue
		}
		if name, _ := abi.NameOf(f.Witness.Nr); name != f.Witness.Syscall {
			t.Errorf("%s: witness %d is %q, not %q", f.Check, f.Witness.Nr, name, f.Witness.Syscall)
		}
		a := abi.run(f.Witness.Nr, f.Witness.Args)
		if strings.HasPrefix(f.Check, "PC2") { // which shows a call that several rules match
			if !strings.Contains(f.Message, answered(a)) {
				t.Errorf("%s: witness %s%#x on %s gets %s: %s", f.Check, f.Witness.Syscall, f.Witness.Args, abi.Name, a, f.Message)
			}
			continue
		}
		if !opens(a) {
			t.Errorf("%s: witness %s%#x on %s gets %s: %s", f.Check, f.Witness.Syscall, f.Witness.Args, abi.Name, a, f.Message)
		}
	}
}
