package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// githubFormat is what the runner of GitHub Actions turns into annotations: workflow commands, one a
// line, and lines for people.
var githubFormat = Format{
	Name:  "github",
	Title: "annotations of GitHub Actions, within its limits",
	Kinds: resultKinds,
	Write: func(w io.Writer, d Document, o Options) error {
		r, ok := resultsOf(d)
		if !ok {
			return noForm("github", d)
		}
		var out bytes.Buffer
		r.github(&out, &o.Tool)
		_, err := w.Write(out.Bytes())
		return err
	},
}

// maxAnnotations is how many annotations of each kind the runner keeps of one step; it drops the
// others in silence.
const maxAnnotations = 10

// githubCommands are the workflow commands for severities.
var githubCommands = map[string]string{"error": "error", "warning": "warning", "info": "notice"}

func (r *results) github(out *bytes.Buffer, t *Tool) {
	var all []Finding
	seen := make(map[string]bool)
	for _, s := range r.subjects {
		for _, f := range counting(s.findings) {
			// What holds for several targets is one annotation: there are only ten.
			if key := f.Check + "\x00" + f.place() + "\x00" + f.Severity + "\x00" + f.sentence(); !seen[key] {
				all, seen[key] = append(all, f), true
			}
		}
	}
	all = sorted(all)
	room := r.githubErrors(out)
	for _, severity := range severities {
		var list []Finding
		for _, f := range all {
			if f.Severity == severity {
				list = append(list, f)
			}
		}
		for i, f := range list[:min(len(list), room)] {
			more := 0
			if i == room-1 {
				more = len(list) - room
			}
			r.annotation(out, t, f, more)
		}
		for _, f := range list[min(len(list), room):] {
			plainLine(out, fmt.Sprintf("%s: %s: %s: %s", f.Severity, f.place(), f.Check, f.sentence()))
		}
		room = maxAnnotations
	}
	for _, s := range r.subjects {
		plainLine(out, s.word+": "+s.headline)
	}
}

// githubErrors writes what could not be judged, as annotations of errors before all others, and
// returns how many of that kind the runner takes after them.
func (r *results) githubErrors(out *bytes.Buffer) (room int) {
	for i, f := range r.errors {
		if i >= maxAnnotations {
			plainLine(out, "error: "+f.Message)
			continue
		}
		lines := []string{clean(f.Message)}
		if n := len(r.errors) - maxAnnotations; n > 0 && i == maxAnnotations-1 {
			lines = append(lines, fmt.Sprintf("%d more that could not be judged are in the log", n))
		}
		var properties []string
		if file := fileName(f.File); file != "" {
			properties = append(properties, "file="+escapeProperty(slashed(file)))
			if f.Line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d", f.Line))
			}
			if f.Line > 0 && f.Column > 0 {
				properties = append(properties, fmt.Sprintf("col=%d", f.Column))
			}
		}
		head := "::error"
		if len(properties) > 0 {
			head += " " + strings.Join(properties, ",")
		}
		out.WriteString(head + "::" + escapeData(strings.Join(lines, "\n")) + "\n")
	}
	return maxAnnotations - min(len(r.errors), maxAnnotations)
}

// annotation writes one command; more are the findings that get none.
func (r *results) annotation(out *bytes.Buffer, t *Tool, f Finding, more int) {
	check, _ := t.check(f.Check)
	var properties []string
	add := func(name, value string) { properties = append(properties, name+"="+escapeProperty(value)) }
	lines := append([]string{clean(f.sentence())}, f.details()...)
	if file := r.file(f); file == "" {
		lines = append(lines, "in: "+f.place())
	} else {
		add("file", slashed(file))
		if f.Position.Line > 0 {
			add("line", fmt.Sprint(f.Position.Line))
		}
		// Columns count only where the lines are the same.
		if from, to := f.Position.columns(); to > 0 {
			add("endLine", fmt.Sprint(f.Position.Line))
			add("col", fmt.Sprint(from))
			add("endColumn", fmt.Sprint(to))
		} else if from > 0 {
			add("col", fmt.Sprint(from))
		}
	}
	add("title", check.title())
	if more > 0 {
		lines = append(lines, fmt.Sprintf("%d more of severity %s are in the log", more, f.Severity))
	}
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	fmt.Fprintf(out, "::%s %s::%s\n", githubCommands[f.Severity], strings.Join(properties, ","), escapeData(strings.Join(lines, "\n")))
}

var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// escapeData and escapeProperty write what the runner reads back (actions/runner, ActionCommand).
func escapeData(s string) string { return dataEscapes.Replace(s) }

func escapeProperty(s string) string { return propertyEscapes.Replace(clean(s)) }

// plainLine writes a line that the runner takes for no command: it looks for :: at the beginning of a
// line, and for the older ##[ anywhere in it.
func plainLine(out *bytes.Buffer, text string) {
	out.WriteString(strings.ReplaceAll(clean(text), "##[", "# #[") + "\n")
}
