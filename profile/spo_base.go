package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// maxBases is how many steps the operator goes from a profile to its base, to that one's base and so
// on, before it gives up (resolveSyscallsForProfile).
const maxBases = 15

// mergeBases joins the rules of a profile with those of its base, and of the base's base. Nothing but
// the rules is taken from a base. Where a base cannot be had, a Problem says that rules are missing.
func (f *file) mergeBases(d *decoder, base baseName) error {
	rules, from, chain := d.p.Rules, base, []string{}
	for level := 1; from.text != ""; level++ {
		if level >= maxBases {
			return d.errorf(base.val, "spec.baseProfileName", "more than %d base profiles in a row (%s ...): the operator gives up", maxBases-1, clip(strings.Join(chain[:min(3, len(chain))], ", ")))
		}
		if slices.Contains(chain, from.text) {
			return d.errorf(base.val, "spec.baseProfileName", "the base profiles lead in a circle: %s", clip(strings.Join(append(chain, from.text), ", ")))
		}
		chain = append(chain, from.text)
		bd, next, why := f.base(from.text)
		if bd == nil {
			text := fmt.Sprintf("the base profile %q %s: its rules are missing here", clip(from.text), why)
			d.problem(base.val, MissingPart, "spec.baseProfileName", from.text, "%s", text)
			d.p.MissingBase = &Problem{Pos: d.src.pos(base.val), Kind: MissingPart, Path: "spec.baseProfileName", Name: from.text, Text: text}
			break
		}
		rules, from = unionRules(d, bd.p.Rules, rules), next
	}
	for i := range rules {
		rules[i].Index = i
	}
	d.p.Rules = rules
	return nil
}

// base finds a base profile: in the file itself, then below Root. Without one, why says why.
func (f *file) base(name string) (d *decoder, next baseName, why string) {
	if strings.HasPrefix(name, "oci://") {
		return nil, next, "is in a registry, which is not asked"
	}
	f.findBases()
	from, ok := f.bases[name]
	if !ok && f.options.Load != nil {
		from, ok = f.loadBase(name)
	}
	if !ok && f.options.Root == "" && f.options.Load == nil {
		return nil, next, "is not in this file, and no root is given to look in (--profile-root)"
	}
	if !ok {
		return nil, next, "is neither in this file nor in the root (--profile-root)"
	}
	d, next, err := spoProfile(from.file, from.doc)
	if err != nil {
		return nil, next, "cannot be read (" + strings.TrimPrefix(err.Error(), "profile ") + ")"
	}
	return d, next, ""
}

// A baseDoc is a SeccompProfile in a file.
type baseDoc struct {
	file *file
	doc  document
}

// maxBaseFiles bounds the files of a root that are looked at.
const maxBaseFiles = 1000

// findBases lists the SeccompProfiles of the file and of the root by their names, once. Files that
// are neither JSON nor YAML are left out.
func (f *file) findBases() {
	if f.bases != nil {
		return
	}
	f.bases = map[string]baseDoc{}
	f.addBases(f)
	if f.options.Root == "" || f.options.Load != nil {
		return
	}
	root, err := os.OpenRoot(f.options.Root)
	if err != nil {
		return
	}
	defer root.Close()
	size, count := 0, 0
	errEnough := errors.New("enough")
	// What cannot be read is no base.
	_ = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !hasSuffix(path, ".yaml", ".yml", ".json") {
			return nil
		}
		if count++; count > maxBaseFiles || size > maxFile {
			return errEnough
		}
		data, err := f.load(path)
		if err != nil || len(data) > maxInput {
			return nil
		}
		size += len(data)
		g := &file{name: filepath.Join(f.options.Root, path), data: data, options: f.options, format: f.format}
		if g.docs, err = documents(g.name, data); err == nil {
			g.docs = lists(g.docs)
			f.addBases(g)
		}
		return nil
	})
}

