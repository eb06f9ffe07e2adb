package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/internal/config"
	"github.com/profcheck/profcheck/profile"
)

// project is what a project has decided about its checks, of the commands that judge profiles.
type project struct {
	file     string // --config
	none     bool   // --no-config
	baseline string // --baseline
	write    string // --write-baseline

	config *config.Config   // nil: there is none
	known  *config.Baseline // nil: none is given
	given  map[string]bool  // the flags that were given, which win over the file
}

// configFlags say which settings are used.
func (o *options) configFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.project.file, "config", "", "take the settings of `FILE` (default: "+config.Name+" here or in a folder above, up to the root of the repository)")
	f.BoolVar(&o.project.none, "no-config", false, "take no settings")
}

// baselineFlags say which findings were there before.
func (o *options) baselineFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.project.baseline, "baseline", "", "findings that are in `FILE` do not count")
	f.StringVar(&o.project.write, "write-baseline", "", "write all findings that count to `FILE`; from then on --baseline leaves them out")
}

// openProject reads the settings and the baseline of a command that has the flags for them. Settings that
// are for all profiles alike take the place of the flags that were not given.
func (a *App) openProject(o *options, cmd *cobra.Command) error {
	if cmd.Flags().Lookup("config") == nil {
		return nil
	}
	p := &o.project
	p.given = make(map[string]bool)
	for _, name := range []string{"target", "arch", "cap", "kernel", "fail-on"} {
		p.given[name] = cmd.Flags().Changed(name)
	}
	if p.none && p.file != "" {
		return usage("--config and --no-config contradict each other")
	}
	name := p.file
	if name == "" && !p.none {
		found, err := config.Find(".")
		if err != nil {
			return unreadable(shown(err))
		}
		name = nearName(found)
	}
	if name != "" {
		c, err := config.Load(name)
		if err != nil {
			return unreadable(err)
		}
		p.config = c
		if c.FailOn.Text != "" && !p.given["fail-on"] {
			o.failOn = c.FailOn.Text
		}
	}
	return a.openBaseline(o)
}

// shown gives the path in an error of config as messages show paths.
func shown(err error) error {
	var e *config.Error
	if errors.As(err, &e) {
		e.Pos.File = nearName(e.Pos.File)
	}
	return err
}

// nearName is the shorter one of an absolute path and the way there from the current folder.
func nearName(path string) string {
	cwd, err := os.Getwd()
	if err != nil || path == "" {
		return path
	}
	rel, err := filepath.Rel(cwd, path)
	if err != nil || len(rel) > len(path) {
		return path
	}
	return rel
}

// forProfile returns the options for a profile: the flags, and where none is given the settings for it.
func (o *options) forProfile(name string) *options {
	if o.project.config == nil {
		return o
	}
	s, own := o.project.config.For(name), *o
	take := func(flag string, list []config.Word, to *[]string) {
		if !o.project.given[flag] && list != nil {
			*to = texts(list)
		}
	}
	take("target", s.Targets, &own.targets)
	take("arch", s.Arches, &own.arches)
	take("cap", s.Caps, &own.caps)
	if len(own.targets) > 0 {
		own.target = own.targets[0]
	}
	if !o.project.given["kernel"] && s.Kernel.Text != "" {
		own.kernel = s.Kernel.Text
	}
	return &own
}

// eachTarget returns the options for each target, those of the profile's format if none is named.
func (o *options) eachTarget() []*options {
	if len(o.targets) < 2 {
		return []*options{o}
	}
	var out []*options
	for _, t := range o.targets {
		one := *o
		one.target, one.targets = t, []string{t}
		out = append(out, &one)
	}
	return out
}

func texts(list []config.Word) (out []string) {
	for _, w := range list {
		out = append(out, w.Text)
	}
	return out
}

// now is the time, by which ignores expire.
func (a *App) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

// configured lists the profiles that the settings name, as they are called from here: the files that match
// in and below the folder of the settings, without hidden folders. A pattern that no file matches is an
// error.
func (o *options) configured() ([]string, error) {
	c := o.project.config
	if c == nil || len(c.Profiles) == 0 {
		return nil, usage("lint: want PROFILE..., or a %s that lists profiles; see profcheck lint --help", config.Name)
	}
	met := make([]bool, len(c.Profiles))
	var names []string
	err := filepath.WalkDir(c.Dir, func(path string, entry fs.DirEntry, err error) error {
		hidden := path != c.Dir && strings.HasPrefix(entry.Name(), ".")
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", nearName(path), bare(err))
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		rel, found := config.Relative(c.Dir, c.Dir, path), false
		for i, p := range c.Profiles {
			if p.Match(rel) {
				met[i], found = true, true
			}
		}
		if found {
			names = append(names, fileName(nearName(path)))
		}
		return nil
	})
	for i, p := range c.Profiles {
		if isBuiltin(p.String()) && !met[i] {
			names, met[i] = append(names, p.String()), true
		}
	}
	if i := slices.Index(met, false); err == nil && i >= 0 {
		err = fmt.Errorf("%s: profiles: no file matches %s", c.Profiles[i].Pos, c.Profiles[i])
	}
	return names, err
}

// fileName writes a path so that it is not taken for the name of a built-in.
func fileName(path string) string {
	if likeBuiltin(path) {
		return "." + string(filepath.Separator) + path
	}
	return path
}

// oneTarget returns the options for a profile of a command that judges for one target only: of several in
// the settings that is the first.
func (a *App) oneTarget(o *options, p *profile.Profile) *options {
	own := o.forProfile(p.Name)
	if len(own.targets) > 1 {
		a.note(o, "of the targets in %s, %s: lint judges for all", o.project.config.File, own.target)
	}
	return own
}
