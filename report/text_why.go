package report

import (
	"fmt"
	"strings"
)

func (p *printer) why(w *Why) {
	name := call(w.Why.Name, w.Why.Nr)
	if !w.Needed {
		if w.Complete {
			p.lead(green, "not needed", fmt.Sprintf(": %s cannot call %s (%d on %s)", w.Binary, name, w.Why.Nr, w.Arch))
		} else {
			p.lead(yellow, "not seen", fmt.Sprintf(": nothing in %s calls %s (%d on %s), but the scan is incomplete: %s",
				w.Binary, name, w.Why.Nr, w.Arch, strings.Join(w.Missing, "; ")))
		}
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
