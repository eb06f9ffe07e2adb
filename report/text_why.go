package report

import (
	"fmt"
	"strings"
)

func (p *printer) why(w *Why) {
	name := call(w.Why.Name, w.Why.Nr)
	if !w.Needed {
		p.notNeeded(w, name)
		return
	}
	text := fmt.Sprintf(": %s can call %s (%d on %s), class %s", w.Binary, name, w.Why.Nr, w.Arch, w.Need.Class)
	if w.Need.Condition != "" {
		text += ", if " + w.Need.Condition
	}
	p.lead(bold, "needed", text)
	if w.Need.Detail != "" {
		p.line("%s", w.Need.Detail)
	}
	if a := arguments(w.Need.Args); a != "" {
		p.line("arguments: %s", a)
	}
	sites := w.Sites
	if !p.verbose && len(sites) > 1 {
		sites = sites[:1]
	}
	if len(sites) == 0 && len(w.Need.Path) > 0 {
		sites = []Site{{Class: w.Need.Class, Path: w.Need.Path}}
	}
	for i, s := range sites {
		p.blank()
		if p.verbose && len(sites) > 1 {
			p.line("site %d of %d, class %s: %s", i+1, len(sites), s.Class, arguments(s.Args))
		}
		p.path("  ", s.Path)
	}
	if more := len(w.Sites) - len(sites); more > 0 {
		p.blank()
		p.line("%s (--verbose shows them)", count(more, "more place"))
	}
}

// notNeeded says that no place was found that makes the call. It is certain only if all code was read.
func (p *printer) notNeeded(w *Why, name string) {
	asked := fmt.Sprintf("%s (%d on %s)", name, w.Why.Nr, w.Arch)
	switch {
	case !w.Complete:
		p.lead(yellow, "not seen", fmt.Sprintf(": nothing in %s calls %s, but the scan is incomplete: %s",
			w.Binary, asked, strings.Join(w.Missing, "; ")))
	case len(w.Gaps) > 0:
		p.lead(yellow, "not seen", fmt.Sprintf(": nothing that was read of %s calls %s", w.Binary, asked))
	default:
		p.lead(green, "not needed", fmt.Sprintf(": %s cannot call %s", w.Binary, asked))
	}
	for _, g := range w.Gaps {
		p.note(g.text(Binary{}))
	}
}
