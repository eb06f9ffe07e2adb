package cli

import (
	"github.com/spf13/cobra"
)

// commandNames are the words that suggest offers; a test compares them with the commands.
var commandNames = []string{
	"check", "scan", "why", "lint", "rules", "explain", "init", "config", "simulate", "table", "diff", "test", "convert",
	"compile", "asm", "disasm", "verify", "resolve", "profiles", "targets",
	"report", "completion", "man", "version", "help",
}

// root makes the command tree. Each run makes its own.
func (a *App) root() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "profcheck BINARY... [PROFILE]",
		Short: "Does this program run under this seccomp profile?",
		Long: `profcheck tells, without running anything, whether a program can run under a seccomp profile,
what the profile denies that it needs, and what the profile allows that it does not need.

The last argument is the profile when it is one: a built-in (profcheck profiles), a JSON file, or - for
stdin. Without one it is ` + defaultProfile + `. A binary called like a command is given with a path: ./lint.
A name without slash is a file here, or a program in PATH; a script stands for its interpreter. Of a
program in C, C++ or Rust the libraries are read, too: this machine's, or with --root those of a directory.

Exit codes: 0 nothing at or above the threshold (--fail-on); 1 findings, or the answer no; 2 wrong usage;
3 could not judge: unreadable or malformed input, or something that the scan could not see.`,
		Example: `  profcheck ./server
  profcheck --root ./rootfs /usr/sbin/nginx profile.json
  profcheck ./server profile.json --target runc
  profcheck --build ./cmd/server strict
  profcheck why ./server ptrace`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if version, _ := cmd.Flags().GetBool("version"); version {
				return a.version(o)
			}
			if len(args) == 0 && len(o.build) == 0 {
				cmd.SetOut(a.Stderr)
				_ = cmd.Help() // it writes to stderr, and there is nobody to tell that this failed
				return usage("no binary given")
			}
			if err := o.firstWord(args); err != nil {
				return err
			}
			return a.check(o, args)
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.checkOptions(o, cmd) },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout) // before the completion command, which keeps it
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	root.Flags().Bool("version", false, "the same as the command version")
	root.Flags().SortFlags = false
	o.outputFlags(root)
	o.checkFlags(root)
	root.AddCommand(
		a.checkCommand(o), a.scanCommand(o), a.whyCommand(o),
		a.lintCommand(o), a.rulesCommand(o), a.explainCommand(o), a.initCommand(o), a.configCommand(o),
		a.simulateCommand(o), a.tableCommand(o), a.diffCommand(o), a.expectCommand(o),
		a.convertCommand(o), a.compileCommand(o), a.asmCommand(o), a.disasmCommand(o), a.verifyCommand(o),
		a.resolveCommand(o), a.profilesCommand(o), a.targetsCommand(o), a.reportCommand(o), a.manCommand(o), a.versionCommand(o),
	)
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil && c != root {
		c.Args = exactly(0, "a shell")
		c.RunE = func(_ *cobra.Command, args []string) error {
			return usage("completion: name a shell: bash, zsh, fish or powershell")
		}
	}
	return root
}

// checkFlags are those of the main job, with and without its word.
func (o *options) checkFlags(cmd *cobra.Command) {
	o.targetFlags(cmd)
	o.archFlag(cmd, "with --build: the architecture to build for; otherwise what the binaries must be for")
	o.thresholdFlags(cmd)
	o.scanFlags(cmd)
	o.configFlags(cmd)
	o.baselineFlags(cmd)
}
