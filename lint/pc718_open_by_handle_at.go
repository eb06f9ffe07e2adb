package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC718", Name: "open-by-handle-at", Severity: finding.Error,
	Title:   "a process can open files outside of its root",
	Why:     "open_by_handle_at opens a file by its number on the file system, wherever it lies. With CAP_DAC_READ_SEARCH that was a way out of early Docker containers.",
	When:    "An error. Nothing with CAP_DAC_READ_SEARCH, where who grants it means it.",
	Wrong:   "Without the capability the kernel refuses most uses; newer ones ask for less on some file systems.",
	Remedy:  "Allow open_by_handle_at for CAP_DAC_READ_SEARCH only.",
	Sources: []string{"https://docs.docker.com/engine/security/seccomp/", "https://man7.org/linux/man-pages/man2/open_by_handle_at.2.html"},
	Run: func(p *Pass) {
		d := catalog.DangerByKey("handle")
		p.reportOpenings(finding.Error, d, p.openings(d), "", "allow open_by_handle_at for CAP_DAC_READ_SEARCH only")
	},
})
