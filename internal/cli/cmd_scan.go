package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/elfscan"
	"github.com/profcheck/profcheck/lint"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
)

func (a *App) scanCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scan BINARY...",
		Short: "Which syscalls can this binary make?",
		Example: "  profcheck scan ./server\n  profcheck scan --build ./cmd/server --format json\n" +
			"  profcheck scan --root ./rootfs nginx --plugin /usr/lib/nginx/modules --with /bin/sh",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return a.scan(o, args) },
	}
	o.archFlag(cmd, "with --build: the architecture to build for; otherwise what the binaries must be for")
	o.scanFlags(cmd)
	return cmd
}

func (a *App) scan(o *options, binaries []string) error {
	if len(binaries) == 0 && len(o.build) == 0 {
		return usage("scan: no binary given; see profcheck scan --help")
	}
	scans, err := a.scanAll(o, binaries)
	if err != nil {
		return err
	}
	doc := &report.Scan{Version: report.Version}
	code := exitOK
	for _, s := range scans {
		doc.Binaries = append(doc.Binaries, binaryDoc(s))
		if !s.Complete() && !o.allowIncomplete || o.strict && len(strictGaps(s)) > 0 {
			code = exitUnknown
		}
	}
	if err := a.emit(o, doc); err != nil {
		return err
	}
	return done(code)
}

// scanAll builds and scans; the error names the first binary that cannot be read.
func (a *App) scanAll(o *options, binaries []string) ([]*elfscan.Result, error) {
	var scans []*elfscan.Result
	built, remove, err := a.buildAll(o)
	if err != nil {
		return nil, err
	}
	defer remove()
	for i, path := range binaries {
		if slices.Contains(binaries[:i], path) {
			continue // given twice
		}
		if path == "-" {
			return nil, usage("a binary cannot come from stdin (-)")
		}
		s, err := a.scanOne(o, a.reading(o), path)
		if err != nil {
			return nil, err
		}
		if len(o.plugins) > 0 && len(s.Modules) == 0 {
			a.note(o, "%s is a Go program that loads nothing: --plugin counts for nothing there", path)
		}
		scans = append(scans, s)
	}
	for _, b := range built {
		from := a.reading(o)
		from.Root = "" // where the go command has put it
		s, err := a.scanOne(o, from, b.path)
		if err != nil {
			return nil, err
		}
		s.Path = b.name
		if len(missingGaps(s)) > 0 {
			a.note(o, "%s was built with cgo, and not all of its C libraries were read; with CGO_ENABLED=0 in the environment it may do without them", b.name)
		}
		scans = append(scans, s)
	}
	return scans, a.unite(o, scans)
}

// unite adds to each scan what the programs of --with need.
func (a *App) unite(o *options, scans []*elfscan.Result) error {
	children := a.reading(o)
	children.Plugins = nil
	for _, path := range o.with {
		child, err := children.Scan(path)
		if err != nil {
			return fmt.Errorf("--with: %w", o.absent(path, err))
		}
		for _, s := range scans {
			if err := s.Unite(child); err != nil {
				return usage("--with: %w", err)
			}
		}
	}
	return nil
}

// reading says how binaries are read.
func (a *App) reading(o *options) elfscan.Options {
	opt := elfscan.Options{Root: o.root, Plugins: o.plugins, Conservative: o.conservative}
	if !o.noCache {
		opt.CacheDir = a.cacheDir()
	}
	return opt
}

// cacheDir is where results are kept between runs, "" for nowhere.
func (a *App) cacheDir() string {
	if dir := a.env("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "profcheck")
	}
	if !a.process {
		return ""
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "profcheck")
}

func (a *App) scanOne(o *options, from elfscan.Options, path string) (*elfscan.Result, error) {
	s, err := from.Scan(path)
	if err != nil {
		return nil, o.absent(path, err)
	}
	arches, err := o.archList()
	if err != nil {
		return nil, err
	}
	for _, abi := range arches {
		if abi == s.Arch {
			return s, nil
		}
	}
	if len(arches) > 0 {
		return nil, usage("%s is for %s, and --arch says %s", path, s.Arch.Name, arches[0].Name)
	}
	return s, nil
}

