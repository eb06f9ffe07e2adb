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

// simulateFlags are what only simulate takes.
type simulateFlags struct {
	vectors string
	ip      string
	strict  bool
}

func (a *App) simulateCommand(o *options) *cobra.Command {
	var own simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate PROFILE SYSCALL [ARG...]",
		Short: "What does this profile or filter do with one call?",
		Long: `Runs the filter on one call and shows the action, what decided, what the kernel makes of it, and
the instructions that ran. SYSCALL is a name or a number as the filter sees it; arguments are decimal,
hex or negative numbers, and those not given are 0.

PROFILE is a profile, a compiled filter, or a stack of them joined with +, oldest first. With --vectors
the calls come from a table (arch, audit_arch, syscall, nr, a0 to a5, expect; tabs between), and each
row that gets another answer is a mismatch: exit code 1.`,
		Example: `  profcheck simulate docker-default socket 40
  profcheck simulate docker-default clone 0x10000000 --arch arm64
  profcheck simulate base.bpf+extra.bpf write 2
  profcheck simulate --vectors rows.tsv filter.bpf`,
		ValidArgsFunction: completeProfileThenSyscall,
		Annotations:       severalTargets,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case own.vectors != "":
				return exactly(1, "PROFILE beside --vectors")(cmd, args)
			case own.strict:
				return atLeast(1, "SYSCALL [ARG...] beside --strict-mode")(cmd, args)
			}
			return atLeast(2, "PROFILE SYSCALL [ARG...]")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case own.vectors != "" && own.strict:
				return usage("--vectors and --strict-mode contradict each other")
			case own.vectors != "":
				return a.vectors(o, own.vectors, args[0])
			case own.strict:
				return a.strictMode(o, args)
			}
			return a.simulate(o, own, args)
		},
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "ABI of the call (default: the first that the profile names or the filter tests)")
	o.inputFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&own.ip, "ip", "0", "instruction pointer of the call")
	f.StringVar(&own.vectors, "vectors", "", "run the rows of the table `FILE`")
	f.BoolVar(&own.strict, "strict-mode", false, "ask SECCOMP_MODE_STRICT instead of a profile, which is not given then")
	return cmd
}

// call is one call as the command line gives it.
type call struct {
	abi  *syscalls.Arch
	data filter.Data
}

// parseCall reads SYSCALL [ARG...] and --arch; start is the ABI without it.
func (o *options) parseCall(start *syscalls.Arch, ip string, args []string) (c call, err error) {
	arches, err := o.archList()
	switch {
	case err != nil:
		return c, err
	case len(arches) > 1:
		return c, usage("simulate: one --arch, found %d", len(arches))
	case len(arches) == 1:
		start = arches[0]
	}
	c.abi = start
	c.data.Arch = start.Audit
	if c.data.Nr, err = parseSyscall(start, args[0]); err != nil {
		return c, err
	}
	if owner := syscalls.ByAudit(start.Audit, c.data.Nr); owner != nil && c.data.Nr >= 0 {
		c.abi = owner // a number of x32 on x86_64
	}
	if c.data.Args, err = parseArgs(c.abi, args[1:]); err != nil {
		return c, err
	}
	if c.data.IP, err = parseNumber(ip); err != nil {
		return c, usage("--ip: %w", err)
	}
	return c, nil
}

func (a *App) simulate(o *options, own simulateFlags, args []string) error {
	s, err := a.openSubject(o, args[0])
	if err != nil {
		return err
	}
	c, err := o.parseCall(s.firstArch(), own.ip, args[1:])
	if err != nil {
		return err
	}
	var doc *report.Simulate
	var compared []report.TargetAnswer
	for _, v := range o.views(s) {
		one, err := v.simulate(c)
		if err != nil {
			return err
		}
		if doc == nil {
			doc = one
		}
		if one.Target != nil {
			compared = append(compared, report.TargetAnswer{
				Target: *one.Target, Action: one.Action, Data: one.Data, Errno: one.Errno, Reason: one.Reason,
			})
		}
	}
	if len(compared) > 1 {
		doc.Compared = compared
	}
	return a.emit(o, doc)
}

