package cli

import (
	"fmt"
	"slices"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// usageOf hands what a scan found to lint, under the name that the verdict uses.
func usageOf(r *elfscan.Result, program string) lint.Usage {
	u := lint.Usage{Program: program, Kind: r.Kind, Arch: r.Arch, Root: r.Root, Complete: r.Complete(), Unread: len(unreadGaps(r)) > 0}
	for _, n := range r.Needs {
		need := lint.Need{Nr: n.Nr, Name: n.Name, Class: n.Class, Condition: n.Condition, Args: constants(n.Args)}
		if len(n.Sites) > 0 {
			need.Path = n.Sites[0].Path
		}
		for _, s := range n.Sites {
			need.Sites = append(need.Sites, lint.Site{Class: s.Class, Condition: s.Condition, Args: constants(s.Args), Path: s.Path, Always: s.Always})
		}
		u.Needs = append(u.Needs, need)
	}
	for _, x := range r.Unresolved {
		place := report.Caller(report.FromPath(x.Path))
		if place == "" {
			place = x.Function
		}
		if !slices.Contains(u.Unresolved, place) {
			u.Unresolved = append(u.Unresolved, place)
		}
	}
	u.Missing = missingGaps(r)
	return u
}

// missingGaps says which code runs in the process and was not read.
func missingGaps(r *elfscan.Result) (details []string) {
	for _, g := range r.Gaps {
		if g.Kind == elfscan.GapMissing {
			details = append(details, g.Detail)
		}
	}
	return details
}

// constants keeps unknown apart from known: a set without values counts as unknown.
func constants(args [6]elfscan.Values) (out [6][]uint64) {
	for i, v := range args {
		if v.Known && len(v.Consts) > 0 {
			out[i] = v.Consts
		}
	}
	return out
}

// binaryDoc is a scan in the form of the documents.
func binaryDoc(r *elfscan.Result) report.Binary {
	b := report.Binary{
		Path: r.Path, Kind: r.Kind, Arch: r.Arch.Name, Toolchain: r.GoVersion, Complete: r.Complete(),
		Script: r.Script, Root: r.Root, With: r.With,
		Syscalls: []report.Need{}, Unresolved: []report.Unresolved{},
	}
	for _, m := range r.Modules {
		b.Modules = append(b.Modules, report.Module{Path: m.Path, BuildID: m.BuildID, Opened: m.Opened})
	}
	for i := range r.Needs {
		b.Syscalls = append(b.Syscalls, needDoc(&r.Needs[i], r.Arch))
	}
	for _, u := range r.Unresolved {
		b.Unresolved = append(b.Unresolved, report.Unresolved{
			Function: u.Function, Address: report.Hex(u.Address), Reason: u.Reason, Path: report.FromPath(u.Path),
		})
	}
	b.Gaps = gapsDoc(r, r.Gaps)
	return b
}

func needDoc(n *elfscan.Need, abi *syscalls.Arch) report.Need {
	doc := report.Need{
		Name: nameOf(abi, n.Nr), Nr: n.Nr, Class: string(n.Class), Condition: n.Condition, Detail: n.Detail,
		Args: argsDoc(n.Args, n.Name, abi), Path: []report.Frame{},
	}
	if len(n.Sites) > 0 {
		doc.Path = report.FromPath(n.Sites[0].Path)
	}
	return doc
}

// argsDoc lists the arguments whose values are known, with the kernel's names for them.
func argsDoc(args [6]elfscan.Values, name string, abi *syscalls.Arch) []report.Arg {
	params, known := abi.Params(name)
	var out []report.Arg
	for i, v := range args {
		if !v.Known || known && i >= len(params) {
			continue // a register that the call does not read
		}
		a := report.Arg{Index: i, Values: []report.Hex{}}
		if i < len(params) {
			a.Name = params[i].Name
		}
		for _, c := range v.Consts {
			a.Values = append(a.Values, report.Hex(c))
		}
		out = append(out, a)
	}
	return out
}

// outcomeDoc is what the profile answers, in the form of the documents. With one program its name is
// left out.
func outcomeDoc(o lint.Outcome, several bool) report.Outcome {
	action := o.Action.Effect()
	doc := report.Outcome{
		Arch: o.Arch.Name, Name: o.Name, Nr: o.Nr, Class: string(o.Class), Outcome: o.Outcome,
		Action: action.Name(), Data: action.Data(), Errno: errnoName(action), When: o.When,
	}
	if several {
		doc.Programs = o.Programs
	}
	return doc
}

// counted renders a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
