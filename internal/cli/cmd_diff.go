package cli

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// diffFlags are what only diff takes.
type diffFlags struct {
	equal                bool
	oldTarget, newTarget string
}

func (a *App) diffCommand(o *options) *cobra.Command {
	var own diffFlags
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "What did this change loosen? Are these two the same?",
		Long: `Compares the answers of two profiles, compiled filters or stacks (a+b, oldest first) to every call with
every argument, and lists what changed, each with a call that shows it: both filters were run on it.
Exit code 1 if something was loosened, 0 if not; 3 if the filters are too complex to tell.

With --equal the question is whether both are the same: exit code 0 if that is proven, 1 if a call
shows that they are not.`,
		Example: `  profcheck diff old.json new.json
  profcheck diff --equal profile.json compiled.bpf
  profcheck diff base.bpf base.bpf+extra.bpf
  profcheck diff docker-default docker-default --old-target docker --new-target crun`,
		Args:              exactly(2, "OLD and NEW"),
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.diff(o, own, args[0], args[1]) },
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "architectures to compare, or all (default: those that one side names or tests, and whether others change)")
	o.inputFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&own.equal, "equal", false, "ask whether both are the same")
	f.StringVar(&own.oldTarget, "old-target", "", "--target for OLD alone")
	f.StringVar(&own.newTarget, "new-target", "", "--target for NEW alone")
	f.BoolVar(&o.allowIncomplete, "allow-incomplete", false, "judge by what could be told, even if something was too complex")
	words(cmd, "old-target", targets...)
	words(cmd, "new-target", targets...)
	return cmd
}

// side opens one side of a comparison for its target.
func (a *App) side(o *options, name, target string) (*view, error) {
	s, err := a.openSubject(o, name)
	if err != nil {
		return nil, err
	}
	with := *o
	if target != "" {
		if err := checkRuntime(target); err != nil {
			return nil, err
		}
		with.target = target
	}
	return with.view(s), nil
}

func (a *App) diff(o *options, own diffFlags, oldName, newName string) error {
	a.hurry()
	before, err := a.side(o, oldName, own.oldTarget)
	if err != nil {
		return err
	}
	after, err := a.side(o, newName, own.newTarget)
	if err != nil {
		return err
	}
	d := &comparison{before: before, after: after}
	arches, rest, err := d.arches(o)
	if err != nil {
		return err
	}
	doc := &report.Diff{Version: report.Version, Equality: own.equal, Changes: []report.Change{}, Arches: []string{}}
	if doc.Old, err = before.subjectDoc(arches[0]); err != nil {
		return err
	}
	if doc.New, err = after.subjectDoc(arches[0]); err != nil {
		return err
	}
	if err := d.compare(doc, arches); err != nil {
		return err
	}
	if len(rest) > 0 {
		if err := d.others(doc, rest); err != nil {
			return err
		}
	}
	if len(o.arches) == 0 || slices.Contains(o.arches, "all") {
		if err := d.strangers(doc, arches[0]); err != nil {
			return err
		}
	}
	if d.hosts != nil {
		if doc.Rest != "" {
			doc.Rest += "; "
		}
		doc.Rest += "only kernels of " + strings.Join(d.hosts, ", ") + " were asked about, which the compiled filter is for (--arch names others)"
	}
	doc.Relation = relation(doc)
	loosened := slices.ContainsFunc(doc.Changes, func(c report.Change) bool { return c.Direction == report.Looser })
	doc.Narrows = narrows(before, after) && !loosened && len(doc.Unknown) == 0
	if err := a.emit(o, doc); err != nil {
		return err
	}
	return done(diffCode(doc, o.allowIncomplete))
}

// diffCode returns the exit code of a comparison.
func diffCode(doc *report.Diff, allowIncomplete bool) int {
	unknown := len(doc.Unknown) > 0
	looser := slices.ContainsFunc(doc.Changes, func(c report.Change) bool { return c.Direction == report.Looser })
	switch {
	case doc.Equality && len(doc.Changes) > 0:
		return exitFindings // one witness is enough
	case unknown && (doc.Equality || !allowIncomplete):
		return exitUnknown // sameness is proven or it is not
	case !doc.Equality && looser:
		return exitFindings
	}
	return exitOK
}

