package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/profiletest"
	"github.com/profcheck/profcheck/report"
)

// expectFlags are what only test takes.
type expectFlags struct {
	vectors  string
	coverage bool
}

func (a *App) expectCommand(o *options) *cobra.Command {
	var own expectFlags
	cmd := &cobra.Command{
		Use:   "test FILE...",
		Short: "Does this profile still do what was agreed?",
		Long: `Holds profiles against expectations. A FILE is YAML and names its profile, which is a built-in, a
path relative to the file, or a compiled filter:

  profile: seccomp.json
  targets: [docker, crun]         # default: by the profile's format
  arches: [x86_64, arm64]         # default: all that the profile names
  expect:
    - allow: [read, write, clone(clone_flags & 0x7e020000 == 0)]
    - deny: [mount, socket(40)]
      with: EPERM
    - allow: mount
      caps: SYS_ADMIN             # none and all take the place of the runtime's default
    - deny: rest                  # syscalls that are named nowhere else
    - deny: unnamed               # numbers that no syscall has

An expectation must hold for every value of every argument that it does not bind, which is proved.
allow: the call runs (ALLOW, LOG); deny: it does not; ask: a listener decides.

With --vectors, the calls come from a table (arch, audit_arch, syscall, nr, a0 to a5, expect; tabs
between), and the one argument is the profile.

Exit codes: 0 all passed; 1 some failed; 3 a file is malformed, or an answer could not be decided.`,
		Example: `  profcheck test seccomp_test.yaml
  profcheck test --coverage *_test.yaml
  profcheck test --vectors calls.tsv seccomp.json --target crun`,
		Annotations: severalTargets,
		Args: func(cmd *cobra.Command, args []string) error {
			if own.vectors != "" {
				return exactly(1, "PROFILE beside --vectors")(cmd, args)
			}
			return atLeast(1, "FILE...")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.expect(o, own, args) },
	}
	o.targetFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&own.vectors, "vectors", "", "run the rows of the table `FILE` against the one PROFILE")
	f.BoolVar(&own.coverage, "coverage", false, "text: list the rules and instructions that no expectation reached")
	return cmd
}

