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

// crunStartOrigin names the measurements behind crunStartRows, made as runc's were.
const crunStartOrigin = "measured one by one on x86_64 with crun 1.8.1; close_range, and the two calls of a container that waits to be started, from strace and the source of 1.29"

// crunStartRows are the calls of crun's container process. It is one thread of C, so nothing depends
// on timing. A container that is made and started in one step does not wait.
var crunStartRows = []startRow{
	{name: "execve", late: req, early: req, why: "starts the program"},
	{name: "capset", early: req, why: "drops its capabilities"},
	{name: "prctl", early: req, why: "drops capabilities from the bounding set and keeps the others over setresuid"},
	{name: "setresgid", early: req, why: "takes the container's group"},
	{name: "setresuid", early: req, why: "takes the container's user"},
	{name: "rt_sigprocmask", early: req, why: "lets signals through again"},
	{name: "rt_sigaction", early: req, why: "puts signal handlers back"},
	{name: "write", early: req, why: "tells its parent that it is ready"},
	{name: "pselect6", early: req, why: "waits to be started"},
	{name: "read", early: req, why: "reads from the exec fifo that it is to start"},
	{name: "close", late: tol, early: tol, why: "closes the filter's file and the socket to its parent"},
	{name: "close_range", late: tol, early: tol, since: []version{{1, 14, 1}}, why: "closes what the program must not get"},
}
