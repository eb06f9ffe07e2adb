package lint

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC103", Name: "field-ignored-by-target", Severity: finding.Error,
	Title: "the target does not read a field of the profile",
	Why: "The same JSON means different things to different runtimes. Docker reads includes and excludes; containerd, which " +
		"Kubernetes gives a Localhost profile to, reads the file as an OCI section and drops them in silence, so each rule that " +
		"was meant for some capabilities, architectures or kernels counts for every container. Podman and CRI-O read both but " +
		"not minKernel. Errnos as words are read by Podman and CRI-O alone. profcheck targets lists them all.",
	When: "An error where a rule that the profile leaves out for this target counts all the same and opens calls. A warning " +
		"otherwise. Nothing for an errno as a word whose number stands beside it.",
	Wrong:  "Where the file is given to another runtime than the one asked about.",
	Remedy: "Write the profile for its runtime: without conditions, with the rules that this container is to have.",
	Sources: []string{
		"https://github.com/containerd/containerd/blob/main/contrib/seccomp/seccomp.go WithProfile",
		"https://github.com/containers/container-libs/blob/main/common/pkg/seccomp/types.go",
		"https://github.com/kubernetes/kubernetes/issues/39128",
	},
	Run: func(p *Pass) {
		p.unread()
		lost := lostConditions{}
		for _, h := range p.Hosts {
			var done []string
			for _, ignored := range h.Resolved.Ignored {
				switch field := ignored.Name; {
				case field == "includes", field == "excludes":
					lost.places = append(lost.places, ignored)
				case !slices.Contains(done, field):
					done = append(done, field)
					p.ignoredField(h, field)
				}
			}
			if len(lost.places) > 0 {
				p.loseConditions(h, &lost)
			}
		}
		p.reportConditions(&lost)
	},
})

// ignoredField reports a field, once for all its places.
func (p *Pass) ignoredField(h *Host, field string) {
	var places []profile.Problem
	for _, ignored := range h.Resolved.Ignored {
		if ignored.Name == field {
			places = append(places, ignored)
		}
	}
	f := finding.Finding{
		Severity: finding.Warning, Message: places[0].Text, Pos: place(places[0].Pos),
		Remedy: "write the profile for " + h.Target.Runtime + ", without the field",
	}
	if n := len(places); n > 1 {
		f.Message += fmt.Sprintf(" (%d places in all)", n)
	}
	if field == "errno" || field == "defaultErrno" {
		if p.sameErrnos(h) {
			return
		}
		f.Arch = h.Native.Name // words have other numbers on MIPS
	}
	p.Report(f)
}

// lostConditions are the includes and excludes that are not read, on all hosts.
type lostConditions struct {
	places []profile.Problem
	rules  []int             // by Index, that count although the profile leaves them out on a host
	opened []openedByMistake // in file order
}

// openedByMistake is a call that such a rule opens.
type openedByMistake struct {
	name string
	pos  profile.Pos
	arch bool // because of the host's architecture, which says little
}

// loseConditions adds what a host enforces although the profile leaves it out there.
func (p *Pass) loseConditions(h *Host, lost *lostConditions) {
	written, err := p.readBy(h, profile.RuntimeKernel) // for what it says
	if err != nil {
		return
	}
	reasons := map[int]profile.Reason{}
	for _, s := range written.Skipped {
		switch s.Reason {
		case profile.SkipCaps, profile.SkipArch, profile.SkipKernel:
			reasons[s.Source.Index] = s.Reason
		}
	}
	for _, r := range h.Resolved.Rules {
		reason, ok := reasons[r.Source.Index]
		if !ok {
			continue
		}
		if !slices.Contains(lost.rules, r.Source.Index) {
			lost.rules = append(lost.rules, r.Source.Index)
		}
		known := slices.ContainsFunc(lost.opened, func(o openedByMistake) bool { return o.name == r.Name })
		if opens(r.Action) && !openedBy(written, r.Name) && !known {
			lost.opened = append(lost.opened, openedByMistake{r.Name, r.Pos, reason == profile.SkipArch})
		}
	}
}

