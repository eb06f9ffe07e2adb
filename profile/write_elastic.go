package profile

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A policy as the library's own command reads it.
type (
	elasticDoc struct {
		Seccomp elasticDocPolicy `yaml:"seccomp"`
	}
	elasticDocPolicy struct {
		DefaultAction string            `yaml:"default_action"`
		Syscalls      []elasticDocGroup `yaml:"syscalls"`
	}
	elasticDocGroup struct {
		Action string            `yaml:"action"`
		Names  []string          `yaml:"names,omitempty"`
		Named  []elasticDocNamed `yaml:"names_with_args,omitempty"`
	}
	elasticDocNamed struct {
		Name      string          `yaml:"name"`
		Arguments []elasticDocArg `yaml:"arguments"`
	}
	elasticDocArg struct {
		Argument  int    `yaml:"argument"`
		Operation string `yaml:"operation"`
		Value     uint64 `yaml:"value"`
	}
)

// An elasticWriting is a policy on its way.
type elasticWriting struct {
	*writing
	r   *Resolved
	abi *syscalls.Arch
	doc elasticDocPolicy

	said map[string]bool // the losses, each once
	size int             // at least so many instructions
}

// writeElastic writes what the profile means for the target's ABI: a policy is for one, with neither
// conditions nor conflicts left to decide.
func writeElastic(w *writing) ([]byte, error) {
	e := &elasticWriting{writing: w, abi: w.Target.ABI, said: map[string]bool{}}
	if w.p.Format == Elastic {
		e.same()
		return e.text()
	}
	if e.abi.Base == x32Bit {
		e.abi = w.Target.Host
	}
	if !slices.Contains(elasticArches(), e.abi) {
		return nil, w.elasticError(UnknownArch, w.p.Pos, "", "it has tables for 386, amd64, arm and arm64, not for %s", e.abi)
	}
	var err error
	if e.r, err = w.p.Resolve(w.Target); err != nil {
		return nil, err
	}
	e.outside()
	usual := e.r.Default
	if !e.r.Disabled && !slices.Contains(e.r.Arches, e.abi) {
		usual = e.r.BadArch
	}
	e.doc.DefaultAction = e.action(usual, w.p.DefaultActionPos, "the default")
	if e.doc.DefaultAction == "" {
		e.doc.DefaultAction = "errno"
	}
	if !e.r.Disabled && !slices.Contains(e.r.Arches, e.abi) {
		e.lose(w.p.Pos, "the profile has no rules for %s on a host of %s, and no call of it is told from another", e.abi, w.Target.Host)
		return e.text()
	}
	e.unknown()
	if e.calls(); e.size > filter.MaxInsns {
		return nil, w.elasticError(TooManyRules, w.p.Pos, "", "more tests than the %d instructions of a filter", filter.MaxInsns)
	}
	return e.text()
}

