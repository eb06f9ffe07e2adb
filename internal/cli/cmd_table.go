package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

func (a *App) tableCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "table PROFILE",
		Short:             "What does this profile do with every syscall of every architecture?",
		Example:           "  profcheck table docker-default --arch x86_64",
		Args:              exactly(1, "PROFILE"),
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.table(o, args[0]) },
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "architectures to show, or all (default: those that the profile names)")
	return cmd
}

func (a *App) table(o *options, name string) error {
	arches, err := o.archList()
	if err != nil {
		return err
	}
	p, err := a.openProfile(name)
	if err != nil {
		return err
	}
	if len(arches) == 0 {
		arches = profileArches(p)
	}
	doc := &report.Table{Version: report.Version, Arches: []report.ArchTable{}}
	hosts := make(map[string]*host)
	for _, abi := range arches {
		h := hosts[abi.Host]
		if h == nil {
			if h, err = o.resolve(p, abi); err != nil {
				return err
			}
			hosts[abi.Host] = h
		}
		if doc.Profile == nil {
			profile, target := profileDoc(p), targetDoc(h.Target, h.assumed)
			doc.Profile, doc.Target = &profile, &target
		}
		table, err := h.table(abi)
		if err != nil {
			return err
		}
		doc.Arches = append(doc.Arches, table)
	}
	return a.emit(o, doc)
}

func (h *host) table(abi *syscalls.Arch) (report.ArchTable, error) {
	out := report.ArchTable{Arch: abi.Name, Syscalls: []report.Row{}}
	program, err := h.program(abi)
	if err != nil {
		return out, err
	}
	for _, s := range abi.Syscalls() {
		regions, err := simulate.Outcomes(program, abi, s.Nr, [6][]uint64{})
		row := report.Row{Name: s.Name, Nr: s.Nr}
		switch {
		case errors.Is(err, simulate.ErrTooComplex):
			row.Regions = []report.Region{{When: "too complex to tell", Action: "UNKNOWN"}}
		case err != nil:
			return out, err
		}
		for _, r := range regions {
			row.Regions = append(row.Regions, regionDoc(r))
		}
		out.Syscalls = append(out.Syscalls, row)
	}
	out.Others = others(abi, program)
	return out, nil
}

func regionDoc(r simulate.Region) report.Region {
	var when []string
	for _, c := range r.When {
		when = append(when, c.String())
	}
	action := r.Action.Effect()
	return report.Region{When: strings.Join(when, " && "), Action: action.Name(), Data: action.Data(), Errno: errnoName(action)}
}

// x32Bit tells x32's numbers from those of x86_64, the only ABIs that share a token
// (arch/x86/include/uapi/asm/unistd.h __X32_SYSCALL_BIT).
const x32Bit = 1 << 30

// others returns what the filter does with the numbers that no syscall of the ABI has. A filter
// compares the number with constants, so that its answer can only change at one of them, or just
// behind it; a number is asked for each stretch between those and the known numbers.
func others(abi *syscalls.Arch, program filter.Program) []report.Range {
	known := make(map[uint32]bool)
	starts := []uint32{0}
	border := func(v uint32) {
		starts = append(starts, v)
		if v+1 != 0 {
			starts = append(starts, v+1)
		}
	}
	for _, s := range abi.Syscalls() {
		known[uint32(s.Nr)] = true
		border(uint32(s.Nr))
	}
	for _, in := range program {
		if in.Code&7 == filter.ClassJmp {
			border(in.K)
		}
	}
	border(1<<32 - 1) // -1 is no number of x32, although it has the bit
	for v := uint32(x32Bit); v != 0; v += x32Bit {
		border(v)
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	out := []report.Range{}
	for i, from := range starts {
		if known[from] || syscalls.ByAudit(abi.Audit, int32(from)) != abi {
			continue
		}
		to := uint32(1<<32 - 1)
		if i+1 < len(starts) {
			to = starts[i+1] - 1
		}
		d := filter.Data{Nr: int32(from), Arch: abi.Audit}
		action := simulate.Run(program, &d, abi.Order()).Effect()
		r := report.Range{From: from, To: to, Action: action.Name(), Data: action.Data(), Errno: errnoName(action)}
		if n := len(out) - 1; n >= 0 && out[n].To+1 == from && out[n].Action == r.Action && out[n].Data == r.Data {
			out[n].To = to
			continue
		}
		out = append(out, r)
	}
	return out
}
