package profile

import (
	"slices"
	"strconv"
	"strings"
)

// The policies of github.com/elastic/go-seccomp-bpf v1.6.0, as its command sandbox and the Beats read them:
// YAML through github.com/elastic/go-ucfg v0.8.8, whose ways with values were measured.

var _ = registerFormat(format{
	name: Elastic, title: "github.com/elastic/go-seccomp-bpf: a policy in YAML, under seccomp or alone",
	runtime: RuntimeKernel, rank: rankFields,
	dialect: dialect{who: "go-seccomp-bpf", exact: true},
	is:      isElastic,
	read:    readElastic,
	write:   writeElastic,
})

// The keys. Beats read enabled besides.
var (
	elasticSchema   = schema{fields: []string{"default_action", "syscalls"}, absent: []string{"enabled"}}
	elasticGroup    = schema{fields: []string{"names", "names_with_args", "action"}}
	elasticNamed    = schema{fields: []string{"name", "arguments"}}
	elasticArgument = schema{fields: []string{"argument", "operation", "value"}}
)

// elasticActions gives the actions by the library's names for them.
var elasticActions = map[string]ActionName{
	"kill_thread": "SCMP_ACT_KILL_THREAD", "kill_process": "SCMP_ACT_KILL_PROCESS", "trap": "SCMP_ACT_TRAP",
	"errno": "SCMP_ACT_ERRNO", "trace": "SCMP_ACT_TRACE", "log": "SCMP_ACT_LOG", "allow": "SCMP_ACT_ALLOW",
}

var elasticActionWords = []string{"kill_thread", "kill_process", "trap", "errno", "trace", "log", "allow"}

// elasticOps gives the operations; BitsNotSet is a MaskedEqual.
var elasticOps = map[string]Op{
	"Equal": Equal, "NotEqual": NotEqual, "GreaterThan": Greater, "LessThan": Less, "GreaterOrEqual": GreaterEqual,
	"LessOrEqual": LessEqual, "BitsSet": BitsSet, "BitsNotSet": MaskedEqual,
}

var elasticOpWords = []string{"Equal", "NotEqual", "GreaterThan", "LessThan", "GreaterOrEqual", "LessOrEqual", "BitsSet", "BitsNotSet"}

// elasticPolicy finds the policy of a document; 0 if there is none.
func elasticPolicy(doc document) value {
	for _, v := range []value{doc.member(doc.root, "seccomp"), doc.root} {
		if v != 0 && (doc.word(v, "default_action") != "" || doc.member(v, "syscalls") != 0 && v != doc.root) {
			return v
		}
	}
	return 0
}

func isElastic(doc document) bool {
	return doc.kind(doc.root) == "an object" && doc.member(doc.root, "defaultAction") == 0 && elasticPolicy(doc) != 0
}

func readElastic(f *file, doc document) error {
	if len(f.profiles) > 0 {
		f.skip(doc.pos(doc.root), "a document after the first, which is not read")
		return nil
	}
	d := f.decoder(doc)
	if err := d.want(doc.root, "", "an object"); err != nil {
		return err
	}
	policy := elasticPolicy(doc)
	if policy == 0 {
		return d.errorf(doc.root, "", "no policy: neither default_action nor syscalls")
	}
	if err := d.elastic(policy); err != nil {
		return err
	}
	f.add(d.finish(), "")
	return nil
}

// elastic reads a policy. Without a default action it kills the thread, as the action's zero does.
func (d *decoder) elastic(policy value) error {
	d.p.Pos = d.src.pos(policy)
	d.p.DefaultAction, d.p.DefaultActionPos = "SCMP_ACT_KILL_THREAD", d.p.Pos
	groups := value(0)
	err := d.object(policy, "", elasticSchema, func(field string, _, val value) (err error) {
		switch field {
		case "default_action":
			if !d.src.isNull(val) {
				d.p.DefaultAction, d.p.DefaultErrnoRet, err = d.elasticAction(val, field)
				d.p.DefaultActionPos = d.src.pos(val)
			}
		case "syscalls":
			groups = val
		}
		return err
	})
	if err != nil {
		return err
	}
	count := 0
	if groups != 0 {
		err = d.list(groups, "syscalls", func(i int, val value) error {
			count++
			return d.elasticGroup(val, i)
		})
	}
	if err == nil && count == 0 {
		err = d.errorf(policy, "", "no syscalls, of which the library wants at least one group")
	}
	return err
}

// elasticAction reads an action, in any letter case. ERRNO gives EPERM and TRACE no data.
func (d *decoder) elasticAction(v value, path string) (ActionName, *uint32, error) {
	text, err := d.str(v, path)
	if err != nil {
		return "", nil, err
	}
	a := elasticActions[strings.ToLower(text)]
	if a == "" {
		return "", nil, d.oneOf(v, path, "action", text, elasticActionWords)
	}
	if a == "SCMP_ACT_TRACE" {
		return a, new(uint32), nil
	}
	return a, nil, nil
}

