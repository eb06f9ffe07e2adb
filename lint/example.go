package lint

import (
	"embed"
	"strings"
)

// examples holds one file of worked examples for each check.
//
//go:embed testdata/PC*.txtar
var examples embed.FS

// section is one file of a txtar archive.
type section struct{ name, text string }

// readExamples splits a txtar archive: text up to the first marker line is the comment, and a line
// `-- NAME --` starts the file of that name.
func readExamples(archive string) (comment string, files []section) {
	into := &comment
	for line := range strings.Lines(archive) {
		name, marked := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "-- ")
		if name, ended := strings.CutSuffix(name, " --"); marked && ended {
			files = append(files, section{name: strings.TrimSpace(name)})
			into = &files[len(files)-1].text
			continue
		}
		*into += line
	}
	return comment, files
}
