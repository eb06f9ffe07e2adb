package cli

import (
	"io"
	"os"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
)

// maxSourceFile bounds the files whose lines are shown, in bytes; a profile is smaller.
const maxSourceFile = 16 << 20

// sources fills in the lines that findings point into, so that the document holds all that a report
// shows. Where a text is not there any more, as that of a pipe, there are no lines.
func (a *App) sources(list []report.Finding) {
	texts := make(map[string]*report.Lines)
	for i := range list {
		p := list[i].Position
		if p == nil || p.Line == 0 {
			continue
		}
		lines, ok := texts[p.File]
		if !ok {
			lines = report.NewLines(a.sourceText(p.File))
			texts[p.File] = lines
		}
		p.Source = lines.Source(p.Line, p.Column)
	}
}

// sourceText returns the text of a profile by the name that it was given with, nil if it cannot be
// read a second time.
func (a *App) sourceText(name string) []byte {
	if name == "-" {
		return a.stdinText
	}
	if likeBuiltin(name) {
		for _, b := range profile.Builtins() {
			if b.Name == name {
				return b.Source()
			}
		}
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSourceFile+1))
	if err != nil || len(data) > maxSourceFile {
		return nil
	}
	return data
}
