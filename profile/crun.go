package profile

import "fmt"

// crunAllArgs is the release of crun from which a rule may have more than six conditions; before, the
// seventh and later were dropped (containers/crun #2220, after 1.29.1).
var crunAllArgs = version{1, 30, 0}

// crun checks what crun refuses and the formats' readers do not: an errno for an action that has
// none, and an empty section (src/libcrun/seccomp.c libcrun_generate_seccomp).
func (r *resolver) crun(rules []*Rule) error {
	refuse := func(pos Pos, path string, a ActionName) error {
		return r.loadError(ErrnoNotTaken, pos, path, "an errno for %s, which carries none", a)
	}
	if r.defaultErrno != nil && !r.p.DefaultAction.CarriesErrno() {
		return refuse(r.p.DefaultActionPos, "", r.p.DefaultAction)
	}
	for _, rule := range rules {
		if r.ruleErrno[rule.Index] != nil && !rule.Action.CarriesErrno() {
			return refuse(rule.ActionPos, fmt.Sprintf("syscalls[%d]", rule.Index), rule.Action)
		}
	}
	return nil
}

// crunArgs returns the conditions that crun looks at.
func (r *resolver) crunArgs(args []Arg) []Arg {
	if v, _ := parseVersion(r.Target.Version); v.less(crunAllArgs) && len(args) > maxArg+1 {
		return args[:maxArg+1]
	}
	return args
}

// crunStartCalls is StartCalls for crun.
func crunStartCalls(t Target) []StartCall { return nil }