// reportConditions reports them in one finding: hosts differ in little but what is about architectures.
func (p *Pass) reportConditions(lost *lostConditions) {
	if len(lost.places) == 0 {
		return
	}
	runtime := p.Hosts[0].Target.Runtime
	f := finding.Finding{
		Severity: finding.Warning, Message: lost.places[0].Text, Pos: place(lost.places[0].Pos),
		Remedy: "write the profile for " + runtime + ", without conditions",
	}
	what := "includes and excludes"
	if minKernelOnly(p.Hosts[0]) {
		what = "minKernel"
	}
	if len(lost.rules) > 0 {
		f.Message = fmt.Sprintf("%s does not read %s, so it enforces %s that the profile leaves out here", runtime, what, count(len(lost.rules), "rule"))
	}
	if len(lost.opened) > 0 {
		slices.SortStableFunc(lost.opened, func(a, b openedByMistake) int {
			return cmp.Or(boolInt(a.arch)-boolInt(b.arch), a.pos.Line-b.pos.Line, a.pos.Column-b.pos.Column)
		})
		var names []string
		for _, o := range lost.opened {
			names = append(names, o.name)
		}
		f.Severity, f.Pos, f.Syscalls = finding.Error, place(lost.opened[0].pos), names
		f.Message += " and opens " + list(names, 4)
		f.Remedy = fmt.Sprintf("give %s a profile without conditions and without these calls", runtime)
	}
	p.Report(f)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// minKernelOnly reports whether the target reads the other conditions.
func minKernelOnly(h *Host) bool { return readsConditions(h) }

// readsConditions reports whether the target reads includes and excludes, but perhaps for minKernel.
func readsConditions(h *Host) bool {
	c, err := profile.CellOf("includes.caps", h.Target.Runtime)
	return err == nil && c.Handling == profile.HandlingRead
}

// unread reports what the file's own format has no place for, so that its reader left it out for every
// target: once for each field.
func (p *Pass) unread() {
	places := map[string][]profile.Problem{}
	var fields []string
	for _, problem := range p.problems(profile.IgnoredField) {
		if problem.Name == "comment" {
			continue // for people
		}
		if places[problem.Name] == nil {
			fields = append(fields, problem.Name)
		}
		places[problem.Name] = append(places[problem.Name], problem)
	}
	for _, field := range fields {
		list := places[field]
		f := finding.Finding{
			Severity: finding.Warning, Message: list[0].Text, Pos: place(list[0].Pos), Remedy: "remove the field, or write the profile in the format that has it",
		}
		if n := len(list); n > 1 {
			f.Message += fmt.Sprintf(" (%d places in all)", n)
		}
		p.Report(f)
	}
}

// readBy resolves the profile as another runtime reads it, on the same host.
func (p *Pass) readBy(h *Host, runtime string) (*profile.Resolved, error) {
	t := h.Target
	t.Runtime, t.Version = runtime, ""
	return p.Input.Profile.Outline(t)
}

// openedBy reports whether a rule opens the call whatever its arguments are.
func openedBy(r *profile.Resolved, name string) bool {
	return opens(r.Default) || slices.ContainsFunc(r.Rules, func(rule profile.ResolvedRule) bool {
		return rule.Name == name && opens(rule.Action) && len(rule.Conds) == 0
	})
}

// sameErrnos reports whether the numbers beside the words say the same.
func (p *Pass) sameErrnos(h *Host) bool {
	podman, err := p.readBy(h, profile.RuntimePodman+"/"+profile.RuntimeRunc)
	if err != nil || podman.Default != h.Resolved.Default {
		return false
	}
	actions := map[int]string{}
	for _, r := range podman.Rules {
		actions[r.Source.Index] = r.Action.String()
	}
	return !slices.ContainsFunc(h.Resolved.Rules, func(r profile.ResolvedRule) bool {
		a, ok := actions[r.Source.Index]
		return ok && a != r.Action.String()
	})
}
