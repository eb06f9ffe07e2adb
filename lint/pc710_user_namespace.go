package lint

import (
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
	"github.com/profcheck/profcheck/profile"
)

// Flags of clone and unshare (include/uapi/linux/sched.h).
const (
	cloneNewUser = 0x10000000
	cloneVM      = 0x00000100
	cloneVfork   = 0x00004000
	sigchld      = 17
)

var _ = register(&Check{
	ID: "PC710", Name: "user-namespace-open", Severity: finding.Warning,
	Title: "a process can make a user namespace",
	Why: "In a new user namespace a process has every capability, and with that reaches the mount, network and netfilter " +
		"code that most privilege escalations of the last years needed. clone, clone3, unshare and setns all lead there; " +
		"a filter sees the flags of clone and unshare, but not those of clone3, which lie in memory.",
	When: "A warning. An error if the filter refuses CLONE_NEWUSER to clone and leaves clone3 or unshare open for it: the " +
		"rule that was meant to keep namespaces shut does not. Nothing with CAP_SYS_ADMIN.",
	Wrong: "Programs that build sandboxes, such as browsers and rootless container engines, need it; and a host can forbid " +
		"user namespaces by other means.",
	Remedy: "Allow clone with SCMP_CMP_MASKED_EQ 0x7e020000 on its flags, deny clone3 with ENOSYS so that libraries fall back " +
		"to clone, and deny unshare and setns.",
	Sources: []string{
		"https://github.com/moby/moby/pull/42681",
		"https://github.com/flatpak/flatpak/pull/4456",
		"https://nvd.nist.gov/vuln/detail/CVE-2022-0185",
	},
	Run: func(p *Pass) {
		for _, q := range p.problems(profile.OtherFilter) {
			if q.Name == "RestrictNamespaces" {
				return // a filter of its own, which is not seen here, shuts them
			}
		}
		d := catalog.DangerByKey("namespace")
		var found []opening
		severity := finding.Warning
		for _, abi := range p.ABIs {
			if abi.granted(d.Caps) {
				continue
			}
			doors, clone := p.userNamespaceDoors(abi)
			if clone == closed && p.gap(abi, doors) {
				severity = finding.Error
			}
			found = append(found, doors...)
		}
		extra := ""
		if severity == finding.Error {
			extra = "the filter refuses CLONE_NEWUSER to clone, and this way round it makes user namespaces all the same"
		} else if len(found) > 0 {
			extra = "a process can make a user namespace, in which it has every capability"
		}
		p.reportOpenings(severity, namespaceCalls(d), found, extra,
			"deny unshare and setns, deny clone3 with ENOSYS, and allow clone only without namespace flags (mask 0x7e020000)")
	},
})

// namespaceCalls is the catalogue's entry with clone, which is dangerous with some flags only.
func namespaceCalls(d *catalog.Danger) *catalog.Danger {
	with := *d
	with.Names = append([]string{"clone"}, d.Names...)
	return &with
}

// userNamespaceDoors returns the calls by which a process can get a user namespace, and whether
// clone is one.
func (p *Pass) userNamespaceDoors(abi *ABI) (doors []opening, clone reach) {
	flags := []uint64{cloneNewUser, cloneNewUser | sigchld, cloneNewUser | cloneVM | cloneVfork | sigchld}
	try := func(name string, args [6][]uint64) reach {
		o, found := p.ask(abi, name, args)
		if found == open {
			doors = append(doors, o)
		}
		return found
	}
	clone = try("clone", at(abi.cloneFlags(), flags))
	try("unshare", at(0, flags[:1]))
	try("setns", at(1, []uint64{0, cloneNewUser})) // 0: a namespace of any type
	try("clone3", anyArgs)
	return doors, clone
}

// gap reports whether clone is open, for what is not CLONE_NEWUSER, while another call makes a user
// namespace.
func (p *Pass) gap(abi *ABI, doors []opening) bool {
	if _, found := p.ask(abi, "clone", anyArgs); found != open {
		return false
	}
	return slices.ContainsFunc(doors, func(o opening) bool { return o.name == "clone3" || o.name == "unshare" })
}

// cloneFlags returns which argument of clone holds the flags: the first, on s390 the second.
func (a *ABI) cloneFlags() int {
	params, _ := a.Params("clone")
	for i, p := range params {
		if strings.Contains(p.Name, "flags") {
			return i
		}
	}
	return 0
}

// at asks for constants in one argument.
func at(index int, values []uint64) [6][]uint64 {
	var args [6][]uint64
	args[index] = values
	return args
}
