package lint

import (
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

var _ = register(&Check{
	ID: "PC715", Name: "perf-event-open", Severity: finding.Warning,
	Title:   "a process can measure the kernel and its neighbours",
	Why:     "perf_event_open gives counters and samples of the kernel and of other processes, good for side channels, and its code has had faults that gave root.",
	When:    "A warning. Nothing with CAP_PERFMON or CAP_SYS_ADMIN.",
	Wrong:   "On hosts with a high kernel.perf_event_paranoid the kernel refuses it anyway.",
	Remedy:  "Allow perf_event_open for CAP_PERFMON only.",
	Sources: []string{"https://docs.docker.com/engine/security/seccomp/", "https://docs.kernel.org/admin-guide/perf-security.html"},
	Run: func(p *Pass) {
		d := catalog.DangerByKey("perf")
		p.reportOpenings(finding.Warning, d, p.openings(d), "", "allow perf_event_open for CAP_PERFMON only")
	},
})
