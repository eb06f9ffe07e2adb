package report

import "fmt"

// verify prints one verdict a line, and what is known of the size of a profile's filter.
func (p *printer) verify(v *Verify) {
	for _, f := range v.Verified {
		if len(v.Verified) > 1 {
			p.out.WriteString(clean(f.Name) + ": ")
		}
		if !f.Accepted {
			text := ": " + f.Reason
			if f.Insn != nil {
				text = fmt.Sprintf(": instruction %d: %s", *f.Insn, f.Reason)
			}
			if f.Function != "" {
				text += " (" + f.Function + ")"
			}
			p.lead(red, f.Errno, text)
			continue
		}
		p.lead(green, "accept", "")
		if f.Target != nil || p.verbose {
			for _, s := range f.Sizes {
				p.out.WriteString("  ")
				p.size(s)
				p.line("  equal filters that one thread can have: %d", s.Copies)
			}
		}
		for _, n := range f.Notes {
			p.line("  %s", n)
		}
	}
}

// listing prints the text that asm reads.
func (p *printer) listing(l *Listing) { p.block("", l.Listing) }
