package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/internal/config"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
)

// openBaseline reads the file of --baseline, and refuses early what --write-baseline could not write.
func (a *App) openBaseline(o *options) error {
	p := &o.project
	if p.write != "" && !o.force {
		if _, err := os.Lstat(p.write); err == nil {
			return usage("--write-baseline %s: the file exists; --force overwrites it", p.write)
		}
	}
	if p.baseline == "" {
		return nil
	}
	data, err := config.ReadFile(p.baseline, config.MaxBaseline)
	if err != nil {
		return unreadable(fmt.Errorf("--baseline %s: %w", p.baseline, err))
	}
	if p.known, err = config.ParseBaseline(p.baseline, data); err != nil {
		return unreadable(err)
	}
	return nil
}

// A sieve collects the findings of a run, profile by profile, and tells those that count from those that
// somebody has ignored.
type sieve struct {
	a       *App
	o       *options
	judge   *config.Judge
	program bool // programs are judged
	names   []string
	lists   [][]finding.Finding // for each judged profile
	files   []string            // the text that each is in
	text    []byte              // of the last one
}

func (a *App) sieve(o *options, program bool) *sieve {
	return &sieve{a: a, o: o, program: program, judge: config.NewJudge(o.project.config, a.now())}
}

// add takes the findings about one profile; part says that others of its file are not judged.
func (s *sieve) add(r *lint.Result, part bool) {
	p := r.Input.Profile
	file, _ := profile.SplitPart(p.Name)
	if len(s.files) == 0 || s.files[len(s.files)-1] != file { // one file has several targets and profiles
		s.text = s.a.sourceText(file)
	}
	var arches []string
	for _, h := range judged(r) {
		arches = append(arches, h.Name)
	}
	s.names, s.files = append(s.names, p.Name), append(s.files, file)
	s.lists = append(s.lists, s.judge.Apply(config.Subject{
		Profile: p, Source: s.text, Arches: arches, Program: s.program, Part: part,
	}, r.Findings))
}

// finish returns the findings for each profile, those about ignores among them: these are with the first
// profile of their text, and those about the file of settings with the first of all. It applies, or
// writes, the baseline; whole says that everything was judged that was asked for.
func (s *sieve) finish(whole bool) ([][]finding.Finding, error) {
	for _, f := range s.judge.Findings() {
		if len(s.lists) > 0 {
			i := max(0, slices.Index(s.files, f.Pos.File))
			s.lists[i] = append(s.lists[i], f)
			slices.SortStableFunc(s.lists[i], lint.Order)
		}
	}
	p := &s.o.project
	if p.known != nil {
		s.each(p.baseline, func(f *finding.Finding, k config.Known) {
			if p.known.Has(k) && f.Suppressed == nil {
				f.Suppressed = &finding.Suppression{By: finding.ByBaseline, Pos: finding.Pos{File: p.baseline}}
			}
		})
		s.gone()
	}
	s.count()
	if p.write != "" {
		if !whole {
			return s.lists, fmt.Errorf("--write-baseline %s: not written, since not everything could be judged", p.write)
		}
		return s.lists, s.write()
	}
	return s.lists, nil
}

// each visits all findings with what a baseline in a file knows them by.
func (s *sieve) each(baseline string, visit func(*finding.Finding, config.Known)) {
	var docs []report.Finding
	for i, list := range s.lists {
		for _, f := range report.FromFindings(list) {
			f.Profile = i
			docs = append(docs, f)
		}
	}
	prints := report.Fingerprints(docs)
	n := 0
	for _, list := range s.lists {
		for i := range list {
			visit(&list[i], config.Known{
				Fingerprint: prints[n], Path: s.path(baseline, list[i].Pos.File), Check: list[i].Check, Message: list[i].Message,
			})
			n++
		}
	}
}

// path is the way from the folder of a baseline to a file that was named here.
func (s *sieve) path(baseline, file string) string {
	if file == "" {
		return ""
	}
	cwd, err := os.Getwd()
	if err != nil {
		return filepath.ToSlash(file)
	}
	dir := filepath.Dir(baseline)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(cwd, dir)
	}
	return config.Relative(dir, cwd, file)
}

// gone says which findings of the baseline are not there any more, as far as this run can tell: a check of
// programs says nothing without them, and with them the other checks see one ABI only.
func (s *sieve) gone() {
	p := &s.o.project
	paths := map[string]bool{"": true}
	for i := range s.names {
		paths[s.path(p.baseline, s.names[i])], paths[s.path(p.baseline, s.files[i])] = true, true
	}
	var list []config.Known
	for _, k := range p.known.Gone(func(path string) bool { return paths[path] }) {
		if c, ok := lint.Lookup(k.Check); ok && c.NeedsBinary == s.program {
			list = append(list, k)
		}
	}
	if len(list) == 0 {
		return
	}
	text := fmt.Sprintf("%s: %s there any more", p.baseline, plural(len(list), "finding is", "findings are")+" not")
	if !s.o.verbose {
		text += " (--verbose names them)"
	}
	s.a.note(s.o, "%s", text)
	for _, k := range list {
		if s.o.verbose {
			s.a.note(s.o, "gone: %s: %s: %s", k.Path, k.Check, k.Message)
		}
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// count says how many findings do not count.
func (s *sieve) count() {
	all, baseline := 0, 0
	for _, f := range slices.Concat(s.lists...) {
		if f.Suppressed != nil {
			all++
			if f.Suppressed.By == finding.ByBaseline {
				baseline++
			}
		}
	}
	switch {
	case all == 0:
	case baseline == 0:
		s.a.note(s.o, "%s ignored", counted(all, "finding"))
	default:
		s.a.note(s.o, "%s ignored, %d by the baseline", counted(all, "finding"), baseline)
	}
}

// write writes the baseline: what counts, and what was in the old one and is there still. From then on
// these do not count.
func (s *sieve) write() error {
	p := &s.o.project
	var list []config.Known
	s.each(p.write, func(f *finding.Finding, k config.Known) {
		if f.Suppressed == nil || f.Suppressed.By == finding.ByBaseline {
			list = append(list, k)
			f.Suppressed = &finding.Suppression{By: finding.ByBaseline, Pos: finding.Pos{File: p.write}}
		}
	})
	text := config.FormatBaseline(list)
	if err := writeWhole(p.write, text, s.o.force); err != nil {
		return fmt.Errorf("--write-baseline %s: %w", p.write, bare(err))
	}
	s.a.note(s.o, "%s: %s", p.write, counted(strings.Count(string(text), "\n")-2, "finding"))
	return nil
}

// writeWhole writes a file, which is there whole or not at all. Without force it must not be there.
func writeWhole(name string, data []byte, force bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".profcheck-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if force {
		return os.Rename(f.Name(), name)
	}
	if _, err := os.Lstat(name); err == nil {
		return os.ErrExist
	}
	return os.Rename(f.Name(), name)
}