// loadBase asks Load for files that are called like a base profile.
func (f *file) loadBase(name string) (baseDoc, bool) {
	for _, suffix := range []string{".yaml", ".yml", ".json"} {
		data, err := f.options.Load(name + suffix)
		if err != nil || len(data) > maxInput {
			continue
		}
		g := &file{name: name + suffix, data: data, options: f.options, format: f.format}
		if g.docs, err = documents(g.name, data); err == nil {
			g.docs = lists(g.docs)
			f.addBases(g)
		}
	}
	found, ok := f.bases[name]
	return found, ok
}

// addBases adds the SeccompProfiles of a file; the first of a name counts.
func (f *file) addBases(g *file) {
	for _, doc := range g.docs {
		name := doc.word(doc.root, "metadata", "name")
		if _, known := f.bases[name]; known || !isSPO(doc) {
			continue
		}
		f.bases[name] = baseDoc{g, doc}
	}
}

func hasSuffix(path string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(path, s) })
}

// unionRules joins the rules of a base with those of the profile as the operator does
// (security-profiles-merger 0.3.2 UnionSyscalls): one rule for each call, sorted by name, with the
// most lenient action, and with the conditions of all its rules in one, or with none if one of them
// has none. Its places are those of the profile, where it has the call.
func unionRules(d *decoder, base, own []Rule) []Rule {
	left, right := singles(d, base), singles(d, own)
	var out []Rule
	for name, l := range left {
		if r, both := right[name]; both {
			joined := joinRules(d, l, r)
			joined.Names, joined.Pos = r.Names, r.Pos
			l = joined
		}
		out = append(out, l)
	}
	for name, r := range right {
		if _, both := left[name]; !both {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.Names[0].Text, b.Names[0].Text) })
	return out
}

// singles makes one rule for each name.
func singles(d *decoder, rules []Rule) map[string]Rule {
	byName := map[string]Rule{}
	for _, r := range rules {
		for _, n := range r.Names {
			one := r
			one.Names = []Name{n}
			if before, ok := byName[n.Text]; ok {
				one = joinRules(d, before, one)
			}
			byName[n.Text] = one
		}
	}
	return byName
}

// leniency orders the actions, the strictest first (seccomp/action.go of the merger).
var leniency = map[ActionName]int{
	"SCMP_ACT_KILL_PROCESS": 0, "SCMP_ACT_KILL_THREAD": 1, "SCMP_ACT_KILL": 1, "SCMP_ACT_TRAP": 2, "SCMP_ACT_ERRNO": 3,
	"SCMP_ACT_NOTIFY": 4, "SCMP_ACT_TRACE": 5, "SCMP_ACT_LOG": 6, "SCMP_ACT_ALLOW": 7,
}

// joinRules makes one rule of two for the same call.
func joinRules(d *decoder, left, right Rule) Rule {
	out := left
	if leniency[right.Action] > leniency[left.Action] {
		out.Action, out.ActionPos, out.ErrnoRet = right.Action, right.ActionPos, right.ErrnoRet
	}
	out.Args = nil
	if len(left.Args) == 0 || len(right.Args) == 0 {
		if len(left.Args)+len(right.Args) > 0 {
			d.joined(right, "the conditions of a rule on %q are dropped, since another rule on it has none", right.Names[0].Text)
		}
		return out
	}
	out.Args = slices.Clone(left.Args)
	for _, a := range right.Args {
		if !slices.ContainsFunc(left.Args, func(b Arg) bool { b.Pos = a.Pos; return a == b }) && len(out.Args) < maxArgs {
			out.Args = append(out.Args, a)
		}
	}
	if len(out.Args) != len(left.Args) || len(out.Args) != len(right.Args) {
		d.joined(right, "the rules on %q become one with the conditions of both: those on different arguments must all hold", right.Names[0].Text)
	}
	return out
}

// joined notes at a rule what the operator makes of it.
func (d *decoder) joined(r Rule, format, name string) {
	if len(d.p.Problems) >= maxProblems {
		d.dropped++
		return
	}
	d.p.Problems = append(d.p.Problems, Problem{
		Pos: r.Names[0].Pos, Kind: JoinedRules, Path: "syscalls[" + itoa(r.Index) + "]", Name: name, Text: fmt.Sprintf(format, clip(name)),
	})
}
