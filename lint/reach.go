package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

// opening is a call that is open on an ABI, with arguments that show it.
type opening struct {
	abi     *ABI
	name    string
	action  filter.Action // the most permissive answer
	witness *finding.Witness
}

// any stands for arguments of which nothing is asked.
var anyArgs [6][]uint64

// open reports whether the filter lets a call run when its arguments can only hold the given
// constants, where any are given. What is open has a witness. Nothing is open without a filter,
// because then the one finding is that there is none.
func (a *ABI) open(name string, args [6][]uint64) (opening, bool) {
	nr, ok := a.Number(name)
	if !ok || !a.Enforced() {
		return opening{}, false
	}
	regions, err := a.AnswerFor(nr, args)
	if err != nil {
		return opening{}, false // beyond the simulator: nothing can be shown
	}
	best := opening{abi: a, name: name}
	found := false
	for _, r := range regions {
		if !opens(r.Action) || found && !graver(best.action, r.Action) {
			continue
		}
		if w := a.witness(name, nr, r, args); w != nil {
			best.action, best.witness, found = r.Action, w, true
		}
	}
	return best, found
}

// closed reports whether the ABI has the call and the filter never lets it run.
func (a *ABI) closed(name string) bool {
	if _, ok := a.Number(name); !ok {
		return false
	}
	_, open := a.open(name, anyArgs)
	return !open
}

// granted reports whether the container has one of the capabilities.
func (a *ABI) granted(caps []string) bool {
	return slices.ContainsFunc(caps, func(c string) bool { return slices.Contains(a.Host.Target.Caps, c) })
}

// openings returns the calls of a danger that are open on the judged ABIs without the capability
// that should gate them.
func (p *Pass) openings(d *catalog.Danger) []opening {
	var out []opening
	for _, abi := range p.ABIs {
		if abi.granted(d.Caps) {
			continue
		}
		for _, name := range d.Names {
			if o, ok := abi.open(name, anyArgs); ok {
				out = append(out, o)
			}
		}
	}
	return out
}

// reportOpenings reports calls of a danger that are open, as one finding. The extra text, if any,
// says more than the catalogue does.
func (p *Pass) reportOpenings(severity finding.Severity, d *catalog.Danger, found []opening, extra, remedy string) {
	if len(found) == 0 {
		return
	}
	var names, arches []string
	for _, o := range found {
		if !slices.Contains(names, o.name) {
			names = append(names, o.name)
		}
		if !slices.Contains(arches, o.abi.Name) {
			arches = append(arches, o.abi.Name)
		}
	}
	// In the order of the catalogue, the most telling first.
	slices.SortStableFunc(names, func(a, b string) int { return slices.Index(d.Names, a) - slices.Index(d.Names, b) })
	show := found[slices.IndexFunc(found, func(o opening) bool { return o.name == names[0] })]

	message := fmt.Sprintf("%s %s open", list(names, 3), are(len(names)))
	if len(d.Caps) > 0 {
		message += " without " + strings.Join(d.Caps, " or ")
	}
	if extra == "" {
		extra = d.Why
		if len(names) == 1 {
			extra = "it " + extra
		} else {
			extra = "each of them " + extra
		}
	}
	message += ": " + extra
	if show.action.Base() != filter.Allow {
		message += fmt.Sprintf(" (%s)", show.action)
	}
	f := finding.Finding{
		Severity: severity, Syscalls: names, Message: message, Witness: show.witness, Remedy: remedy,
		Pos: p.ruleFor(show),
	}
	if len(arches) < len(p.ABIs) || len(arches) == 1 {
		f.Arch = show.abi.Name
	}
	if others := slices.DeleteFunc(arches, func(a string) bool { return a == f.Arch }); f.Arch != "" && len(others) > 0 {
		f.Message += fmt.Sprintf(" (also on %s)", list(others, len(others)))
	}
	p.Report(f)
}

// ruleFor returns the place of the rule that opens a call, the profile as a whole if it is the
// default action.
func (p *Pass) ruleFor(o opening) finding.Pos {
	for _, r := range o.abi.Host.Resolved.Rules {
		if r.Name == o.name && opens(r.Action) {
			return place(r.Pos)
		}
	}
	return p.whole()
}
