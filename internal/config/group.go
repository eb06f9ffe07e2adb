package config

import (
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

// inPlace returns the ignore of a comment for a finding, nil if there is none. A finding about containers
// that are judged as one is there in each of them, and is ignored if it is in each. If it is in some
// only, its place becomes that of the first one where it is not: there something is to be done.
func (j *Judge) inPlace(c *profile.Container, f *finding.Finding) *Ignore {
	in := j.comments[f.Pos.File]
	first := in.find(*f)
	if c == nil || len(c.Same) == 0 || in == nil || len(in.areas) == 0 {
		return first
	}
	var met []*Ignore
	var open *finding.Pos
	for _, pos := range append([]finding.Pos{f.Pos}, places(c, f.Pos)...) {
		at := *f
		at.Pos = pos
		if i := j.comments[pos.File].find(at); i != nil && !i.Expired(j.now) {
			met = append(met, i)
		} else if open == nil {
			open = &pos
		}
	}
	for _, i := range met {
		j.used[i] = true // also one of some only: without it more would be open
	}
	switch {
	case open == nil:
		return first
	case len(met) > 0:
		f.Pos = *open
	}
	return nil
}

// aboutGroup reports whether an ignore of the file of settings is for all containers that are judged as
// one with a profile: its paths can name a single one, as "PATH#PART".
func (i *Ignore) aboutGroup(p *profile.Profile) bool {
	if p.Container == nil || i.Paths == nil {
		return true
	}
	file := strings.TrimSuffix(p.Name, "#"+p.Part)
	for _, other := range p.Container.Also {
		if !i.About(file + "#" + other) {
			return false
		}
	}
	return true
}

// places returns where a finding at a place would be for the other containers of a group, had they been
// judged alone. At a place that all of them share, such as one in the file of rules, it is the same.
func places(c *profile.Container, at finding.Pos) (out []finding.Pos) {
	for _, other := range c.Same {
		to := at
		for _, pair := range pairs(c, other) {
			if pair[0].Line > 0 && place(pair[0]) == at {
				to = place(pair[1])
				break
			}
		}
		out = append(out, to)
	}
	return out
}

// pairs are the places of one container with those of another that mean the same. Findings about rules
// are at the field that asks for them, or at the container if it has none.
func pairs(a, b *profile.Container) (out [][2]profile.Pos) {
	rules := func(c *profile.Container) profile.Pos {
		if c.Seccomp != nil {
			return c.Seccomp.Pos
		}
		return c.Pos
	}
	out = append(out, [2]profile.Pos{rules(a), rules(b)}, [2]profile.Pos{a.Pos, b.Pos})
	if a.Seccomp != nil && b.Seccomp != nil {
		out = append(out, [2]profile.Pos{a.Seccomp.FilePos, b.Seccomp.FilePos})
	}
	if a.Privileged && b.Privileged {
		out = append(out, [2]profile.Pos{a.PrivilegedPos, b.PrivilegedPos})
	}
	if a.Annotation != nil && b.Annotation != nil {
		out = append(out, [2]profile.Pos{a.Annotation.Pos, b.Annotation.Pos})
	}
	return out
}

func place(p profile.Pos) finding.Pos {
	return finding.Pos{File: p.File, Line: p.Line, Column: p.Column}
}