// relation sums the changes up.
func relation(doc *report.Diff) string {
	seen := make(map[string]bool)
	for _, c := range doc.Changes {
		seen[c.Direction] = true
	}
	switch {
	case seen[report.Looser] && seen[report.Tighter]:
		return report.Both
	case len(doc.Unknown) > 0: // which may be looser or tighter
		return report.RelationOff
	case seen[report.Looser]:
		return report.Looser
	case seen[report.Tighter]:
		return report.Tighter
	case seen[report.Changed]:
		return report.Changed
	}
	return report.Equal
}

// comparison compares the answers of two views.
type comparison struct {
	before, after *view
	named         []*syscalls.Arch // that a side names, or --arch: these must load
	hosts         []string         // to which the question was limited; nil: to none
}

// arches returns the architectures to compare, and those about which one line is enough: the ones
// that neither side names. With --arch there are no others.
func (d *comparison) arches(o *options) (list, rest []*syscalls.Arch, err error) {
	if list, err = o.archList(); err != nil {
		return nil, nil, err
	}
	fits := func(abi *syscalls.Arch) bool { return d.before.fits(abi) == nil && d.after.fits(abi) == nil }
	all := slices.DeleteFunc(syscalls.Arches(), func(abi *syscalls.Arch) bool { return !fits(abi) })
	if len(all) == 0 {
		return nil, nil, usage("diff: the filters are for machines of different byte order (--order says another order)")
	}
	if all, err = d.loading(all); err != nil {
		return nil, nil, err
	}
	if slices.Contains(o.arches, "all") {
		return all, nil, nil
	}
	for _, abi := range list {
		for _, v := range []*view{d.before, d.after} {
			if err := v.fits(abi); err != nil {
				return nil, nil, err
			}
		}
	}
	if len(list) > 0 {
		d.named = list
		return list, nil, nil
	}
	d.limit()
	if d.hosts != nil {
		elsewhere := func(abi *syscalls.Arch) bool { return !slices.Contains(d.hosts, abi.Host) }
		if left := slices.DeleteFunc(slices.Clone(all), elsewhere); len(left) > 0 {
			all = left
		}
	}
	for _, v := range []*view{d.before, d.after} {
		for _, abi := range v.arches() {
			if fits(abi) && slices.Contains(all, abi) && !slices.Contains(list, abi) {
				list = append(list, abi)
			}
		}
	}
	d.named = list
	for _, abi := range all {
		if !slices.Contains(list, abi) {
			rest = append(rest, abi)
		}
	}
	if len(list) == 0 {
		return rest, nil, nil
	}
	return list, rest, nil
}

// limit says for which hosts a comparison with a compiled filter is meant, as long as --arch does not
// say it: a profile has a filter for each host, and a file is one of them. Every ABI of them is
// compared as its own host enforces the profile.
func (d *comparison) limit() {
	if len(d.before.profiles())+len(d.after.profiles()) == 0 {
		return
	}
	d.hosts = d.before.madeFor()
	for _, host := range d.after.madeFor() {
		d.hosts = appendNew(d.hosts, host)
	}
}

// strangers adds what changes for architecture tokens that no ABI has, but a filter may ask for.
func (d *comparison) strangers(doc *report.Diff, abi *syscalls.Arch) error {
	before, after, err := d.policies(abi)
	if err != nil {
		return err
	}
	found, err := simulate.DiffOthers(before, after, nil, abi.BigEndian)
	if err != nil {
		return err
	}
	for _, c := range found.Changes {
		doc.Changes = append(doc.Changes, changeDoc(c, piece{from: c.From, to: c.To}, c.Witness))
	}
	for _, u := range found.Unknown {
		last := int32(u.To)
		doc.Unknown = append(doc.Unknown, report.Unread{Arch: otherTokens, Nr: int32(u.From), To: &last, When: whenText(u.When), Reason: u.Reason})
	}
	return nil
}

// otherTokens stands for every architecture token that no table has.
const otherTokens = "other"

