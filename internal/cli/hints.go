package cli

import (
	"path"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// unread are the kinds of gap behind which there is code that runs in the process itself: what it
// calls was not seen, even where the scan counts as complete.
var unread = []elfscan.GapKind{elfscan.GapDlopen, elfscan.GapPlugin, elfscan.GapCode, elfscan.GapMissing}

// unreadGaps returns the gaps of a scan that hide code of the process.
func unreadGaps(s *elfscan.Result) []elfscan.Gap {
	return slices.DeleteFunc(slices.Clone(s.Gaps), func(g elfscan.Gap) bool { return !slices.Contains(unread, g.Kind) })
}

// gapsDoc lists gaps in the form of the documents, with what the next run can be given to close them.
func gapsDoc(r *elfscan.Result, gaps []elfscan.Gap) []report.Gap {
	out := []report.Gap{}
	root := elfscan.Options{Root: r.Root}
	var own []string // what is read already
	for _, g := range gaps {
		if startsItself(r, g) {
			continue
		}
		doc := report.Gap{Kind: string(g.Kind), Detail: g.Detail, Names: g.Names, Path: report.FromPath(g.Path)}
		if len(g.Names) > 0 && own == nil {
			own = ownPaths(r, root)
		}
		for _, name := range g.Names {
			switch g.Kind {
			case elfscan.GapExec:
				program, at, ok := command(root, name)
				switch {
				case !ok && !slices.Contains(doc.Absent, program):
					doc.Absent = append(doc.Absent, program)
				case ok && !slices.Contains(own, at) && !slices.Contains(doc.Give, program):
					doc.Give = append(doc.Give, program)
				}
			case elfscan.GapDlopen:
				if _, err := root.Find(name); err == nil && strings.Contains(name, "/") {
					doc.Give = append(doc.Give, name)
				}
			}
		}
		out = append(out, doc)
	}
	return out
}

// startsItself reports whether all that a gap tells of being started is the program that was scanned, as
// where a script runs its own shell: what it can call is known.
func startsItself(r *elfscan.Result, g elfscan.Gap) bool {
	if g.Kind != elfscan.GapExec || len(g.Names) == 0 || len(r.Modules) == 0 {
		return false
	}
	root := elfscan.Options{Root: r.Root}
	return !slices.ContainsFunc(g.Names, func(name string) bool {
		_, at, ok := command(root, name)
		return !ok || at != r.Modules[0].Path
	})
}

// ownPaths are the places of the program itself and of those that are united with it.
func ownPaths(r *elfscan.Result, root elfscan.Options) []string {
	own := []string{""}
	if len(r.Modules) > 0 {
		own = append(own, r.Modules[0].Path)
	}
	for _, name := range append([]string{r.Path}, r.With...) {
		if at, err := root.Find(name); err == nil {
			own = append(own, at)
		}
	}
	return own
}

// command tells the program that a command line starts: all of it if there is such a file, or else
// its first word. It returns where in the root that is, and false if there is no such program.
func command(root elfscan.Options, line string) (program, at string, ok bool) {
	program = line
	if at, err := root.Find(program); err == nil {
		return program, at, true
	}
	if words := strings.Fields(line); len(words) > 0 {
		program = words[0]
	}
	at, err := root.Find(program)
	if err != nil && path.Base(program) == program && strings.ContainsAny(program, "$`%") {
		program = line // no name, but a pattern for one
	}
	return program, at, err == nil
}

// nameOf names a number, also one of x32, which programs for x86_64 can call on the same kernel.
func nameOf(abi *syscalls.Arch, nr int32) string {
	if name, ok := abi.NameOf(nr); ok {
		return name
	}
	if x32 := syscalls.ByName("x32"); abi.Audit == x32.Audit {
		if name, ok := x32.NameOf(nr); ok {
			return name + " (x32)"
		}
	}
	return ""
}

// x32Form returns the number by which a program makes call nr of x86_64 as one of x32, false if there is
// none.
func x32Form(abi *syscalls.Arch, nr int32) (int32, bool) {
	x32 := syscalls.ByName("x32")
	name, ok := abi.NameOf(nr)
	if !ok || abi == x32 || abi.Audit != x32.Audit {
		return 0, false
	}
	return x32.Number(name)
}

// whyCommand returns the command that shows where a program makes a call that a profile denies.
func (o *options) whyCommand(program, profile string) func(call string) string {
	words := []string{"profcheck", "why"}
	add := func(flag string, values ...string) {
		for _, v := range values {
			words = append(words, flag, report.Quoted(v))
		}
	}
	if o.root != "" {
		add("--root", o.root)
	}
	add("--plugin", o.plugins...)
	add("--with", o.with...)
	if o.conservative {
		words = append(words, "--conservative")
	}
	words = append(words, report.Quoted(program))
	return func(call string) string {
		text := strings.Join(words, " ") + " " + call
		if profile != defaultProfile && profile != "-" {
			text += " " + report.Quoted(profile)
		}
		return text
	}
}