// elasticGroup reads a group: a rule for its names, and one for each list of arguments.
func (d *decoder) elasticGroup(v value, i int) error {
	group, path := Rule{Pos: d.src.pos(v), group: i}, "syscalls["+strconv.Itoa(i)+"]"
	var names, named value
	err := d.object(v, path, elasticGroup, func(field string, _, val value) (err error) {
		switch field {
		case "names":
			names = val
		case "names_with_args":
			named = val
		case "action":
			group.Action, group.ErrnoRet, err = d.elasticAction(val, path+".action")
			group.ActionPos = d.src.pos(val)
		}
		return err
	})
	if err != nil {
		return err
	}
	if group.Action == "" {
		return d.errorf(v, path, "no action")
	}
	seen := map[string]bool{} // true: without arguments
	before := len(d.p.Rules)
	if names != 0 && !d.src.isNull(names) {
		if err := d.elasticNames(group, names, path+".names", seen); err != nil {
			return err
		}
	}
	if named != 0 {
		err := d.list(named, path+".names_with_args", func(i int, val value) error {
			return d.elasticNamed(group, val, path+".names_with_args["+strconv.Itoa(i)+"]", seen)
		})
		if err != nil {
			return err
		}
	}
	if len(d.p.Rules) == before {
		d.problem(v, EmptyNames, path, "", "names no syscall: no effect")
	}
	return nil
}

// addRule adds a rule of a group.
func (d *decoder) addRule(r Rule) {
	r.Index = len(d.p.Rules)
	d.p.Rules = append(d.p.Rules, r)
}

// elasticNames reads the names without arguments: a list, or one word alone.
func (d *decoder) elasticNames(group Rule, v value, path string, seen map[string]bool) error {
	name := func(val value, path string) error {
		n, err := d.elasticName(val, path)
		if err != nil {
			return err
		}
		if seen[n.Text] {
			return d.errorf(val, path, "%s stands twice in a group, which the library does not take", clip(n.Text))
		}
		seen[n.Text] = true
		group.Names = append(group.Names, n)
		return nil
	}
	var err error
	if d.src.kind(v) == "a string" {
		err = name(v, path)
	} else {
		err = d.list(v, path, func(i int, val value) error { return name(val, path+"["+strconv.Itoa(i)+"]") })
	}
	if err == nil && len(group.Names) > 0 {
		d.addRule(group)
	}
	return err
}

// elasticName reads the name of a call, which the library must know on one architecture at least.
func (d *decoder) elasticName(v value, path string) (Name, error) {
	n := Name{d.src.text(v), d.src.pos(v)}
	if err := d.want(v, path, "a string"); err != nil {
		return n, err
	}
	for _, a := range elasticArches() {
		if _, ok := elasticNumber(a, n.Text); ok {
			return n, nil
		}
	}
	if near := d.lookup(n.Text).nearest; near != "" {
		return n, d.errorf(v, path, "unknown syscall %q, which the library does not take; did you mean %s?", clip(n.Text), near)
	}
	return n, d.errorf(v, path, "unknown syscall %q, which the library does not take", clip(n.Text))
}

// elasticNamed reads a name with its arguments, all of which must match.
func (d *decoder) elasticNamed(group Rule, v value, path string, seen map[string]bool) error {
	r := group
	r.Pos = d.src.pos(v)
	var arguments value
	err := d.object(v, path, elasticNamed, func(field string, _, val value) (err error) {
		switch field {
		case "name":
			n, bad := d.elasticName(val, path+".name")
			r.Names, err = []Name{n}, bad
		case "arguments":
			arguments = val
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case len(r.Names) == 0:
		return d.errorf(v, path, "no name")
	case seen[r.Names[0].Text]:
		return d.errorf(v, path, "%s stands in the group without arguments, too, which the library does not take", clip(r.Names[0].Text))
	case arguments == 0:
		return d.errorf(v, path, "no arguments")
	}
	seen[r.Names[0].Text] = false
	err = d.list(arguments, path+".arguments", func(i int, val value) error {
		at := path + ".arguments[" + strconv.Itoa(i) + "]"
		if i == maxArgs {
			return d.errorf(val, at, "more than %d conditions in one rule", maxArgs)
		}
		a, err := d.elasticArgument(val, at)
		r.Args = append(r.Args, a)
		return err
	})
	if err == nil && len(r.Args) == 0 {
		err = d.errorf(arguments, path+".arguments", "empty, which the library does not take")
	}
	if err == nil {
		d.addRule(r)
	}
	return err
}

// elasticArgument reads a condition. Argument and value are 0 where they are not given. Without an operation the
// library would load the argument and compare it with nothing.
func (d *decoder) elasticArgument(v value, path string) (Arg, error) {
	a := Arg{Pos: d.src.pos(v)}
	op := ""
	err := d.object(v, path, elasticArgument, func(field string, _, val value) (err error) {
		at := path + "." + field
		switch field {
		case "argument":
			n := uint64(0)
			n, err = d.elasticNumber(val, at, maxArg)
			a.Index = int(n)
		case "operation":
			if op, err = d.str(val, at); err != nil {
				return err
			}
			i := slices.IndexFunc(elasticOpWords, func(word string) bool { return strings.EqualFold(word, op) })
			if i < 0 {
				return d.oneOf(val, at, "operation", op, elasticOpWords)
			}
			op = elasticOpWords[i]
		case "value":
			a.Value, err = d.elasticNumber(val, at, 1<<64-1)
		}
		return err
	})
	if err == nil && op == "" {
		err = d.errorf(v, path, "no operation")
	}
	a.Op = elasticOps[op]
	return a, err
}

// elasticNumber reads a number, which may be in quotes.
func (d *decoder) elasticNumber(v value, path string, limit uint64) (uint64, error) {
	if d.src.kind(v) == "a string" {
		n, err := strconv.ParseUint(d.src.text(v), 0, 64)
		if err != nil || n > limit {
			return 0, d.errorf(v, path, "%q is no whole number up to %d", clip(d.src.text(v)), limit)
		}
		return n, nil
	}
	n, _, err := d.unsigned(v, path, limit)
	return n, err
}
