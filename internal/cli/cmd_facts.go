package cli

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

func (a *App) resolveCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "resolve NAME|NR",
		Short:             "The number of a syscall on every ABI, its parameters and first kernel",
		Example:           "  profcheck resolve openat2\n  profcheck resolve 257 --arch x86_64",
		Args:              exactly(1, "NAME or NR"),
		ValidArgsFunction: completeSyscalls,
		RunE:              func(_ *cobra.Command, args []string) error { return a.resolve(o, args[0]) },
	}
	o.archFlag(cmd, "only these ABIs")
	return cmd
}

func (a *App) resolve(o *options, word string) error {
	arches, err := o.archList()
	if err != nil {
		return err
	}
	if len(arches) == 0 {
		arches = syscalls.Arches()
	}
	doc := &report.Resolve{Version: report.Version, Query: word, Numbers: []report.ABINr{}}
	var nr int32
	byNumber := isNumber(word)
	if byNumber {
		if nr, err = parseNr(word); err != nil {
			return err
		}
	} else if err := knownSyscall(word); err != nil {
		return err
	}
	for _, abi := range arches {
		name, ok := word, false
		if byNumber {
			name, ok = abi.NameOf(nr)
		} else {
			nr, ok = abi.Number(name)
		}
		if !ok {
			doc.Missing = append(doc.Missing, abi.Name)
			continue
		}
		doc.Numbers = append(doc.Numbers, abiNr(abi, name, nr))
	}
	if err := a.emit(o, doc); err != nil || len(doc.Numbers) > 0 {
		return err
	}
	return done(exitFindings)
}

func abiNr(abi *syscalls.Arch, name string, nr int32) report.ABINr {
	out := report.ABINr{Arch: abi.Name, Name: name, Nr: nr}
	if k, ok := syscalls.FirstKernel(name); ok {
		out.Kernel = k.String()
	}
	if k, ok := syscalls.RemovedIn(name); ok {
		out.Gone = k.String()
	}
	params, known := abi.Params(name)
	out.Known = known
	for _, p := range params {
		out.Params = append(out.Params, report.Param{Name: p.Name, Bits: p.Bits, Kind: p.Kind.String()})
	}
	return out
}

func (a *App) profilesCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "profiles",
		Short: "List the built-in profiles",
		Args:  exactly(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			doc := &report.Profiles{Version: report.Version}
			for _, b := range profile.Builtins() {
				p, err := profile.Open(b.Name)
				if err != nil {
					return err
				}
				doc.Builtins = append(doc.Builtins, report.Builtin{
					Name: b.Name, Format: p.Format, Title: b.Title, Origin: b.Origin, Release: b.Version, Licence: b.Licence,
				})
			}
			return a.emit(o, doc)
		},
	}
}

func (a *App) reportCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "report SAVED.json",
		Short: "Render a result that was saved with --format json",
		Long: `Renders a saved result as the run that made it would have: the same bytes for the same format.
The exit code is 0 whatever the result says, and 3 if the file is no result of profcheck.`,
		Example: "  profcheck ./server --format json -o saved.json; profcheck report saved.json",
		Args:    exactly(1, "SAVED.json, or - for stdin"),
		RunE: func(_ *cobra.Command, args []string) error {
			doc, err := a.saved(args[0])
			if err != nil {
				return fmt.Errorf("report %s: %w", args[0], bare(err))
			}
			return a.emit(o, doc)
		},
	}
}

func (a *App) saved(name string) (report.Document, error) {
	var r io.Reader = a.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	return report.Decode(r)
}

func (a *App) versionCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "The version of profcheck, and how far its tables reach",
		Args:  exactly(0, "no argument"),
		RunE:  func(*cobra.Command, []string) error { return a.version(o) },
	}
}

const module = "github.com/profcheck/profcheck"

func (a *App) version(o *options) error {
	doc := &report.About{
		Version: report.Version, Module: module,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Tables: report.Tables{
			Kernel: syscalls.NewestKernel().String(), ABIs: len(syscalls.Arches()),
			Names: len(syscalls.Names()), Checks: len(lint.Checks()),
		},
		Formats: report.FormatNames(), Targets: targets,
	}
	doc.Release, doc.Revision = buildVersion()
	return a.emit(o, doc)
}

// buildVersion returns the module's version, "(devel)" in a checkout, and the revision of that.
func buildVersion() (release, revision string) {
	release = "(devel)"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release, ""
	}
	if info.Main.Path == module && info.Main.Version != "" {
		release = info.Main.Version
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision = settings["vcs.revision"]
	if revision != "" && settings["vcs.modified"] == "true" {
		revision += "+dirty"
	}
	return release, revision
}
