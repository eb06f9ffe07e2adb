package cli

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profiletest"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/simulate"
	"github.com/profcheck/profcheck/syscalls"
)

// system is the kernel of --kernel with nobody watching the thread.
func (o *options) system() simulate.System {
	k, _ := syscalls.ParseKernel(o.kernel) // checked before; the zero Kernel is the newest
	return simulate.System{Kernel: k}
}

// inEffect adds what the kernel makes of an action, where that is more than to run the call, and
// whether it asks filters about the call at all.
func (v *view) inEffect(doc *report.Simulate, c call, action filter.Action) {
	s := v.o.system()
	if reason, exempt := s.Exempt(c.abi, c.data.Nr); exempt {
		doc.Exempt, doc.Effect = reason, "the call runs, whatever the filter says"
		return
	}
	if action.Base() == filter.Allow {
		return
	}
	doc.Effect = s.Effect(action).Text
	if base := action.Base(); base == filter.Trace || base == filter.UserNotif {
		watched := s
		watched.Tracer, watched.Listener = true, true
		doc.Effect = watched.Effect(action).Text + "; else " + doc.Effect
	}
}

// strictMode answers what SECCOMP_MODE_STRICT does with a call. The words are SYSCALL [ARG...].
func (a *App) strictMode(o *options, args []string) error {
	c, err := o.parseCall(syscalls.ByName(defaultArch), "0", args)
	if err != nil {
		return err
	}
	doc := &report.Simulate{
		Version: report.Version, Profile: &report.Profile{Name: "strict mode", Format: "kernel"},
		Arch: c.abi.Name, Nr: c.data.Nr, Trace: []report.Step{},
	}
	doc.Syscall, _ = c.abi.NameOf(c.data.Nr)
	for _, arg := range c.data.Args {
		doc.Args = append(doc.Args, report.Hex(arg))
	}
	action := filter.KillThread
	doc.Effect = "the thread ends by SIGKILL, not by SIGSYS as a filter would have it"
	if simulate.Strict(c.abi, c.data.Nr) {
		action, doc.Effect = filter.Allow, ""
	}
	doc.Action = action.Name()
	if reason, exempt := o.system().Exempt(c.abi, c.data.Nr); exempt {
		doc.Exempt = reason
	}
	doc.Reason = "SECCOMP_MODE_STRICT, which knows read, write, exit and the return from a signal handler"
	return a.emit(o, doc)
}

// vectors runs the rows of a table on a subject; mismatches are exit code 1.
func (a *App) vectors(o *options, table, name string) error {
	if len(o.targets) > 1 {
		return usage("simulate --vectors: one --target, found %d", len(o.targets))
	}
	s, err := a.openSubject(o, name)
	if err != nil {
		return err
	}
	rows, err := a.readVectors(table)
	if err != nil {
		return err
	}
	only, err := o.archList()
	if err != nil {
		return err
	}
	v := o.view(s)
	doc := &report.Vectors{Version: report.Version, Profile: s.profileDoc(), Table: table, Mismatches: []report.Mismatch{}}
	for _, row := range rows {
		if !selected(only, row.Arch) {
			continue
		}
		if doc.Target == nil {
			if doc.Target, err = v.targetDoc(row.Arch); err != nil {
				return err
			}
		}
		m, err := v.row(row)
		if err != nil {
			return fmt.Errorf("vectors %s:%d: %w", table, row.Line, err)
		}
		if m == nil {
			doc.Passed++
			continue
		}
		doc.Failed++
		doc.Mismatches = append(doc.Mismatches, *m)
	}
	if doc.Passed+doc.Failed == 0 {
		return fmt.Errorf("vectors %s: no rows", table)
	}
	if err := a.emit(o, doc); err != nil {
		return err
	}
	if doc.Failed > 0 {
		return done(exitFindings)
	}
	return nil
}

func selected(only []*syscalls.Arch, abi *syscalls.Arch) bool {
	return len(only) == 0 || slices.Contains(only, abi)
}

// readVectors reads a table of expectations.
func (a *App) readVectors(table string) ([]profiletest.Vector, error) {
	if table == "-" {
		data, err := a.readStdin()
		if err != nil {
			return nil, err
		}
		return profiletest.ReadVectors(table, bytes.NewReader(data))
	}
	f, err := os.Open(table)
	if err != nil {
		return nil, fmt.Errorf("vectors %s: %w", table, bare(err))
	}
	defer f.Close()
	return profiletest.ReadVectors(table, f)
}

// row runs one row; nil if the answer is the expected one.
func (v *view) row(row profiletest.Vector) (*report.Mismatch, error) {
	stack, err := v.stack(row.Arch)
	if err != nil {
		return nil, err
	}
	got, _ := simulate.Stack(stack).Run(&row.Data, row.Arch.Order())
	if row.Matches(got) {
		return nil, nil
	}
	doc, err := v.simulate(call{row.Arch, row.Data})
	if err != nil {
		return nil, err
	}
	return &report.Mismatch{
		Line: row.Line, Arch: row.Arch.Name, Syscall: row.Syscall, Nr: row.Data.Nr, Args: doc.Args,
		Want: row.Expect.String(), Got: got.Effect().String(), Reason: doc.Reason,
	}, nil
}
