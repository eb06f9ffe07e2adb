package lint

import (
	"slices"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC711", Name: "mount-open", Severity: finding.Warning,
	Title: "a process can change what is mounted where",
	Why: "Mounting needs CAP_SYS_ADMIN, which a process has in a user namespace of its own; then only the filter is between " +
		"it and the file system drivers. Since Linux 5.2 there are two ways to mount, and a list that denies mount and " +
		"not fsopen, open_tree and move_mount denies nothing.",
	When: "A warning. An error if mount is denied and a whole way through the newer calls is open: move_mount with fsmount, " +
		"or with open_tree. Nothing with CAP_SYS_ADMIN.",
	Wrong:  "Programs that build sandboxes mount on purpose.",
	Remedy: "Deny the older and the newer calls together, or put them into a rule for CAP_SYS_ADMIN.",
	Sources: []string{
		"https://github.com/flatpak/flatpak/pull/4456",
		"https://docs.docker.com/engine/security/seccomp/",
	},
	Run: func(p *Pass) {
		d := catalog.DangerByKey("mount")
		found := p.openings(d)
		severity, extra := finding.Warning, ""
		for _, abi := range p.ABIs {
			isOpen := func(name string) bool {
				return slices.ContainsFunc(found, func(o opening) bool { return o.abi == abi && o.name == name })
			}
			if p.closed(abi, "mount") && isOpen("move_mount") && (isOpen("fsmount") || isOpen("open_tree") || isOpen("open_tree_attr")) {
				severity, extra = finding.Error, "together they mount, although mount is denied"
			}
		}
		p.reportOpenings(severity, d, found, extra, "deny these calls like mount, or allow them for CAP_SYS_ADMIN only")
	},
})
