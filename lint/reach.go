package lint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint/internal/catalog"
	"github.com/profcheck/profcheck/simulate"
)

// reach says whether the filter ever lets a call run.
type reach uint8

const (
	unclear reach = iota // the filter is too complex to tell
	closed
	open
)

// opening is a call that is open on an ABI, with arguments that show it where they can.
type opening struct {
	abi     *ABI
	name    string
	action  filter.Action    // the most permissive answer
	witness *finding.Witness // nil: none was found, or it depends on where the call is made
}

// anyArgs stands for arguments of which nothing is asked.
var anyArgs [6][]uint64

// reach tells whether the filter lets a call run when its arguments can only hold the given
// constants, where any are given. Nothing is open without a filter, because then the one finding is
// that there is none.
func (a *ABI) reach(name string, args [6][]uint64) (opening, reach) {
	best := opening{abi: a, name: name}
	nr, ok := a.Number(name)
	if !ok || !a.Enforced() {
		return best, closed
	}
	regions, err := a.AnswerFor(nr, args)
	if err != nil {
		return best, best.probe(nr, args)
	}
	found := closed
	for _, r := range regions {
		if !opens(r.Action) || found == open && !graver(best.action, r.Action) {
			continue
		}
		if w, empty := a.witness(name, nr, r, args); !empty {
			best.action, best.witness, found = r.Action, w, open
		}
	}
	return best, found
}

// witness returns a call in the region for which the filter really gives the region's action, nil if
// none is found; empty says that there is none.
func (a *ABI) witness(name string, nr int32, r simulate.Region, args [6][]uint64) (w *finding.Witness, empty bool) {
	d, err := r.Witness(a.Arch, args)
	switch {
	case errors.Is(err, simulate.ErrEmpty):
		return nil, true
	case err != nil, d.IP != 0, a.run(nr, d.Args) != r.Action:
		return nil, false
	}
	return &finding.Witness{Arch: a.Name, Syscall: name, Nr: nr, Args: d.Args}, false
}

// probe makes a few calls under a filter that cannot be explored: what runs is open, and otherwise
// nothing is known.
func (o *opening) probe(nr int32, args [6][]uint64) reach {
	var zero [6]uint64
	for i, list := range args {
		if len(list) > 0 {
			zero[i] = list[0]
		}
	}
	calls := [][6]uint64{zero}
	for i, list := range args {
		for _, v := range list {
			calls = append(calls, zero)
			calls[len(calls)-1][i] = v
		}
	}
	for _, c := range calls {
		if o.action = o.abi.run(nr, c); opens(o.action) {
			o.witness = &finding.Witness{Arch: o.abi.Name, Syscall: o.name, Nr: nr, Args: c}
			return open
		}
	}
	return unclear
}

// ask is reach for a check. What cannot be told is noted for PC820.
func (p *Pass) ask(abi *ABI, name string, args [6][]uint64) (opening, reach) {
	o, found := abi.reach(name, args)
	if found == unclear {
		p.note(abi, name)
	}
	return o, found
}

// note keeps a call for PC820.
func (p *Pass) note(abi *ABI, name string) {
	if p.unclear == nil {
		p.unclear = make(map[*ABI][]string)
	}
	if !slices.Contains(p.unclear[abi], name) {
		p.unclear[abi] = append(p.unclear[abi], name)
	}
}

// closed reports whether the ABI has the call and the filter never lets it run, for certain.
func (p *Pass) closed(abi *ABI, name string) bool {
	if _, ok := abi.Number(name); !ok {
		return false
	}
	_, found := p.ask(abi, name, anyArgs)
	return found == closed
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
			if o, found := p.ask(abi, name, anyArgs); found == open {
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
