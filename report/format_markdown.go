package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// markdownFormat is a summary in GitHub's Markdown, for a job's page or a comment.
var markdownFormat = Format{
	Name:  "markdown",
	Title: "a summary in Markdown",
	Kinds: resultKinds,
	Write: func(w io.Writer, d Document, o Options) error {
		r, ok := resultsOf(d)
		if !ok {
			return noForm("markdown", d)
		}
		var out bytes.Buffer
		r.markdown(&out, &o.Tool)
		_, err := w.Write(out.Bytes())
		return err
	},
}

// maxRows bounds the rows of a table: a job's page takes 1 MiB, and nobody reads more.
const maxRows = 200

func (r *results) markdown(out *bytes.Buffer, t *Tool) {
	fmt.Fprintf(out, "## profcheck\n")
	for _, s := range r.subjects {
		fmt.Fprintf(out, "\n**%s**: %s\n", markdownText(s.word), markdownText(s.headline))
		list := sorted(slices.DeleteFunc(counting(s.findings), func(f Finding) bool {
			return r.unused != nil && f.Check == r.unused.Check // it has its own line
		}))
		if len(list) > 0 {
			out.WriteString("\n| | Check | Place | Finding |\n|---|---|---|---|\n")
		}
		for _, f := range list[:min(len(list), maxRows)] {
			check, _ := t.check(f.Check)
			text := markdownText(f.sentence())
			for _, d := range f.details() {
				text += "<br>" + markdownText(d)
			}
			fmt.Fprintf(out, "| %s | %s | %s | %s |\n", f.Severity, markdownText(check.title()), cell(codeSpan(f.place())), text)
		}
		if n := len(list) - maxRows; n > 0 {
			fmt.Fprintf(out, "\n%d more.\n", n)
		}
		if n := len(s.findings) - len(counting(s.findings)); n > 0 && !s.alone { // else the headline says it
			fmt.Fprintf(out, "\n%s suppressed.\n", count(n, "finding"))
		}
	}
	for _, f := range r.errors {
		fmt.Fprintf(out, "\n**%s**: could not be judged: %s\n", VerdictUnknown, markdownText(f.Message))
	}
	if u := r.unused; u != nil {
		fmt.Fprintf(out, "\nAllowed without need: %s%s.\n", count(u.Count, "syscall"), spans("; riskiest: ", u.Riskiest))
		if len(r.open) > 0 {
			fmt.Fprintf(out, "\n<details><summary>All of them</summary>\n%s\n</details>\n", spans("\n", r.open))
		}
	}
}

// spans lists names as code behind a lead; nothing without names.
func spans(lead string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	var list []string
	for _, name := range names {
		list = append(list, codeSpan(name))
	}
	return lead + strings.Join(list, ", ")
}

// markdownText makes a text that means itself, in a line and in a cell of a table: HTML becomes
// entities, what Markdown knows gets a backslash.
func markdownText(s string) string {
	var b strings.Builder
	for _, r := range clean(s) {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '@': // no mention of somebody
			b.WriteString("&#64;")
		case '\\', '`', '*', '_', '[', ']', '|', '#', '~', '!', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// codeSpan marks a text as code, with a fence that is not in it (CommonMark 6.1).
func codeSpan(s string) string {
	if s = clean(s); s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// cell keeps code from ending its cell: GitHub's tables take \| for | before they look for code.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
