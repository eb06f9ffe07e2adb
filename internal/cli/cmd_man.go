package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func (a *App) manCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages",
		Long: `Writes a manual page in section 1 for profcheck and for each of its commands into a folder, which is made
where it is missing: profcheck.1, profcheck-lint.1 and so on. The pages depend on the program alone; they bear
the date that SOURCE_DATE_EPOCH gives in seconds since 1970, and none without it. --force overwrites pages.`,
		Example: "  profcheck man ./man1 && man ./man1/profcheck-lint.1",
		Args:    exactly(1, "DIR"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.man(o, cmd.Root(), args[0]) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
}

// man writes the page of each command into a folder.
func (a *App) man(o *options, root *cobra.Command, dir string) error {
	if o.format != "text" || o.output != "" || len(o.also) > 0 {
		return usage("man: writes pages into DIR, and has no other form")
	}
	release, _ := buildVersion()
	m := manual{release: release}
	if epoch := a.env("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil || seconds < 0 || seconds > maxEpoch {
			return usage("SOURCE_DATE_EPOCH: %q is no number of seconds since 1970", epoch)
		}
		m.date = time.Unix(seconds, 0).UTC().Format(time.DateOnly)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("man: %w", err)
	}
	for _, c := range documented(root) {
		if err := a.writeFile(o, "man", filepath.Join(dir, pageName(c)+".1"), m.page(c)); err != nil {
			return err
		}
	}
	return nil
}

// maxEpoch is the last second of the year 9999: pages have four digits for it.
const maxEpoch = 253402300799

// documented lists a command and all below it that help shows, each before its own.
func documented(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, documented(c)...)
		}
	}
	return out
}