func (e *elasticWriting) text() ([]byte, error) {
	if len(e.doc.Syscalls) == 0 { // the library wants a group; this one changes nothing
		e.add(e.doc.DefaultAction, "read", nil)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(elasticDoc{e.doc}); err != nil {
		return nil, err
	}
	return b.Bytes(), enc.Close()
}

// same writes a policy as it is, group by group: what it does depends on their order.
func (e *elasticWriting) same() {
	word := func(a ActionName) string {
		return strings.ToLower(strings.TrimPrefix(string(a), "SCMP_ACT_"))
	}
	e.doc.DefaultAction = word(e.p.DefaultAction)
	for i, r := range e.p.Rules {
		if i == 0 || r.group != e.p.Rules[i-1].group {
			e.doc.Syscalls = append(e.doc.Syscalls, elasticDocGroup{Action: word(r.Action)})
		}
		for _, n := range r.Names {
			e.put(n.Text, r.Args)
		}
	}
}

// change is that of writing, said once.
func (e *elasticWriting) change(pos Pos, format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !e.said[text] {
		e.said[text] = true
		e.writing.change(pos, "%s", text)
	}
}

// outside says what the library decides by itself: what calls of other ABIs get, and flags.
func (e *elasticWriting) outside() {
	p := e.p
	if e.r.Disabled {
		if sharesToken(e.abi) {
			e.change(p.Pos, "no filter is loaded for the profile, and the policy gives numbers of x32 ENOSYS")
			e.lost[len(e.lost)-1].others = true
		}
		return
	}
	more := ""
	if sharesToken(e.abi) {
		more = ", and numbers of x32 ENOSYS"
	}
	if len(e.r.Arches) > 1 || e.r.BadArch != e.r.Default || more != "" {
		e.change(p.Pos, "a policy is for one architecture, here %s: the calls of all others get the default action%s", e.abi, more)
		e.lost[len(e.lost)-1].others = true
	}
	if len(e.flags) > 0 {
		e.change(p.Pos, "a policy has no flags, which the program gives itself: %s", strings.Join(e.flags[:min(4, len(e.flags))], ", "))
		e.lost[len(e.lost)-1].others = true
	}
	if _, ok := e.r.Stub[e.abi.Name]; ok {
		e.change(p.Pos, "calls that are newer than the profile, which runc answers with ENOSYS, get the default action")
		e.lost[len(e.lost)-1].others = true
	}
}

// action is the library's word for an action; "" if it has none. What the word does not say of it is told.
func (e *elasticWriting) action(a filter.Action, pos Pos, what string) string {
	data := uint16(0)
	switch a.Base() {
	case filter.UserNotif:
		e.change(pos, "the library has no NOTIFY: %s is not written", what)
		return ""
	case filter.Errno:
		if data = a.Data(); data != eperm {
			e.change(pos, "the library has no errno but EPERM: %s gives it instead of %d", what, data)
			e.lost[len(e.lost)-1].data = true
		}
	case filter.Trace:
		if data = a.Data(); data != 0 {
			e.change(pos, "the library gives tracers no number: %s gives 0 instead of %d", what, data)
			e.lost[len(e.lost)-1].data = true
		}
	}
	return strings.ToLower(a.Base().Name())
}

// calls writes the rules: first the calls without conditions, as whatever comes after one with conditions
// is compared with a word of its arguments.
func (e *elasticWriting) calls() {
	for _, c := range e.r.Conflicts {
		if c.Arch == e.abi {
			e.change(c.First.Pos, "the profile leaves open which rule decides for %s, and the first that is written does", clip(c.Name))
		}
	}
	var tests []elasticTests
	var plain []elasticTests
	t := e.r.tables[e.abi.Name]
	for _, nr := range slices.Sorted(maps.Keys(t)) {
		c, ok := e.tests(nr, t[nr].entries)
		switch {
		case !ok:
		case len(c.lists) == 0:
			plain = append(plain, c)
		default:
			tests = append(tests, c)
		}
	}
	slices.SortStableFunc(plain, func(a, b elasticTests) int { return cmp.Compare(a.action, b.action) })
	for _, c := range plain {
		e.add(c.action, c.name, nil)
	}
	if wide := slices.DeleteFunc(slices.Clone(tests), elasticTests.lowOnly); e.abi.UpperHalves && len(wide) > 0 {
		e.change(wide[0].pos, "the library compares all 64 bits of an argument on %s, whose upper half is not always 0: %s", e.abi, firstFew(namesOf(wide)))
		e.lost[len(e.lost)-1].upper = true
	}
	for _, c := range e.inOrder(tests) {
		for _, list := range c.lists {
			e.add(c.action, c.name, list)
		}
	}
}

// unknown tells of names that no ABI has, which the library does not take.
func (e *elasticWriting) unknown() {
	var names []string
	for _, s := range e.r.Skipped {
		if s.Reason == SkipUnknown && !slices.Contains(names, clip(s.Name)) && len(names) < 100 {
			names = append(names, clip(s.Name))
		}
	}
	if len(names) > 0 {
		e.lose(e.p.Pos, "names without effect, which the library does not take, are left out: %s", firstFew(names))
	}
}

// add writes a call, into the last group if that has the action.
func (e *elasticWriting) add(action, name string, list []Arg) {
	if last := len(e.doc.Syscalls) - 1; last < 0 || e.doc.Syscalls[last].Action != action {
		e.doc.Syscalls = append(e.doc.Syscalls, elasticDocGroup{Action: action})
	}
	e.put(name, list)
}

// put writes a call into the last group.
func (e *elasticWriting) put(name string, list []Arg) {
	g := &e.doc.Syscalls[len(e.doc.Syscalls)-1]
	if len(list) == 0 {
		g.Names = append(g.Names, name)
		return
	}
	named := elasticDocNamed{Name: name}
	for _, a := range list {
		for word, op := range elasticOps {
			if op == a.Op {
				named.Arguments = append(named.Arguments, elasticDocArg{a.Index, word, a.Value})
			}
		}
	}
	g.Named = append(g.Named, named)
}
