package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

func (a *App) simulateCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate PROFILE SYSCALL [ARG...]",
		Short: "What does this profile do with one call?",
		Long: `Runs the profile's filter on one call and shows the action, what decided, and the instructions
that ran. SYSCALL is a name or a number as the filter sees it; arguments are decimal, hex or
negative numbers, and those not given are 0.`,
		Example:           "  profcheck simulate docker-default socket 40\n  profcheck simulate docker-default clone 0x10000000 --arch arm64",
		Args:              atLeast(2, "PROFILE SYSCALL [ARG...]"),
		ValidArgsFunction: completeProfileThenSyscall,
		RunE:              func(_ *cobra.Command, args []string) error { return a.simulate(o, args) },
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "ABI of the call (default: the first that the profile names)")
	return cmd
}

func (a *App) simulate(o *options, args []string) error {
	arches, err := o.archList()
	if err != nil {
		return err
	}
	if len(arches) > 1 {
		return usage("simulate: one --arch, found %d", len(arches))
	}
	p, err := a.openProfile(args[0])
	if err != nil {
		return err
	}
	abi := profileArches(p)[0]
	if len(arches) == 1 {
		abi = arches[0]
	}
	data := filter.Data{Arch: abi.Audit}
	if data.Nr, err = parseSyscall(abi, args[1]); err != nil {
		return err
	}
	if owner := syscalls.ByAudit(abi.Audit, data.Nr); owner != nil && data.Nr >= 0 {
		abi = owner // a number of x32 on x86_64
	}
	if data.Args, err = parseArgs(abi, args[2:]); err != nil {
		return err
	}
	h, err := o.resolve(p, abi)
	if err != nil {
		return err
	}
	program, err := h.program(abi)
	if err != nil {
		return err
	}
	return a.emit(o, h.simulate(abi, program, &data))
}

// simulate runs the filter and describes how it came to its answer.
func (h *host) simulate(abi *syscalls.Arch, program filter.Program, data *filter.Data) *report.Simulate {
	result := simulate.Trace(program, data, abi.Order())
	effect := result.Action.Effect()
	profile, target := profileDoc(h.Profile), targetDoc(h.Target, h.assumed)
	doc := &report.Simulate{
		Version: report.Version, Profile: &profile, Target: &target,
		Arch: abi.Name, Nr: data.Nr,
		Action: effect.Name(), Data: effect.Data(), Errno: errnoName(effect),
		Trace: []report.Step{}, Length: len(program),
	}
	doc.Syscall, _ = abi.NameOf(data.Nr)
	for _, v := range data.Args {
		doc.Args = append(doc.Args, report.Hex(v))
	}
	if h.Disabled {
		doc.Reason = "no filter: the profile turns seccomp off"
		return doc
	}
	for _, s := range result.Trace {
		doc.Trace = append(doc.Trace, step(program[s.PC], s, abi))
	}
	doc.Reason, doc.Rule = h.decider(abi, data, result.Action)
	return doc
}

// decider names what decides a call: the stub, an uncovered ABI, a rule, or the default action.
func (h *host) decider(abi *syscalls.Arch, data *filter.Data, action filter.Action) (string, *report.Rule) {
	limit, stub := h.Stub[abi.Name]
	if stub && uint32(data.Nr) > uint32(limit) && syscalls.ByAudit(abi.Audit, data.Nr) == abi {
		return fmt.Sprintf("the stub that runc puts in front: the largest number that the profile names is %d", limit), nil
	}
	if !h.covers(abi) {
		return "the filter does not know the ABI", nil
	}
	name, _ := abi.NameOf(data.Nr)
next:
	for _, r := range h.Rules {
		if r.Name != name || r.Action != action {
			continue
		}
		var when []string
		for _, c := range r.Conds {
			if !c.Holds(data.Args[c.Arg], abi.PointerBits) {
				continue next
			}
			when = append(when, c.String())
		}
		rule := &report.Rule{
			Index: r.Source.Index, Action: r.Action.String(), When: strings.Join(when, " && "),
			Position: &report.Position{File: r.Pos.File, Line: r.Pos.Line, Column: r.Pos.Column},
		}
		text := fmt.Sprintf("syscalls[%d]", rule.Index)
		if at := (finding.Pos{File: r.Pos.File, Line: r.Pos.Line, Column: r.Pos.Column}).String(); at != "" {
			text += " at " + at
		}
		if rule.When != "" {
			text += ", because " + rule.When
		}
		return text, rule
	}
	if action == h.Default {
		return "the default action", nil
	}
	return "the filter, by no single rule", nil
}

// step describes one instruction that ran.
func step(in filter.Insn, s simulate.Step, abi *syscalls.Arch) report.Step {
	out := report.Step{PC: s.PC, Insn: mnemonic(in), A: s.A, X: s.X}
	switch {
	case s.Word >= 0:
		out.Note = fmt.Sprintf("%s = %#x", wordName(s.Word, abi), s.A)
	case in.Code&7 == filter.ClassJmp && in.Code != filter.OpJa && s.Taken:
		out.Note = "holds"
	}
	return out
}

// wordName names a word of struct seccomp_data by its index.
func wordName(word int, abi *syscalls.Arch) string {
	half := [2]string{"low", "high"}
	if abi.BigEndian {
		half = [2]string{"high", "low"}
	}
	switch word {
	case 0:
		return "nr"
	case 1:
		return "arch"
	case 2, 3:
		return "ip " + half[word-2]
	}
	return fmt.Sprintf("arg%d %s", (word-4)/2, half[word%2])
}
