package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/report"
)

// emit writes a document in the form that the user wants, to stdout or to the file of -o, and in each
// form of --also to its file.
func (a *App) emit(o *options, d report.Document) error {
	main, err := a.render(o, o.format, d, a.colors(o))
	if err != nil {
		return err
	}
	for _, also := range o.also {
		name, file, _ := strings.Cut(also, "=")
		text, err := a.render(o, name, d, false)
		if err != nil {
			return err
		}
		if err := a.writeFile(o, "--also", file, text); err != nil {
			return err
		}
	}
	if o.output == "" {
		_, err := a.Stdout.Write(main)
		return err
	}
	return a.writeFile(o, "-o", o.output, main)
}

// render gives the bytes of a document in one format.
func (a *App) render(o *options, name string, d report.Document, color bool) ([]byte, error) {
	format, err := report.LookupFormat(name)
	if err != nil {
		return nil, usage("%w", err)
	}
	if err := format.Has(report.Kind(d)); err != nil {
		return nil, usage("%w", err)
	}
	var out bytes.Buffer
	err = format.Write(&out, d, report.Options{Color: color, Verbose: o.verbose, Quiet: o.quiet, Tool: tool()})
	return out.Bytes(), err
}

// tool is what formats for pipelines say of profcheck.
func tool() report.Tool {
	release, _ := buildVersion()
	t := report.Tool{Version: release, URI: "https://" + module}
	for _, c := range lint.Checks() {
		t.Checks = append(t.Checks, fullCheckInfo(c))
	}
	return t
}

// commandKinds are the commands whose results have more forms than others, with the kind of document
// that each gives; report gives what it is given.
var commandKinds = map[string]string{"profcheck": "check", "check": "check", "lint": "lint", "test": "expect", "report": ""}

// checkFormats refuses, before the work, formats that are unknown or that have no form for what the
// command gives, and files that are there.
func (a *App) checkFormats(o *options, command string) error {
	kind, known := commandKinds[command]
	if !known {
		kind = command
	}
	if !known && len(o.also) > 0 {
		return usage("%s has one form of output: --also is for check, lint, test and report", command)
	}
	names, files := []string{o.format}, []string{o.output}
	for _, also := range o.also {
		name, file, ok := strings.Cut(also, "=")
		if !ok || file == "" {
			return usage("--also %s: want FORMAT=FILE", also)
		}
		if slices.Contains(files, file) {
			return usage("--also %s: %s is written twice", also, file)
		}
		names, files = append(names, name), append(files, file)
	}
	for _, name := range names {
		if slices.Contains(laterFormats, name) {
			return usage("format %s is not there yet: %s", name, strings.Join(report.FormatNames(), ", "))
		}
		format, err := report.LookupFormat(name)
		if err != nil {
			return usage("%w", err)
		}
		if err := format.Has(kind); err != nil && kind != "" {
			return usage("%w", err)
		}
	}
	for i, file := range files {
		if _, err := os.Lstat(file); file != "" && err == nil && !o.force && !a.appends(file) {
			flag := "-o " + file
			if i > 0 {
				flag = "--also " + o.also[i-1]
			}
			return usage("%s: the file exists; --force overwrites it", flag)
		}
	}
	return nil
}

// appends reports whether a file is written at its end: the summary of a job, to which its steps add
// (GitHub Actions, GITHUB_STEP_SUMMARY).
func (a *App) appends(file string) bool { return file != "" && file == a.env("GITHUB_STEP_SUMMARY") }

func (a *App) writeFile(o *options, flag, file string, data []byte) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	switch {
	case a.appends(file):
		mode = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	case o.force:
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(file, mode, 0o644)
	if err != nil {
		return fmt.Errorf("%s %s: %w", flag, file, bare(err))
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s %s: %w", flag, file, bare(err))
	}
	return nil
}

// colors decides on terminal colours: the flag first, then NO_COLOR (no-color.org) and
// CLICOLOR_FORCE (bixense.com/clicolors), then whether stdout is a terminal.
func (a *App) colors(o *options) bool {
	switch {
	case o.color == "always":
		return true
	case o.color == "never", a.env("NO_COLOR") != "":
		return false
	case a.env("CLICOLOR_FORCE") != "" && a.env("CLICOLOR_FORCE") != "0":
		return true
	case o.output != "", a.env("TERM") == "dumb":
		return false
	}
	f, ok := a.Stdout.(*os.File)
	if !ok {
		return false
	}
	return terminal(f)
}

// terminal reports whether somebody reads what is written to f.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// bare strips operation and path from a file error, which the message names already.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// checkDir says why something cannot be a root directory.
func checkDir(name string) error {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		return errors.New("not a directory")
	}
	return err
}