// simulate runs the filters on a call and describes how they came to their answer.
func (v *view) simulate(c call) (*report.Simulate, error) {
	stack, err := v.stack(c.abi)
	if err != nil {
		return nil, err
	}
	result := simulate.Stack(stack).Trace(&c.data, c.abi.Order())
	effect := result.Action.Effect()
	profile := v.profileDoc()
	doc := &report.Simulate{
		Version: report.Version, Profile: &profile, Arch: c.abi.Name, Nr: c.data.Nr, IP: report.Hex(c.data.IP),
		Action: effect.Name(), Data: effect.Data(), Errno: errnoName(effect), Trace: []report.Step{},
	}
	doc.Syscall, _ = c.abi.NameOf(c.data.Nr)
	for _, arg := range c.data.Args {
		doc.Args = append(doc.Args, report.Hex(arg))
	}
	if doc.Target, err = v.targetDoc(c.abi); err != nil {
		return nil, err
	}
	decider := result.Decider
	if decider < 0 {
		decider = len(stack) - 1 // all of them allow; the newest ran first
	}
	if doc.Reason, doc.Rule, err = v.reason(decider, stack[decider], c, result.Results[decider]); err != nil {
		return nil, err
	}
	doc.Length = len(stack[decider])
	if !v.off(decider, c.abi) {
		doc.Trace = steps(stack[decider], result.Results[decider], c.abi)
	}
	if len(stack) > 1 {
		if doc.Reason = fmt.Sprintf("%s, filter %d of %d: %s", v.layers[decider].name, decider+1, len(stack), doc.Reason); result.Decider < 0 {
			doc.Reason, doc.Rule = "no single filter: all of them allow the call", nil
		}
		for i, r := range result.Results {
			own := r.Action.Effect()
			doc.Filters = append(doc.Filters, report.Ran{
				Name: v.layers[i].name, Format: v.layers[i].format, Action: own.Name(), Data: own.Data(), Errno: errnoName(own),
				Decides: i == result.Decider, Trace: steps(stack[i], r, c.abi), Length: len(stack[i]),
			})
		}
	}
	v.inEffect(doc, c, result.Action)
	return doc, nil
}

// off reports whether a profile turns seccomp off, so that there is no filter at all.
func (v *view) off(layer int, abi *syscalls.Arch) bool {
	if v.layers[layer].profile == nil {
		return false
	}
	h, err := v.host(layer, abi)
	return err == nil && h.Disabled
}

// reason says what decides in one filter, and which rule of a profile it is.
func (v *view) reason(layer int, p filter.Program, c call, r simulate.Result) (string, *report.Rule, error) {
	if v.layers[layer].profile == nil {
		last := r.Trace[len(r.Trace)-1].PC
		return fmt.Sprintf("instruction %d, %s", last, p[last]), nil, nil
	}
	h, err := v.host(layer, c.abi)
	if err != nil {
		return "", nil, err
	}
	if h.Disabled {
		return "no filter: the profile turns seccomp off", nil, nil
	}
	text, rule := h.decider(c.abi, &c.data, r.Action)
	return text, rule, nil
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

// steps describes the instructions that ran.
func steps(p filter.Program, r simulate.Result, abi *syscalls.Arch) []report.Step {
	out := []report.Step{}
	for _, s := range r.Trace {
		out = append(out, step(p[s.PC], s, abi))
	}
	return out
}

// step describes one instruction that ran.
func step(in filter.Insn, s simulate.Step, abi *syscalls.Arch) report.Step {
	out := report.Step{PC: s.PC, Insn: in.String(), A: s.A, X: s.X}
	switch {
	case s.Word >= 0:
		out.Note = fmt.Sprintf("%s = %#x", filter.WordName(s.Word, abi.Order()), s.A)
	case in.Code&7 == filter.ClassJmp && in.Code != filter.OpJa && s.Taken:
		out.Note = "holds"
	}
	return out
}