// expect runs the files, or the table, and reports all of them together. A file that cannot be judged
// is named on stderr, and the others are judged all the same.
func (a *App) expect(o *options, own expectFlags, files []string) error {
	doc := &report.Expect{Version: report.Version, Files: []report.ExpectFile{}}
	add := func(r *profiletest.Result) {
		doc.Passed, doc.Failed, doc.Unknown = doc.Passed+r.Passed, doc.Failed+r.Failed, doc.Unknown+r.Unknown
		doc.Files = append(doc.Files, expectFile(r, own.coverage))
	}
	var faults []error
	if own.vectors != "" {
		r, err := a.expectVectors(o, own.vectors, files[0])
		if bad := (*profiletest.VectorError)(nil); errors.As(err, &bad) {
			return unreadable(err)
		} else if err != nil {
			return err
		}
		add(r)
		files = nil
	} else if len(o.targets)+len(o.caps) > 0 || o.kernel != "" || o.release != "" {
		return usage("test: --target, --cap and --kernel belong to --vectors; a file of expectations says them itself")
	}
	for _, name := range files {
		r, err := a.expectations(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		add(r)
	}
	if len(doc.Files) > 0 {
		if err := a.emit(o, doc); err != nil {
			return err
		}
	}
	switch {
	case len(faults) > 0:
		for _, err := range faults[:len(faults)-1] {
			fmt.Fprintf(a.Stderr, "profcheck: %s\n", oneLine(err.Error()))
		}
		return unreadable(faults[len(faults)-1])
	case doc.Unknown > 0:
		return done(exitUnknown)
	case doc.Failed > 0:
		return done(exitFindings)
	}
	return nil
}

// unreadable makes an error exit 3: a word that nobody knows is wrong usage on the command line, and
// malformed input in a file.
func unreadable(err error) error {
	if code := (codeError{}); errors.As(err, &code) {
		return err
	}
	return codeError{exitUnknown, err}
}

// expectations runs one file; - is stdin, and its profile is relative to the working folder.
func (a *App) expectations(name string) (*profiletest.Result, error) {
	data, err := a.readSome(name, profiletest.MaxFile)
	if err != nil {
		return nil, err
	}
	f, err := profiletest.Parse(name, data)
	if err != nil {
		return nil, err
	}
	return f.Run()
}

// readSome reads a file of up to limit bytes, or stdin for "-".
func (a *App) readSome(name string, limit int64) ([]byte, error) {
	if name == "-" {
		return a.readStdin()
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, bare(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, bare(err))
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s: larger than %d bytes", name, limit)
	}
	return data, nil
}

func (a *App) expectVectors(o *options, table, name string) (*profiletest.Result, error) {
	if o.release != "" {
		return nil, usage("test: --target-version is not for --vectors")
	}
	data, err := a.readSome(table, maxStdin)
	if err != nil {
		return nil, err
	}
	options := []profiletest.Option{profiletest.Target(o.targets...), profiletest.Cap(o.caps...)}
	if o.kernel != "" {
		options = append(options, profiletest.Kernel(o.kernel))
	}
	return profiletest.RunVectors(table, bytes.NewReader(data), name, options...)
}

func expectFile(r *profiletest.Result, listed bool) report.ExpectFile {
	doc := report.ExpectFile{
		File: r.File, Profile: report.Profile{Name: r.Profile, Format: r.Format},
		Passed: r.Passed, Failed: r.Failed, Unknown: r.Unknown,
		Failures: []report.ExpectFailure{}, Notes: r.Notes, Coverage: coverageDoc(&r.Coverage),
	}
	doc.Coverage.Listed = listed
	for _, f := range r.Failures {
		failure := report.ExpectFailure{
			Position: report.Position{File: r.File, Line: f.Line, Column: f.Column},
			Expected: f.Expected, Unknown: f.Unknown, More: f.More,
		}
		for i := range f.Cases {
			failure.Cases = append(failure.Cases, expectCase(&f.Cases[i]))
		}
		doc.Failures = append(doc.Failures, failure)
	}
	return doc
}

func expectCase(c *profiletest.Case) report.ExpectCase {
	doc := report.ExpectCase{
		Target:  targetDoc(c.Target, nil),
		Witness: report.Witness{Arch: c.Arch.Name, Syscall: c.Syscall, Nr: c.Call.Nr, IP: report.Hex(c.Call.IP)},
	}
	for _, v := range c.Call.Args {
		doc.Witness.Args = append(doc.Witness.Args, report.Hex(v))
	}
	if c.To != c.Call.Nr {
		to := c.To
		doc.To = &to
	}
	if c.Err != nil {
		doc.Unknown = c.Err.Error()
		return doc
	}
	effect := c.Action.Effect()
	doc.Action, doc.Data, doc.Errno = effect.Name(), effect.Data(), errnoName(effect)
	doc.When, doc.Reason, doc.Length, doc.Shown = c.When, c.Reason, len(c.Program), profiletest.Shown(c.Trace)
	if c.Rule != nil {
		doc.Rule = ruleDoc(c.Rule.Source, c.Rule.Action, c.Rule.Pos)
		for _, cond := range c.Rule.Conds {
			if doc.Rule.When != "" {
				doc.Rule.When += " && "
			}
			doc.Rule.When += cond.String()
		}
	}
	for _, s := range c.Trace {
		doc.Trace = append(doc.Trace, step(c.Program[s.PC], s, c.Arch))
	}
	return doc
}

func ruleDoc(r *profile.Rule, action filter.Action, at profile.Pos) *report.Rule {
	doc := &report.Rule{Index: r.Index, Action: action.String()}
	if at != (profile.Pos{}) {
		doc.Position = &report.Position{File: at.File, Line: at.Line, Column: at.Column}
	}
	return doc
}

func coverageDoc(c *profiletest.Coverage) report.Coverage {
	doc := report.Coverage{Filters: []report.CoveredFilter{}}
	for _, r := range c.Rules {
		doc.Rules = append(doc.Rules, report.CoveredRule{
			Rule:     *ruleDoc(r.Rule, r.Rule.Action.Value(r.Rule.ErrnoRet), r.Rule.Pos),
			Enforced: r.Enforced, Reached: r.Reached, Missed: r.Missed,
		})
	}
	for i := range c.Filters {
		f := &c.Filters[i]
		covered := report.CoveredFilter{Target: targetDoc(f.Target, nil)}
		covered.Reached, covered.Instructions = f.Counts()
		for pc, reached := range f.Reached {
			if reached {
				continue
			}
			if n := len(covered.Missed); n > 0 && covered.Missed[n-1].To == pc-1 {
				covered.Missed[n-1].To = pc
				continue
			}
			covered.Missed = append(covered.Missed, report.InsnRange{From: pc, To: pc})
		}
		doc.Filters = append(doc.Filters, covered)
	}
	return doc
}
