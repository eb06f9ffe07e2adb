package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/profcheck/profcheck/report"
)

// emit writes a document in the form that the user wants, to stdout or to the file of -o.
func (a *App) emit(o *options, d report.Document) error {
	format, err := report.LookupFormat(o.format)
	if err != nil {
		return usage("%w", err)
	}
	var out bytes.Buffer
	if err := format.Write(&out, d, report.Options{Color: a.colors(o), Verbose: o.verbose, Quiet: o.quiet}); err != nil {
		return err
	}
	if o.output == "" {
		_, err := a.Stdout.Write(out.Bytes())
		return err
	}
	return o.writeFile(out.Bytes())
}

// checkOutput refuses an existing file early, before the work.
func (o *options) checkOutput() error {
	if o.output == "" || o.force {
		return nil
	}
	if _, err := os.Lstat(o.output); err == nil {
		return usage("-o %s: the file exists; --force overwrites it", o.output)
	}
	return nil
}

func (o *options) writeFile(data []byte) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if o.force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(o.output, mode, 0o644)
	if err != nil {
		return fmt.Errorf("-o %s: %w", o.output, bare(err))
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("-o %s: %w", o.output, bare(err))
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