// loading leaves out the architectures on whose hosts neither side's profiles load, so that there is
// nothing to compare.
func (d *comparison) loading(arches []*syscalls.Arch) (out []*syscalls.Arch, err error) {
	nowhere := make([]bool, len(arches))
	err = each(len(arches), func(i int) error {
		before, after := d.before.refuses(arches[i]), d.after.refuses(arches[i])
		nowhere[i] = before && after
		return nil
	})
	for i, abi := range arches {
		if !nowhere[i] {
			out = append(out, abi)
		}
	}
	return out, err
}

// refuses reports whether the target does not load one of the profiles on the host of an ABI.
func (v *view) refuses(abi *syscalls.Arch) bool {
	_, err := v.stack(abi)
	var refused *profile.LoadError
	return errors.As(err, &refused)
}

// compare adds what changed on some architectures.
func (d *comparison) compare(doc *report.Diff, arches []*syscalls.Arch) error {
	changes := make([][]report.Change, len(arches))
	unknown := make([][]report.Unread, len(arches))
	err := each(len(arches), func(i int) (err error) {
		changes[i], unknown[i], err = d.one(arches[i])
		return err
	})
	if err != nil {
		return err
	}
	for i, abi := range arches {
		doc.Arches = append(doc.Arches, abi.Name)
		doc.Changes = append(doc.Changes, changes[i]...)
		doc.Unknown = append(doc.Unknown, unknown[i]...)
	}
	return nil
}

// others says in one line what holds on the architectures that neither side names. What changes
// there in a direction that nothing else has is listed all the same.
func (d *comparison) others(doc *report.Diff, rest []*syscalls.Arch) error {
	rested := &report.Diff{}
	if err := d.compare(rested, rest); err != nil {
		return err
	}
	doc.Unknown = append(doc.Unknown, rested.Unknown...)
	had := make(map[string]bool)
	for _, c := range doc.Changes {
		had[c.Direction] = true
	}
	var left, shown []string
	for _, c := range rested.Changes {
		if !had[c.Direction] {
			doc.Changes = append(doc.Changes, c)
			shown = appendNew(shown, c.Arch)
		} else {
			left = appendNew(left, c.Arch)
		}
	}
	doc.Arches = append(doc.Arches, shown...)
	same := counted(len(rest), "architecture") + " that neither side names"
	switch {
	case len(left) > 0:
		doc.Rest = fmt.Sprintf("more of the kind changes on %s that neither side names (--arch all lists it): %s", counted(len(left), "architecture"), strings.Join(left, ", "))
	case len(shown) == 0 && doc.Equality:
		doc.Rest = "the same on the " + same
	case len(shown) == 0:
		doc.Rest = "nothing changes on the " + same
	case len(shown) < len(rest):
		doc.Rest = "nothing changes on the other architectures"
	}
	return nil
}

func appendNew(list []string, word string) []string {
	if slices.Contains(list, word) {
		return list
	}
	return append(list, word)
}

// policies returns what a call of an ABI meets on both sides.
func (d *comparison) policies(abi *syscalls.Arch) (before, after simulate.Policy, err error) {
	stack, err := d.before.stack(abi)
	if err != nil {
		return before, after, err
	}
	newer, err := d.after.stack(abi)
	if err != nil {
		return before, after, err
	}
	return simulate.OfPrograms(stack...), simulate.OfPrograms(newer...), nil
}

// subjectDoc describes one side.
func (v *view) subjectDoc(abi *syscalls.Arch) (report.Subject, error) {
	target, err := v.targetDoc(abi)
	return report.Subject{Name: v.name, Format: v.format(), Target: target, Layers: v.layerDocs()}, err
}

// narrows reports whether one side is the other with more filters on top. The lowest action wins
// (kernel/seccomp.c seccomp_run_filters), and so more filters can only narrow, but for actions that
// the kernel does not know: see simulate.Narrows.
func narrows(before, after *view) bool {
	if len(after.layers) <= len(before.layers) || before.o.target != after.o.target {
		return false
	}
	for i, l := range before.layers {
		m := after.layers[i]
		if (l.profile == nil) != (m.profile == nil) || l.name != m.name && !bytes.Equal(l.source, m.source) {
			return false
		}
		if l.profile == nil && (!slices.Equal(l.program, m.program) || filter.IsBigEndian(l.order) != filter.IsBigEndian(m.order)) {
			return false
		}
	}
	return true
}
