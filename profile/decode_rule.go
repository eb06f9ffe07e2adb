package profile

import "strconv"

func (d *decoder) rules(v value) ([]Rule, error) {
	var rules []Rule
	err := d.list(v, "syscalls", func(i int, val value) error {
		r, err := d.rule(val, i)
		rules = append(rules, r)
		return err
	})
	return rules, err
}

// rule reads one entry of syscalls. null is refused: Docker's reader crashes on it, and runc misses
// its action.
func (d *decoder) rule(v value, i int) (Rule, error) {
	path := "syscalls[" + strconv.Itoa(i) + "]"
	r := Rule{Pos: d.src.pos(v), Index: i}
	if err := d.want(v, path, "an object"); err != nil {
		return r, err
	}
	var names, name value
	errno := v
	err := d.object(v, path, ruleSchema, func(field string, key, val value) (err error) {
		at := path + "." + field
		switch field {
		case "names":
			names = val
			_, err = d.words(val, at)
		case "name":
			name = val
			_, err = d.str(val, at)
		case "action":
			r.Action, err = d.action(val, at)
			r.ActionPos = d.src.pos(val)
		case "errnoRet":
			errno = val
			r.ErrnoRet, err = d.errno(val, at)
		case "errno":
			r.Errno = d.errnoWord(val)
		case "args":
			r.Args, err = d.args(val, at)
		case "comment":
			r.Comment, err = d.str(val, at)
		case "includes":
			r.Includes, err = d.filter(val, at)
		case "excludes":
			r.Excludes, err = d.filter(val, at)
		}
		return err
	})
	if err != nil {
		return r, err
	}
	if r.Action == "" {
		return r, d.errorf(v, path, "no action")
	}
	if r.ErrnoRet != nil {
		d.checkErrno(errno, path, "errnoRet", r.Action, *r.ErrnoRet)
	}
	return r, d.names(&r, v, names, name, path)
}

// names joins the two forms, names and name; an offset of 0 is a form that is absent. Only one
// of them may say something.
func (d *decoder) names(r *Rule, rule, names, name value, path string) (err error) {
	if names != 0 {
		if r.Names, err = d.words(names, path+".names"); err != nil {
			return err
		}
	}
	if name != 0 {
		text, err := d.str(name, path+".name")
		if err != nil {
			return err
		}
		if text != "" {
			if len(r.Names) > 0 {
				return d.errorf(name, path, "both name and names: only one of them may be given")
			}
			r.Names, r.OldForm = []Name{{text, d.src.pos(name)}}, true
		}
	}
	if len(r.Names) == 0 {
		d.problem(rule, EmptyNames, path, "", "names no syscall: no effect")
		return nil
	}
	if r.OldForm {
		d.known(name, path, r.Names[0].Text)
		return nil
	}
	return d.list(names, path, func(i int, val value) error {
		if r.Names[i].Text == "" {
			return d.errorf(val, path+".names["+strconv.Itoa(i)+"]", "empty syscall name")
		}
		d.known(val, path, r.Names[i].Text)
		return nil
	})
}

// known notes a name that no ABI has.
func (d *decoder) known(v value, path, name string) {
	if h := d.lookup(name); !h.known {
		d.suggest(v, UnknownSyscall, path, name, h.nearest, "unknown syscall %q: runtimes skip it without a word", clip(name))
	}
}

func (d *decoder) args(v value, path string) ([]Arg, error) {
	var args []Arg
	err := d.list(v, path, func(i int, val value) error {
		if i == maxArgs {
			return d.errorf(val, path, "more than %d conditions in one rule", maxArgs)
		}
		a, err := d.arg(val, path+"["+strconv.Itoa(i)+"]")
		args = append(args, a)
		return err
	})
	return args, err
}

// maxArgs bounds the conditions of one rule, so that a hostile file stays cheap. A call has six
// arguments; runc takes an argument twice as alternatives, and no profile in public use has more
// than a few of those.
const maxArgs = 64

// maxArg is the index of the last argument of a call.
const maxArg = 5

func (d *decoder) arg(v value, path string) (Arg, error) {
	a := Arg{Pos: d.src.pos(v)}
	if err := d.want(v, path, "an object"); err != nil {
		return a, err
	}
	most := d.dialect.max
	if most == 0 {
		most = 1<<64 - 1
	}
	err := d.object(v, path, argSchema, func(field string, key, val value) (err error) {
		at := path + "." + field
		switch field {
		case "index":
			n, _, err := d.unsigned(val, at, 1<<64-1)
			if err == nil && n > maxArg {
				err = d.errorf(val, path, "index %d > %d", n, maxArg)
			}
			a.Index = int(n & 7)
			return err
		case "value":
			a.Value, _, err = d.unsigned(val, at, most)
		case "valueTwo":
			a.ValueTwo, _, err = d.unsigned(val, at, most)
		case "op":
			text, err := d.str(val, at)
			if err != nil {
				return err
			}
			a.Op = Op(text)
			return d.oneOf(val, at, "operator", text, opWords)
		}
		return err
	})
	if err == nil && a.Op == "" {
		err = d.errorf(v, path, "no op")
	}
	return a, err
}

var opWords = func() []string {
	words := make([]string, len(ops))
	for i, o := range ops {
		words[i] = string(o)
	}
	return words
}()
