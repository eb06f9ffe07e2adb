package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
)

func (a *App) asmCommand(o *options) *cobra.Command {
	var own compileFlags
	cmd := &cobra.Command{
		Use:   "asm FILE",
		Short: "Assemble what disasm writes, or a text of your own",
		Long: `Reads a filter as text, one instruction a line, and writes it as the kernel takes it. The
notation is that of disasm: profcheck disasm docker-default shows it.`,
		Example: "  profcheck asm filter.s -o filter.bpf\n  profcheck asm - --as c < filter.s",
		Args:    exactly(1, "FILE, or - for stdin"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := own.check(); err != nil {
				return err
			}
			if err := a.rawToTerminal(o, &own); err != nil {
				return err
			}
			data, err := a.readInput(args[0])
			if err != nil {
				return err
			}
			l, err := readFilter(args[0], data, string(filter.Asm), o.byteOrder())
			if err != nil {
				return err
			}
			return a.writeProgram(o, &own, l.name, l.program, l.order)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.order, "order", "", "byte order if the text does not say it: little, big")
	words(cmd, "order", orderWords...)
	own.outputForm(cmd)
	return cmd
}

func (a *App) disasmCommand(o *options) *cobra.Command {
	var own compileFlags
	cmd := &cobra.Command{
		Use:   "disasm FILTER",
		Short: "Show the instructions of a filter with names for numbers; asm reads it back",
		Long: `Writes a compiled filter as text with the names of syscalls, actions, architectures and argument
words. asm makes the same bytes of it. Of a profile it shows the filter that compile would make.`,
		Example:           "  profcheck disasm filter.bpf\n  profcheck disasm docker-default --host arm64",
		Args:              exactly(1, "FILTER"),
		ValidArgsFunction: completeProfiles,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.openSubject(o, args[0])
			if err != nil {
				return err
			}
			if len(s.layers) > 1 {
				return usage("disasm: %s is a stack: show its filters one by one", args[0])
			}
			l := s.layers[0]
			if l.profile != nil {
				h, arches, err := o.toCompile(l.profile, &own)
				if err != nil {
					return err
				}
				l.order = arches[0].Order()
				if l.program, err = h.Compile(arches...); err != nil {
					return fmt.Errorf("profile %s: %w", l.name, err)
				}
			}
			doc := listingDoc(l.name, l.program, l.order)
			doc.Format = l.format
			if err := a.emit(o, doc); err != nil {
				return err
			}
			return refusal(l.name, l.program.Verify())
		},
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "of a profile: architectures that the filter answers for")
	o.inputFlags(cmd)
	cmd.Flags().StringVar(&own.host, "host", "", "of a profile: architecture of the machine")
	words(cmd, "host", archNames()...)
	return cmd
}