func (a *App) whyCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "why BINARY SYSCALL [PROFILE]",
		Short: "The path of calls that proves that a binary can make a syscall",
		Long: `Shows how the binary reaches the syscall: the entry point first, the instruction last. The exit code
is 0 if it can make the call, 1 if nothing that was read makes it, and 3 if in addition the scan is incomplete.
Of several places the one comes first for which PROFILE, or ` + defaultProfile + `, has the gravest answer: the one that a
finding of check is about.

A line marked (reference) takes the address of the next function, which is called through it later;
(interface) uses a type or table that holds the next function; (inline) has its code in its own.`,
		Example:           "  profcheck why ./server ptrace\n  profcheck why --root ./rootfs nginx ptrace",
		Args:              whyArgs,
		ValidArgsFunction: completeFileThenSyscall,
		RunE:              func(_ *cobra.Command, args []string) error { return a.why(o, args[0], args[1], args[2:]) },
	}
	cmd.Flags().BoolVar(&o.allowIncomplete, "allow-incomplete", false, "take what the scan did not see for not needed")
	o.programFlags(cmd)
	return cmd
}

// whyArgs checks the arguments of why.
func whyArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 3 {
		return nil
	}
	return exactly(2, "BINARY and SYSCALL")(cmd, args)
}

func (a *App) why(o *options, path, word string, profiles []string) error {
	// A word that no ABI knows is wrong whatever the binary is.
	if !isNumber(word) {
		if err := knownSyscall(word); err != nil {
			return err
		}
	}
	under := defaultProfile
	if len(profiles) > 0 {
		under = profiles[0]
	}
	p, err := a.openProfile(o, under)
	if err != nil {
		return err
	}
	s, err := a.reading(o).Scan(path)
	if err != nil {
		return o.absent(path, err)
	}
	if err := a.unite(o, []*elfscan.Result{s}); err != nil {
		return err
	}
	nr, err := parseSyscall(s.Arch, word)
	if err != nil {
		return err
	}
	doc := &report.Why{Version: report.Version, Binary: path, Arch: s.Arch.Name, Complete: s.Complete()}
	n := s.Need(nr)
	if other, ok := x32Form(s.Arch, nr); ok && n == nil && s.Need(other) != nil {
		nr, n = other, s.Need(other)
	}
	doc.Why.Nr = nr
	doc.Why.Name = nameOf(s.Arch, nr)
	code := exitFindings
	if n != nil {
		if err := o.gravestFirst(s, n, p); err != nil {
			return err
		}
		need := needDoc(n, s.Arch)
		doc.Needed, doc.Need = true, &need
		doc.Sites = sitesDoc(s, n)
		code = exitOK
	} else {
		for _, g := range gapsDoc(s, unreadGaps(s)) {
			if g.Kind != string(elfscan.GapMissing) { // these are among Missing
				doc.Gaps = append(doc.Gaps, g)
			}
		}
		if !s.Complete() {
			doc.Missing = missing(s)
			if !o.allowIncomplete {
				code = exitUnknown
			}
		}
	}
	if err := a.emit(o, doc); err != nil {
		return err
	}
	return done(code)
}

// gravestFirst puts the place first that a finding under the profile would be about.
func (o *options) gravestFirst(s *elfscan.Result, n *elfscan.Need, p *profile.Profile) error {
	if len(n.Sites) < 2 {
		return nil
	}
	target, _, err := o.targetFor(p, s.Arch)
	if err != nil {
		return err
	}
	u := usageOf(&elfscan.Result{Kind: s.Kind, Arch: s.Arch, Needs: []elfscan.Need{*n}}, s.Path)
	r, err := lint.Run(lint.Input{Profile: p, Target: target, Usage: []lint.Usage{u}})
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	for _, out := range r.Outcomes {
		if out.Nr != n.Nr || out.Arch != s.Arch || out.Outcome == lint.Allowed || len(out.Path) == 0 {
			continue
		}
		i := slices.IndexFunc(n.Sites, func(site elfscan.Site) bool {
			return len(site.Path) > 0 && &site.Path[0] == &out.Path[0] // the same slice
		})
		if i > 0 {
			n.Sites = slices.Concat(n.Sites[i:i+1], n.Sites[:i], n.Sites[i+1:])
		}
	}
	return nil
}

func sitesDoc(s *elfscan.Result, n *elfscan.Need) []report.Site {
	var out []report.Site
	for _, site := range n.Sites {
		out = append(out, report.Site{
			Address: report.Hex(site.Address), Class: string(site.Class), Condition: site.Condition,
			Args: argsDoc(site.Args, n.Name, s.Arch), Path: report.FromPath(site.Path),
		})
	}
	return out
}

// missing says what a scan did not see.
func missing(s *elfscan.Result) []string {
	var out []string
	if n := len(s.Unresolved); n > 0 {
		out = append(out, fmt.Sprintf("%s in %s ...", counted(n, "call of unknown number"), s.Unresolved[0].Function))
	}
	return append(out, missingGaps(s)...)
}
