package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// completeProfiles offers the built-ins, and files.
func completeProfiles(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, b := range profile.Builtins() {
		if strings.HasPrefix(b.Name, prefix) {
			names = append(names, b.Name+"\t"+b.Title)
		}
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeSyscalls offers the names of syscalls.
func completeSyscalls(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, n := range syscalls.Names() {
		if strings.HasPrefix(n, prefix) {
			names = append(names, n)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeProfileThenSyscall is for `simulate PROFILE SYSCALL`.
func completeProfileThenSyscall(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return completeProfiles(cmd, args, prefix)
	case 1:
		return completeSyscalls(cmd, args, prefix)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeFileThenSyscall is for `why BINARY SYSCALL`.
func completeFileThenSyscall(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return completeSyscalls(cmd, args, prefix)
	}
	return nil, cobra.ShellCompDirectiveDefault
}
