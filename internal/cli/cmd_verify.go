package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

func (a *App) verifyCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify FILTER...",
		Short: "Would the kernel load this filter?",
		Long: `Prints accept, or the errno and the reason with the function of the kernel that refuses: exit code
1. Of a profile it says how large the filters are that its target makes of it. A stack, filters joined
with +, is loaded one by one, as a thread would. What is no filter at all is exit code 3.`,
		Example:           "  profcheck verify filter.bpf\n  profcheck verify docker-default --arch x86_64",
		Args:              atLeast(1, "FILTER..."),
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.verify(o, args) },
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "of a profile: architectures of the hosts, or all (default: those that the profile names)")
	o.inputFlags(cmd)
	return cmd
}

// verify asks for each filter. One that cannot be read does not keep the others from being judged.
func (a *App) verify(o *options, names []string) error {
	doc := &report.Verify{Version: report.Version, Verified: []report.Verified{}}
	var failed []error
	code := exitOK
	for _, name := range names {
		one, err := a.verifyOne(o, name)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		doc.Verified = append(doc.Verified, *one)
		if !one.Accepted {
			code = exitFindings
		}
	}
	if len(doc.Verified) > 0 {
		if err := a.emit(o, doc); err != nil {
			return err
		}
	}
	return a.failures(failed, code)
}

// failures prints all errors but the last, which it returns; without any it ends with the code.
func (a *App) failures(failed []error, code int) error {
	if len(failed) == 0 {
		return done(code)
	}
	for _, err := range failed[:len(failed)-1] {
		fmt.Fprintf(a.Stderr, "profcheck: %s\n", oneLine(err.Error()))
	}
	return codeError{exitCode(errors.Join(failed...)), failed[len(failed)-1]}
}

func (a *App) verifyOne(o *options, name string) (*report.Verified, error) {
	s, err := a.openSubject(o, name)
	if err != nil {
		return nil, err
	}
	arches, err := o.archList()
	if err != nil {
		return nil, err
	}
	if len(arches) == 0 {
		arches = s.arches()
	}
	if len(arches) == 0 {
		arches = []*syscalls.Arch{s.firstArch()}
	}
	doc := &report.Verified{Name: name, Format: s.format(), Accepted: true}
	v := o.view(s)
	seen := make(map[string]bool)
	for _, abi := range arches {
		if s.fits(abi) != nil {
			continue
		}
		key := abi.Host + orderWord(abi.Order())
		if seen[key] {
			continue
		}
		seen[key] = true
		_, err := v.stack(abi)
		var refused *filter.VerifyError
		var tooLong *profile.SizeError
		switch {
		case errors.As(err, &refused):
			return refuse(doc, refused), nil
		case errors.As(err, &tooLong):
			return refuse(doc, &filter.VerifyError{PC: -1, Errno: 22, Reason: tooLong.Error(), Func: "kernel/seccomp.c seccomp_prepare_filter"}), nil
		case err != nil:
			return nil, err
		}
		if doc.Target == nil {
			if doc.Target, err = v.targetDoc(abi); err != nil {
				return nil, err
			}
		}
	}
	doc.Sizes, err = v.sizes(arches)
	return doc, err
}

// refuse turns a verdict into its opposite.
func refuse(doc *report.Verified, err *filter.VerifyError) *report.Verified {
	doc.Accepted, doc.Reason, doc.Function = false, err.Reason, err.Func
	doc.Errno = filter.ErrnoName(err.Errno)
	if err.PC >= 0 {
		doc.Insn = &err.PC
	}
	return doc
}
