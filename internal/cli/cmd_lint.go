package cli

import (
	"errors"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/internal/config"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

func (a *App) lintCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint [PROFILE...]",
		Short: "Is this profile safe, and does it say what its author meant?",
		Long: `Judges each profile for itself: a built-in, a file with one or several, FILE#PART, - for stdin, a pattern,
or a folder, of which all files with profiles are taken. Without one, the profiles that ` + config.Name + ` lists are
judged, each for all targets that it names; see profcheck init.`,
		Example:           "  profcheck lint profile.json\n  profcheck lint 'profiles/*.json' deploy/\n  profcheck lint docker-default --cap SYS_ADMIN --kernel 4.4",
		Annotations:       severalTargets,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.lint(o, args) },
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "architectures to judge, or all (default: those that the profile names)")
	o.thresholdFlags(cmd)
	o.configFlags(cmd)
	o.baselineFlags(cmd)
	return cmd
}

// lint judges each profile for itself. One that cannot be read does not keep the others from being
// judged.
func (a *App) lint(o *options, args []string) error {
	// Each profile is small and soon forgotten: collecting less often saves a fifth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	names, failed := a.profileNames(o, args)
	doc := &report.Lint{Version: report.Version, Findings: []report.Finding{}, FailOn: o.failOnWord()}
	for _, err := range failed {
		name, _, _ := strings.Cut(err.Error(), ": ") // with which each of them begins
		doc.Errors = append(doc.Errors, failure(name, err))
	}
	if len(args) == 0 {
		var err error
		if names, err = o.configured(); err != nil {
			return err
		}
	}
	jobs := make([][]linting, len(names))
	line := a.progress(o, len(names))
	_ = each(len(names), func(i int) error { // errors are kept in the jobs
		jobs[i] = a.lintFile(o, names[i])
		line.step()
		return nil
	})
	line.end()
	s := a.sieve(o, false)
	var noted *profile.Profile
	for _, job := range slices.Concat(jobs...) {
		if job.err != nil {
			failed = append(failed, job.err)
			doc.Errors = append(doc.Errors, failure(job.file, job.err))
			continue
		}
		if p := job.result.Input.Profile; p != noted {
			a.noteOthers(o, p)
			noted = p // judged for several targets, it is still one
		}
		doc.Profiles = append(doc.Profiles, linted(job.result, job.assumed))
		s.add(job.result, job.part)
	}
	lists, err := s.finish(len(failed) == 0)
	if err != nil {
		failed = append(failed, err)
		doc.Errors = append(doc.Errors, failure(o.project.write, err))
	}
	for i, list := range lists {
		for _, f := range report.FromFindings(list) {
			f.Profile = i
			doc.Findings = append(doc.Findings, f)
		}
	}
	a.sources(doc.Findings)
	// The text of failures alone is on stderr.
	if len(doc.Profiles) > 0 || len(failed) > 0 && (o.format != "text" || len(o.also) > 0) {
		if err := a.emit(o, doc); err != nil {
			return err
		}
	}
	return a.failures(failed, o.code(slices.Concat(lists...)))
}

// failure describes what could not be judged, at the place that the error names in the file.
func failure(file string, err error) report.Failure {
	f := report.Failure{File: file, Message: oneLine(err.Error())}
	var parse *profile.ParseError
	var load *profile.LoadError
	pos := profile.Pos{}
	switch {
	case errors.As(err, &parse):
		pos = parse.Pos
	case errors.As(err, &load):
		pos = load.Pos
	}
	if pos.Line > 0 {
		f.File, f.Line, f.Column = pos.File, pos.Line, pos.Column
	}
	return f
}

// linting is one judged profile, or why it was not.
type linting struct {
	file    string
	result  *lint.Result
	assumed []string
	part    bool // not all of its file was asked for
	err     error
}

// lintFile judges all profiles of a file, for each target.
func (a *App) lintFile(o *options, name string) (jobs []linting) {
	list, err := a.openProfiles(o, name)
	file, part := profile.SplitPart(name)
	type pair struct {
		o *options
		p *profile.Profile
	}
	var pairs []pair
	for _, p := range profile.Group(list) {
		for _, one := range o.forProfile(p.Name).eachTarget() {
			pairs = append(pairs, pair{one, p})
		}
	}
	jobs = make([]linting, len(pairs), len(pairs)+1)
	_ = each(len(pairs), func(i int) error { // errors are kept in the jobs
		jobs[i] = a.lintOne(pairs[i].o, pairs[i].p)
		jobs[i].file, jobs[i].part = file, part != ""
		return nil
	})
	if err != nil {
		jobs = append(jobs, linting{file: file, err: err})
	}
	return jobs
}

