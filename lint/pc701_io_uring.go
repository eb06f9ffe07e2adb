package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC701", Name: "io-uring-open", Severity: finding.Error,
	Title: "io_uring does unseen what the filter denies",
	Why: "A ring opens files, connects sockets and much more on behalf of the process, and no filter sees these operations: " +
		"only io_uring_setup, io_uring_enter and io_uring_register are system calls. Docker and containerd took them out " +
		"of their defaults after a large share of the kernel exploits of a bounty programme had used them.",
	When:    "An error if io_uring_setup is open; a warning if only the others are, which need a ring from elsewhere.",
	Wrong:   "A database that is built on io_uring needs it; then nothing else in the profile on files and sockets counts.",
	Remedy:  "Drop the three calls. Most programs that use io_uring do without it.",
	Sources: []string{"https://github.com/moby/moby/pull/46762", "https://github.com/containerd/containerd/pull/9320"},
	Run: func(p *Pass) {
		d := catalog.DangerByKey("io_uring")
		found := p.openings(d)
		severity := finding.Warning
		for _, o := range found {
			if o.name == "io_uring_setup" {
				severity = finding.Error
			}
		}
		p.reportOpenings(severity, d, found, "", "drop io_uring_setup, io_uring_enter and io_uring_register")
	},
})
