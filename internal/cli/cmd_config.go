package cli

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/internal/config"
	"github.com/profcheck/profcheck/report"
)

func (a *App) configCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config [PROFILE]",
		Short: "Which settings are in force, and where each comes from",
		Long: `Shows what ` + config.Name + ` and the flags set, for all profiles or for one. The file is looked for in this
folder and those above it, up to the root of the repository; lint and check read it, and flags win over it.`,
		Example:           "  profcheck config\n  profcheck config deploy/web.json --target crun",
		Annotations:       severalTargets,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeProfiles,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.emit(o, o.configDoc(append(args, "")[0], a))
		},
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "as of lint")
	o.thresholdFlags(cmd)
	o.configFlags(cmd)
	return cmd
}

// configDoc describes the settings for a profile; "" is what holds for all.
func (o *options) configDoc(name string, a *App) *report.Config {
	doc := &report.Config{Version: report.Version, Profile: name, Settings: []report.Setting{}, Ignores: []report.Ignore{}}
	c := o.project.config
	var s config.Settings
	var failOn config.Word
	if c != nil {
		doc.File, s, failOn = c.File, c.Settings, c.FailOn
	}
	if name != "" {
		s = c.For(name)
	}
	add := func(key, flag string, given []string, file ...config.Word) {
		set := report.Setting{Key: key, Values: given, From: "default"}
		switch {
		case flag != "" && o.project.given[flag]:
			set.From, set.Flag = "flag", "--"+flag
		case len(file) > 0 && file[0].Text != "":
			set.From, set.Values, set.Position = "file", texts(file), position(file[0].Pos)
		}
		if set.Values == nil {
			set.Values = []string{}
		}
		doc.Settings = append(doc.Settings, set)
	}
	add("fail-on", "fail-on", []string{o.failOn}, failOn)
	add("targets", "target", o.targets, s.Targets...)
	add("arches", "arch", o.arches, s.Arches...)
	add("caps", "cap", o.caps, s.Caps...)
	kernel := []string{}
	if o.kernel != "" {
		kernel = append(kernel, o.kernel)
	}
	add("kernel", "kernel", kernel, s.Kernel)
	if c == nil {
		return doc
	}
	if name == "" && len(c.Profiles) > 0 {
		var list []config.Word
		for _, p := range c.Profiles {
			list = append(list, config.Word{Text: p.String(), Pos: p.Pos})
		}
		add("profiles", "", nil, list...)
	}
	slices.SortFunc(s.Checks, func(a, b config.CheckSetting) int { return slices.Compare([]string{a.ID}, []string{b.ID}) })
	for _, x := range s.Checks {
		add("checks."+x.ID, "", nil, x.Level)
	}
	for _, i := range c.Ignores {
		if name == "" || i.About(name) {
			doc.Ignores = append(doc.Ignores, report.Ignore{
				Check: i.Check, Paths: patterns(i.Paths), Syscalls: i.Syscalls, Arches: i.Arches,
				Reason: i.Reason, Expires: i.Expires, Expired: i.Expired(a.now()), Position: position(i.Pos),
			})
		}
	}
	return doc
}

func patterns(list []config.Path) (out []string) {
	for _, p := range list {
		out = append(out, p.String())
	}
	return out
}

func position(p finding.Pos) *report.Position {
	return &report.Position{File: p.File, Line: p.Line, Column: p.Column}
}

func (a *App) initCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a " + config.Name + " with all settings explained",
		Long: `Writes ` + config.Name + ` into this folder. All settings in it are comments: it changes nothing until
somebody edits it.`,
		Args: exactly(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			name := o.output
			if name == "" {
				name = config.Name
			}
			err := a.writeFile(o, "init", name, []byte(config.Template))
			if errors.Is(err, fs.ErrExist) {
				return usage("%s: the file exists; --force overwrites it", name)
			}
			if err == nil {
				a.note(o, "%s: written; profcheck config shows what is in force", name)
			}
			return err
		},
	}
}