func (a *App) lintOne(o *options, p *profile.Profile) (l linting) {
	arches, err := o.archList()
	if err != nil {
		return linting{err: err}
	}
	written := p
	p = p.ForRuntime(o.target)
	var target profile.Target
	if target, l.assumed, l.err = o.targetFor(p, profileArches(p)[0]); l.err == nil {
		l.result, l.err = lint.Run(lint.Input{Profile: p, Target: target, Arches: arches})
	}
	if l.err == nil {
		l.result.Input.Profile = written
		slim(l.result)
	}
	return l
}

// slim drops what nobody asks a finished result for, so that those of thousands of profiles have room.
func slim(r *lint.Result) {
	r.Outcomes = nil
	for i, h := range r.Hosts {
		r.Hosts[i] = &profile.Resolved{Target: h.Target, Arches: h.Arches, Disabled: h.Disabled}
	}
	if r.Resolved != nil {
		r.Resolved = r.Hosts[0]
	}
}

// linted describes a judged profile.
func linted(r *lint.Result, assumed []string) report.Linted {
	p := r.Input.Profile
	l := report.Linted{Profile: profileDoc(p)}
	for _, abi := range judged(r) {
		l.Arches = append(l.Arches, abi.Name)
	}
	switch {
	case r.Resolved != nil:
		l.Target = targetDoc(r.Resolved.Target, assumed)
	case p.Unread():
		l.Target = targetDoc(r.Input.Target, assumed)
	}
	if c := p.Container; c != nil && len(c.Also) > 0 {
		l.Containers = append([]string{c.FullName()}, c.Also...)
	}
	return l
}

// judged returns the ABIs that a profile was judged for.
func judged(r *lint.Result) []*syscalls.Arch {
	arches := r.Input.Arches
	for _, u := range r.Input.Usage {
		arches = append(slices.Clip(arches), u.Arch)
	}
	if len(arches) == 0 {
		for _, h := range r.Hosts {
			arches = append(arches, h.Arches...)
		}
	}
	return arches
}

func (a *App) rulesCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "rules",
		Short: "List the checks",
		Args:  exactly(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			doc := &report.Rules{Version: report.Version, Checks: []report.CheckInfo{}}
			for _, c := range lint.Checks() {
				doc.Checks = append(doc.Checks, checkInfo(c))
			}
			return a.emit(o, doc)
		},
	}
}

func (a *App) explainCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:               "explain ID",
		Short:             "What a check looks for, why, and what to do",
		Example:           "  profcheck explain PC613",
		Args:              exactly(1, "ID or name of a check"),
		ValidArgsFunction: cobra.FixedCompletions(checkNames(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			c, ok := lint.Lookup(args[0])
			if !ok {
				near := syscalls.NearestOf(args[0], checkNames())
				if near != "" {
					return usage("unknown check %q: did you mean %s?", args[0], near)
				}
				return usage("unknown check %q; profcheck rules lists them", args[0])
			}
			doc := &report.Explain{Version: report.Version, Explain: fullCheckInfo(c)}
			doc.Explain.Examples = examples(c.Example())
			return a.emit(o, doc)
		},
	}
}

// checkInfo is what a list says of a check.
func checkInfo(c *lint.Check) report.CheckInfo {
	return report.CheckInfo{
		ID: c.ID, Name: c.Name, Severity: c.Severity.String(), Title: c.Title, NeedsBinary: c.NeedsBinary,
	}
}

// fullCheckInfo is all that is said of a check, without its examples.
func fullCheckInfo(c *lint.Check) report.CheckInfo {
	info := checkInfo(c)
	info.Why, info.When, info.Wrong = c.Why, c.When, c.Wrong
	info.Remedy, info.Sources = c.Remedy, c.Sources
	return info
}

func checkNames() []string {
	var names []string
	for _, c := range lint.Checks() {
		names = append(names, c.ID, c.Name)
	}
	return names
}

// examples takes the first flagged file of a check's examples, what is said about it, and the first
// clean file. The archive is txtar: `-- NAME --` begins a file.
func examples(archive string) []report.Example {
	var all []report.Example
	for line := range strings.Lines(archive) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		if name, end := strings.CutSuffix(name, " --"); ok && end {
			all = append(all, report.Example{Name: name})
		} else if len(all) > 0 {
			all[len(all)-1].Text += line
		}
	}
	var out []report.Example
	clean := ""
	for _, x := range all {
		stem, _, _ := strings.Cut(x.Name, ".")
		if clean == "" && strings.HasPrefix(stem, "good") {
			clean = stem
		}
		if stem == "bad" || stem == clean {
			out = append(out, x)
		}
	}
	return out
}
