package profile

import "slices"

// A Process is what a config.json says about the container's process, as far as the filter and its
// loading depend on it (runtime-spec config.md, Process).
type Process struct {
	Pos             Pos
	NoNewPrivileges bool
	NoNewPrivsPos   Pos    // zero: the field is absent, which means false
	CapsPos         Pos    // of capabilities; zero: the field is absent, and Bounding says nothing
	Bounding        []Name // capabilities.bounding as written
}

// GivesCaps reports whether the file says what the bounding set is. An empty set counts.
func (p *Process) GivesCaps() bool { return p != nil && p.CapsPos != (Pos{}) }

// Caps returns the bounding set, each capability once, in the kernel's order. runc ignores words
// that are none (libcontainer/capabilities).
func (p *Process) Caps() []string {
	var set []string
	for _, c := range capabilities {
		if slices.ContainsFunc(p.Bounding, func(n Name) bool { return n.Text == c }) {
			set = append(set, c)
		}
	}
	return set
}

// process reads the member process of a config.json.
func (d *decoder) process(v value) error {
	if d.src.isNull(v) {
		return nil
	}
	if err := d.want(v, "process", "an object"); err != nil {
		return err
	}
	if d.p.Process == nil {
		d.p.Process = &Process{Pos: d.src.pos(v)}
	}
	p := d.p.Process
	err := d.each(v, "process", "noNewPrivileges", func(val value) error {
		if d.src.isNull(val) {
			return nil
		}
		if err := d.want(val, "process.noNewPrivileges", "a boolean"); err != nil {
			return err
		}
		p.NoNewPrivileges, p.NoNewPrivsPos = d.src.truth(val), d.src.pos(val)
		return nil
	})
	if err != nil {
		return err
	}
	return d.each(v, "process", "capabilities", func(caps value) error {
		if d.src.isNull(caps) {
			return nil
		}
		const path = "process.capabilities"
		if err := d.want(caps, path, "an object"); err != nil {
			return err
		}
		p.CapsPos = d.src.pos(caps)
		return d.each(caps, path, "bounding", func(val value) (err error) {
			p.Bounding, err = d.words(val, path+".bounding")
			return err
		})
	})
}
