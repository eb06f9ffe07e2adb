package lint

import (
	"slices"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

// Pass is one run over one profile, as a check sees it.
type Pass struct {
	Input Input
	Hosts []*Host // one for each host kernel that the judged ABIs need
	ABIs  []*ABI  // the judged ABIs, in the order asked for

	calls    []*call // what the programs and the runtime need, by ABI and number
	byNumber map[callKey]*call
	unused   []Outcome         // open on the ABI of a program, and needed by nothing
	unclear  map[*ABI][]string // calls of which the filter is too complex to tell whether they are open

	check    *Check
	findings []finding.Finding
}

// callKey finds a call.
type callKey struct {
	abi *ABI
	nr  int32
}

// Report adds a finding of the running check. A finding that is the same on several ABIs is
// reported once for each and joined later, so Message must not name the ABI.
func (p *Pass) Report(f finding.Finding) {
	f.Check = p.check.ID
	p.findings = append(p.findings, f)
}

// place turns a position in a profile into the form of a finding.
func place(pos profile.Pos) finding.Pos {
	return finding.Pos{File: pos.File, Line: pos.Line, Column: pos.Column}
}

// whole is the place of a finding about the profile as such: of a container's, where the manifest gives it.
func (p *Pass) whole() finding.Pos {
	if c := p.container(); c != nil {
		return place(seccompPos(c))
	}
	return finding.Pos{File: p.Input.Profile.Name}
}

// problems returns what the reader noted of these kinds, in file order.
func (p *Pass) problems(kinds ...profile.Kind) (out []profile.Problem) {
	for _, problem := range p.Input.Profile.Problems {
		if slices.Contains(kinds, problem.Kind) {
			out = append(out, problem)
		}
	}
	return out
}
