package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
)

func (a *App) targetsCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "targets [TARGET]",
		Short: "Who enforces profiles, and what each makes of every field",
		Long: `Lists the targets, the default one of each format, what each target does with each feature of a
profile, and what changed with a release of a runtime. With a TARGET, such as podman or podman/runc,
only that one, in whole sentences. read: it means what the file says. ignored: as if it were not there.
refused: the container does not start. special: it means something else.`,
		Example: "  profcheck targets\n  profcheck targets podman/runc",
		Args:    atMostOne("TARGET"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return targets, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.targets(o, args) },
	}
}

func (a *App) targets(o *options, args []string) error {
	doc := &report.Targets{Version: report.Version}
	names := slices.Clone(targets)
	if len(args) > 0 {
		if err := checkRuntime(args[0]); err != nil {
			return err
		}
		names = args
	}
	for _, name := range names {
		doc.Targets = append(doc.Targets, targetInfo(name))
	}
	for _, f := range profile.Formats() {
		if len(args) == 0 || f.Runtime == args[0] {
			doc.Defaults = append(doc.Defaults, report.DefaultTarget{Format: f.Name, Title: f.Title, Target: f.Runtime})
		}
	}
	for _, f := range profile.Features() {
		feature := report.Feature{Name: f.Name, Title: f.Title, By: "runtime"}
		if f.Reader {
			feature.By = "reader"
		}
		for _, name := range names {
			c, err := profile.CellOf(f.Name, name)
			if err != nil {
				return err
			}
			feature.Cells = append(feature.Cells, report.FeatureCell{
				Target: name, Handling: string(c.Handling), Effect: c.Effect, By: c.By, Origin: c.Origin,
			})
		}
		doc.Features = append(doc.Features, feature)
	}
	for _, c := range profile.Changes() {
		if len(args) == 0 || c.Runtime == (profile.Target{Runtime: args[0]}).Maker() {
			doc.Changes = append(doc.Changes, report.RuntimeChange{Runtime: c.Runtime, Since: c.Since, What: c.What, Origin: c.Origin})
		}
	}
	return a.emit(o, doc)
}

// targetInfo describes a target; of two, like podman/runc, the first is described and the second makes
// the filter.
func targetInfo(name string) report.TargetInfo {
	maker := profile.Target{Runtime: name}.Maker()
	for _, r := range profile.Runtimes() {
		if r.Name == name {
			return report.TargetInfo{Name: name, Title: r.Title, Loads: r.Loads, Origin: r.Origin}
		}
	}
	return report.TargetInfo{
		Name: name, Title: "a reader and another runtime than it uses by default", Loads: maker, Origin: "as for the two alone",
	}
}

func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usage("%s: want at most one %s, found %d arguments; see profcheck %s --help", cmd.Name(), what, len(args), cmd.Name())
		}
		return nil
	}
}
