package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC717", Name: "keyring-open", Severity: finding.Warning,
	Title:   "a process can use the kernel's keyrings",
	Why:     "Keyrings belong to a user of the host and not to a container, so containers of one user share them; CVE-2016-0728 was in their code.",
	When:    "A warning.",
	Wrong:   "Programs with Kerberos or encrypted file systems use keyrings.",
	Remedy:  "Deny keyctl, add_key and request_key together.",
	Sources: []string{"https://docs.docker.com/engine/security/seccomp/", "https://nvd.nist.gov/vuln/detail/CVE-2016-0728"},
	Run: func(p *Pass) {
		d := catalog.DangerByKey("keyring")
		p.reportOpenings(finding.Warning, d, p.openings(d), "", "deny keyctl, add_key and request_key")
	},
})
