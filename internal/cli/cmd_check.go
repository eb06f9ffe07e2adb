package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
)

// unusedCheck is the check whose finding the counted line of a verdict stands for.
const unusedCheck = "PC612"

// listenerCheck is the check that says that a listener decides.
const listenerCheck = "PC617"

// riskiest is how many of the unused calls a verdict names.
const riskiest = 5

func (a *App) checkCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check BINARY... [PROFILE]",
		Short: "Will this program run under this profile? The same without the word check",
		Long: `Scans the binaries and judges them under the profile: what it denies that they need, what it
allows that they do not need, and what cannot be told. Needs are judged for each binary, what is not
needed over all of them. PROFILE defaults to ` + defaultProfile + `.`,
		Example: "  profcheck check ./server docker-default\n  profcheck check --build ./cmd/server profile.json\n" +
			"  profcheck check --root ./rootfs /usr/sbin/nginx profile.json",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return a.check(o, args) },
	}
	o.checkFlags(cmd)
	return cmd
}

func (a *App) check(o *options, args []string) error {
	binaries, name, err := o.splitArgs(args)
	if err != nil {
		return err
	}
	if len(binaries) == 0 && len(o.build) == 0 {
		return usage("no binary given; see profcheck --help")
	}
	p, err := a.openProfile(o, name)
	if err != nil {
		return err
	}
	scans, err := a.scanAll(o, binaries)
	if err != nil {
		return err
	}
	target, assumed, err := a.oneTarget(o, p).targetFor(p, scans[0].Arch)
	if err != nil {
		return err
	}
	doc := &report.Check{Version: report.Version, Profile: profileDoc(p), FailOn: o.failOnWord()}
	in := lint.Input{Profile: p, Target: target}
	for _, s := range scans {
		doc.Binaries = append(doc.Binaries, binaryDoc(s))
	}
	for i, program := range report.Programs(doc.Binaries) {
		u := usageOf(scans[i], program)
		if slices.Contains(binaries, scans[i].Path) { // those that were built are gone
			u.Why = o.whyCommand(scans[i].Path, name)
		}
		in.Usage = append(in.Usage, u)
	}
	result, err := lint.Run(in)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(scans, machineLibraries) {
		assumed = append(assumed, "libraries")
	}
	doc.Target = targetDoc(result.Resolved.Target, assumed)
	s := a.sieve(o, true)
	_, part := profile.SplitPart(name)
	s.add(result, part != "")
	lists, err := s.finish(true)
	if err != nil {
		return err
	}
	code := o.judge(doc, result, lists[0], scans)
	a.sources(doc.Findings)
	if err := a.emit(o, doc); err != nil {
		return err
	}
	return done(code)
}

// machineLibraries reports whether libraries were read that nobody has said to be the program's own.
func machineLibraries(s *elfscan.Result) bool { return s.Root == "" && len(s.Modules) > 1 }

// judge fills in verdict, outcomes and findings, and returns the exit code. The findings are those of the
// result as the project wants them: what it ignores is not said to be right, so the verdict does not
// depend on it.
func (o *options) judge(doc *report.Check, r *lint.Result, list []finding.Finding, scans []*elfscan.Result) int {
	doc.Verdict = r.Verdict
	for _, p := range r.Programs {
		if len(scans) > 1 {
			doc.Programs = append(doc.Programs, report.Program{Name: p.Program, Verdict: p.Verdict})
		}
	}
	doc.Findings = report.FromFindings(list)
	doc.Syscalls = []report.Outcome{}
	unused := make(map[string]bool)
	for _, out := range r.Outcomes {
		doc.Syscalls = append(doc.Syscalls, outcomeDoc(out, len(scans) > 1))
		if out.Outcome == lint.Unused {
			unused[out.Name] = true
		}
	}
	// Where there is no filter nothing is counted: everything is open.
	if r.Resolved == nil || !r.Resolved.Disabled {
		doc.Unused = &report.Unused{Count: len(unused), Riskiest: mostDangerous(r.Findings), Check: unusedCheck}
	}
	unknown := r.Verdict == lint.VerdictUnknown || len(r.Incomplete) > 0
	switch {
	case len(r.Incomplete) > 0:
		doc.Reason = "the scan of " + strings.Join(r.Incomplete, ", ") + " is incomplete"
		if o.allowIncomplete && doc.Verdict == lint.VerdictUnknown && !undecidable(r.Findings) {
			doc.Verdict, doc.Partial = report.VerdictOK, true
			for i := range doc.Programs {
				doc.Programs[i].Verdict = report.VerdictOK
			}
		}
	case unknown:
		doc.Reason = "a listener decides, or the filter is too complex"
	}
	if o.strict && strictly(doc, r, scans) {
		unknown = true
	}
	if unknown && !o.allowIncomplete {
		return exitUnknown
	}
	return o.code(list)
}

// undecidable reports whether a listener, not the scan, keeps the verdict open.
func undecidable(list []finding.Finding) bool {
	return slices.ContainsFunc(list, func(f finding.Finding) bool { return f.Check == listenerCheck })
}

// mostDangerous names the riskiest of the calls that nothing needs.
func mostDangerous(list []finding.Finding) []string {
	for _, f := range list {
		if f.Check == unusedCheck {
			return append([]string{}, f.Syscalls[:min(riskiest, len(f.Syscalls))]...)
		}
	}
	return []string{}
}

// strictly lowers the verdict on what --strict does not let pass, and reports whether there is any of
// that. The first line says how much it is; notes and findings say what.
func strictly(doc *report.Check, r *lint.Result, scans []*elfscan.Result) bool {
	undecided, notes := len(r.Undecided()), 0
	for i, s := range scans {
		n := len(strictGaps(s))
		notes += n
		if i >= len(r.Programs) || n == 0 && r.Programs[i].Undecided == 0 {
			continue
		}
		if len(doc.Programs) > 0 && doc.Programs[i].Verdict == report.VerdictOK {
			doc.Programs[i].Verdict = report.VerdictUnknown
		}
	}
	var parts []string
	if undecided > 0 {
		parts = append(parts, counted(undecided, "call")+" with arguments that the scan does not know")
	}
	if notes > 0 {
		parts = append(parts, counted(notes, "note")+" on what is started or loaded")
	}
	if parts != nil && doc.Verdict == report.VerdictOK {
		doc.Verdict, doc.Reason = report.VerdictUnknown, "--strict: "+strings.Join(parts, ", ")
	}
	return parts != nil
}

// strictGaps returns the gaps that only --strict counts.
func strictGaps(s *elfscan.Result) []elfscan.Gap {
	var out []elfscan.Gap
	for _, g := range s.Gaps {
		if startsItself(s, g) {
			continue
		}
		switch g.Kind {
		case elfscan.GapExec, elfscan.GapDlopen, elfscan.GapPlugin, elfscan.GapCode:
			out = append(out, g)
		}
	}
	return out
}
