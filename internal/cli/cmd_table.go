package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

func (a *App) tableCommand(o *options) *cobra.Command {
	var against string
	cmd := &cobra.Command{
		Use:   "table PROFILE",
		Short: "What does this profile or filter do with every syscall of every architecture?",
		Long: `Shows what each syscall of each architecture gets, grouped by action, with the conditions on its
arguments where they matter, and what the numbers get that no syscall has. --verbose shows it call by
call. With --against, or with several targets, it shows the calls alone that are not answered alike.

PROFILE is a profile, a compiled filter, or a stack of them joined with +, oldest first. A compiled
filter has one byte order, and is shown for the architectures of that order.`,
		Example: `  profcheck table docker-default --arch x86_64
  profcheck table docker-default --arch x86_64 --against x86
  profcheck table profile.json --target docker,crun
  profcheck table base.bpf+extra.bpf --verbose`,
		Args:              exactly(1, "PROFILE"),
		ValidArgsFunction: completeProfiles,
		Annotations:       severalTargets,
		RunE:              func(_ *cobra.Command, args []string) error { return a.table(o, args[0], against) },
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "architectures to show, or all (default: those that the profile names; of a compiled filter all of its byte order)")
	o.inputFlags(cmd)
	cmd.Flags().StringVar(&against, "against", "", "show where this architecture differs from that of --arch")
	words(cmd, "against", archNames()...)
	return cmd
}

func (a *App) table(o *options, name, against string) error {
	a.hurry()
	var other *syscalls.Arch
	if against != "" {
		var err error
		if other, err = syscalls.Lookup(against); err != nil {
			return usage("--against: %w", err)
		}
		if len(o.targets) > 1 {
			return usage("table: --against compares architectures, and several --target compare targets: one of them")
		}
	}
	s, err := a.openSubject(o, name)
	if err != nil {
		return err
	}
	arches, err := o.tableArches(s)
	if err != nil {
		return err
	}
	profile := s.profileDoc()
	doc := &report.Table{Version: report.Version, Profile: &profile, Layers: s.layerDocs(), Arches: []report.ArchTable{}}
	views := o.views(s)
	if slices.Contains(o.arches, "all") {
		if arches, err = a.loading(o, views, arches); err != nil {
			return err
		}
	}
	if other != nil {
		if len(o.arches) == 0 {
			arches = []*syscalls.Arch{s.firstArch()}
		}
		if len(arches) != 1 {
			return usage("table --against: one --arch, found %d", len(arches))
		}
		if arches[0] == other {
			return usage("table --against: %s against itself", other)
		}
		arches = append(arches, other)
	}
	tables, err := tabulate(views, arches)
	if err != nil {
		return err
	}
	for _, one := range tables[0] {
		doc.Arches = append(doc.Arches, one.doc())
	}
	if doc.Target, err = views[0].targetDoc(arches[0]); err != nil {
		return err
	}
	if doc.Filters, err = views[0].sizes(arches); err != nil {
		return err
	}
	switch {
	case other != nil:
		compareArches(doc, tables[0][0], tables[0][1])
	case len(views) > 1:
		if err := compareTargets(doc, views, arches, tables); err != nil {
			return err
		}
	}
	if err := a.emit(o, doc); err != nil {
		return err
	}
	if doc.Unknown() {
		return done(exitUnknown)
	}
	return nil
}

// tabulate finds the answers of each view for each architecture.
func tabulate(views []*view, arches []*syscalls.Arch) ([][]*answers, error) {
	tables := make([][]*answers, len(views))
	for i := range tables {
		tables[i] = make([]*answers, len(arches))
	}
	return tables, each(len(views)*len(arches), func(i int) (err error) {
		v, abi := i/len(arches), i%len(arches)
		tables[v][abi], err = views[v].answers(arches[abi])
		return err
	})
}

// loading leaves out, with a note, the architectures on whose hosts a profile does not load. If that
// is all of them, the reason is an error.
func (a *App) loading(o *options, views []*view, arches []*syscalls.Arch) (out []*syscalls.Arch, err error) {
	var left []string
	refused := make([]bool, len(arches))
	err = each(len(arches), func(i int) error {
		refused[i] = slices.ContainsFunc(views, func(v *view) bool { return v.refuses(arches[i]) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, abi := range arches {
		if refused[i] {
			left = append(left, abi.Name)
			continue
		}
		out = append(out, abi)
	}
	if len(out) == 0 {
		_, err := views[0].stack(arches[0])
		return nil, err
	}
	if len(left) > 0 {
		_, err := views[0].stack(syscalls.ByName(left[0]))
		a.note(o, "left out: %s: %v", strings.Join(left, ", "), err)
	}
	return out, nil
}

// tableArches returns the architectures to show.
func (o *options) tableArches(s *subject) ([]*syscalls.Arch, error) {
	arches, err := o.archList()
	if err != nil {
		return nil, err
	}
	l := s.compiled()
	switch {
	case len(arches) == 0 && l != nil:
		arches = sameOrder(l.order)
	case len(arches) == 0:
		arches = s.arches()
	case slices.Contains(o.arches, "all"):
		arches = slices.DeleteFunc(arches, func(abi *syscalls.Arch) bool { return s.fits(abi) != nil })
	}
	for _, abi := range arches {
		if err := s.fits(abi); err != nil {
			return nil, err
		}
	}
	if len(arches) == 0 {
		return nil, usage("%s: its filters have no architecture in common", s.name)
	}
	return arches, nil
}
