package cli

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// options are the flags of one run. Not every command has all of them.
type options struct {
	format, output, color string
	also                  []string // FORMAT=FILE
	force, quiet, verbose bool

	target, kernel string
	release        string   // --target-version
	targets        []string // of commands that take several
	arches, caps   []string

	inputFormat, order string
	profileRoot        string // --profile-root
	seccompDefault     bool   // --seccomp-default

	failOn          string
	strict          bool
	allowIncomplete bool
	build           []string

	root                  string   // --root
	plugins, with         []string // --plugin, --with
	conservative, noCache bool

	project project
}

const (
	defaultProfile = "docker-default"
	defaultArch    = "x86_64"
	defaultBigArch = "s390x"
)

// outputFlags are common to all commands.
func (o *options) outputFlags(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&o.format, "format", "text", "form of the output: "+strings.Join(report.FormatNames(), ", "))
	f.StringVarP(&o.output, "output", "o", "", "write the result to `FILE` instead of stdout")
	f.StringArrayVar(&o.also, "also", nil, "write the result in another form, too: `FORMAT=FILE`; may be repeated")
	f.BoolVar(&o.force, "force", false, "let -o and --also overwrite an existing file")
	f.StringVar(&o.color, "color", "auto", "colours: auto, always, never")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no notes")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "text: whole paths and lists")
	words(cmd, "format", report.FormatNames()...)
	words(cmd, "color", colorWords...)
}

// targetFlags are those of commands that judge a profile.
func (o *options) targetFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVar(&o.targets, "target", nil, "who enforces the profile: "+strings.Join(targets, ", ")+", or two like podman/runc (default: by the profile's format)")
	f.StringVar(&o.release, "target-version", "", "release of the runtime that makes the filter, runc or crun: `X.Y.Z` (default: the newest known)")
	f.StringSliceVar(&o.caps, "cap", nil, "capabilities of the container besides the runtime's default; none or all to begin with")
	f.StringVar(&o.kernel, "kernel", "", "kernel of the host, `X.Y` (default: the newest known)")
	f.StringVar(&o.profileRoot, "profile-root", "", "folder below which files are that a profile refers to, such as base profiles and the Localhost profiles of manifests (default: they are not read)")
	f.BoolVar(&o.seccompDefault, "seccomp-default", false, "manifests of Kubernetes: the kubelet runs with --seccomp-default, so that a container without a profile has the runtime's own")
	_ = cmd.MarkFlagDirname("profile-root") // the error is for a flag that does not exist
	words(cmd, "target", targets...)
	words(cmd, "cap", append([]string{"none", "all"}, profile.Capabilities()...)...)
}

// inputFlags are those of commands that read filters as well as profiles.
func (o *options) inputFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.inputFormat, "input-format", "", "what the files are: "+strings.Join(inputFormats(), ", ")+" (default: told by their content)")
	f.StringVar(&o.order, "order", "", "byte order of compiled filters: little, big (default: told by their content)")
	words(cmd, "input-format", inputFormats()...)
	words(cmd, "order", orderWords...)
}

var orderWords = []string{"little", "big"}

// byteOrder returns the order of --order, nil if it is not given.
func (o *options) byteOrder() binary.ByteOrder {
	switch o.order {
	case "little":
		return binary.LittleEndian
	case "big":
		return binary.BigEndian
	}
	return nil
}

// archFlag names architectures.
func (o *options) archFlag(cmd *cobra.Command, help string) {
	cmd.Flags().StringSliceVar(&o.arches, "arch", nil, help)
	words(cmd, "arch", archNames()...)
}

// thresholdFlags decide which findings make exit code 1.
func (o *options) thresholdFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.failOn, "fail-on", "error", "least severity that makes exit code 1: error, warning, info, never")
	words(cmd, "fail-on", "error", "warning", "info", "never")
}

// scanFlags are those of commands that read binaries.
func (o *options) scanFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.strict, "strict", false, "what cannot be decided makes exit code 3: arguments, programs that are started, code that is loaded")
	f.BoolVar(&o.allowIncomplete, "allow-incomplete", false, "judge what was seen, even if the scan could not see everything")
	f.StringArrayVar(&o.build, "build", nil, "build the Go `PACKAGE` for Linux and take its program; may be repeated")
	o.programFlags(cmd)
}

// programFlags say where the files of programs are, and how they are read.
func (o *options) programFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.root, "root", "", "take programs and all that they load from `DIR` as if it were /, say from an unpacked image")
	f.StringArrayVar(&o.plugins, "plugin", nil, "the program also loads `FILE`, or all shared objects in the directory FILE; may be repeated")
	f.StringArrayVar(&o.with, "with", nil, "the program starts `BINARY`: unite what both need; may be repeated")
	f.BoolVar(&o.conservative, "conservative", false, "count all code of C, C++ and Rust files as used, whatever leads to it")
	f.BoolVar(&o.noCache, "no-cache", false, "neither use nor keep what was found out about each file")
	_ = cmd.MarkFlagDirname("root") // the error is for a flag that does not exist
}

// words completes the values of a flag.
func words(cmd *cobra.Command, flag string, list ...string) {
	// The error is for a flag that does not exist, which the tests of completion would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
}

var colorWords = []string{"auto", "always", "never"}

// targets are the runtimes whose meaning profcheck knows, later what it will.
var (
	targets = func() (names []string) {
		for _, r := range profile.Runtimes() {
			names = append(names, r.Name)
		}
		return names
	}()
	laterTargets = []string{"kubernetes"}
	laterFormats = []string{"html"}
)

// checkOptions refuses, before any work is done, what cannot be written.
func (a *App) checkOptions(o *options, cmd *cobra.Command) error {
	if err := a.checkFormats(o, cmd.Name()); err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	return a.openProject(o, cmd)
}

// check refuses unknown words.
func (o *options) check(cmd *cobra.Command) error {
	if len(o.targets) > 1 && cmd.Annotations["targets"] == "" {
		return usage("%s: one --target, found %d", cmd.Name(), len(o.targets))
	}
	if !slices.Contains(colorWords, o.color) {
		return usage("unknown --color %q: %s", o.color, strings.Join(colorWords, ", "))
	}
	if o.inputFormat != "" && !slices.Contains(inputFormats(), o.inputFormat) {
		return usage("unknown --input-format %q%s", o.inputFormat, suggest(o.inputFormat, inputFormats()))
	}
	if o.order != "" && !slices.Contains(orderWords, o.order) {
		return usage("unknown --order %q: %s", o.order, strings.Join(orderWords, ", "))
	}
	if o.strict && o.allowIncomplete {
		return usage("--strict and --allow-incomplete contradict each other")
	}
	if _, _, err := o.threshold(); err != nil {
		return err
	}
	if _, err := o.archList(); err != nil {
		return err
	}
	if o.root != "" {
		if err := checkDir(o.root); err != nil {
			return fmt.Errorf("root %s: %w", o.root, bare(err))
		}
	}
	if o.profileRoot != "" {
		if err := checkDir(o.profileRoot); err != nil {
			return fmt.Errorf("profile root %s: %w", o.profileRoot, bare(err))
		}
	}
	if err := o.checkTarget(); err != nil {
		return err
	}
	_, err := o.capSet(nil)
	return err
}

func (o *options) checkTarget() error {
	for i, word := range o.targets {
		if err := checkRuntime(word); err != nil {
			return err
		}
		if slices.Contains(o.targets[:i], word) {
			return usage("--target: %s is there twice", word)
		}
	}
	if len(o.targets) > 0 {
		o.target = o.targets[0]
	}
	if err := profile.CheckVersion(o.release); err != nil {
		return usage("--target-version: %w", err)
	}
	if o.kernel != "" {
		if _, err := syscalls.ParseKernel(o.kernel); err != nil {
			return usage("--kernel: %w", err)
		}
	}
	return nil
}

// checkRuntime refuses a word that is no target.
func checkRuntime(word string) error {
	switch err := profile.CheckRuntime(word); {
	case err == nil:
		return nil
	case slices.Contains(laterTargets, word):
		return usage("target %s is not there yet: %s", word, strings.Join(targets, ", "))
	case strings.Contains(word, "/"):
		return usage("--target: %w", err)
	}
	hint := suggest(word, targets)
	if hint == "" {
		hint = ": " + strings.Join(targets, ", ")
	}
	return usage("unknown target %q%s", word, hint)
}

// severalTargets marks commands that compare targets.
var severalTargets = map[string]string{"targets": "several"}

// threshold returns the least severity that counts; false for never.
func (o *options) threshold() (finding.Severity, bool, error) {
	switch o.failOn {
	case "":
		return finding.Error, true, nil
	case "never":
		return 0, false, nil
	}
	s, err := finding.ParseSeverity(o.failOn)
	if err != nil {
		return 0, false, usage("unknown --fail-on %q: error, warning, info, never", o.failOn)
	}
	return s, true, nil
}

// failOnWord is what a document says of --fail-on: nothing of the default.
func (o *options) failOnWord() string {
	if o.failOn == finding.Error.String() {
		return ""
	}
	return o.failOn
}

// code returns the exit code for a list of findings. Those that are suppressed make none.
func (o *options) code(list []finding.Finding) int {
	least, counts, _ := o.threshold()
	for _, f := range list {
		if counts && f.Severity >= least && f.Suppressed == nil {
			return exitFindings
		}
	}
	return exitOK
}

// archList returns the architectures of --arch, each once.
func (o *options) archList() ([]*syscalls.Arch, error) {
	var list []*syscalls.Arch
	for _, word := range o.arches {
		if word == "all" {
			return syscalls.Arches(), nil
		}
		a, err := syscalls.Lookup(word)
		if err != nil {
			return nil, fmt.Errorf("--arch: %w", err)
		}
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list, nil
}

// targetFor returns the target of a profile for an ABI, and which fields of it nobody gave.
func (o *options) targetFor(p *profile.Profile, abi *syscalls.Arch) (profile.Target, []string, error) {
	t := p.DefaultTarget(abi)
	var assumed []string
	if o.target == "" {
		assumed = append(assumed, "runtime")
	} else if o.target != t.Runtime {
		t.Runtime, t.Caps = o.target, profile.DockerCaps()
		if p.Container != nil {
			t.Caps = p.Container.Caps(o.target)
		} else if o.target == profile.RuntimeKernel {
			t.Caps = nil
		}
	}
	if t.Version = o.release; t.Version != "" && t.Maker() != profile.RuntimeRunc && t.Maker() != profile.RuntimeCrun {
		return t, nil, usage("--target-version: it is for targets whose filter runc or crun makes, not for %s", t.Runtime)
	}
	if t.Runtime != p.DefaultTarget(abi).Runtime && p.Container == nil {
		t.NoNewPrivs = false // the file's process is not read by another runtime
	}
	if len(o.caps) == 0 && !p.Container.GivesCaps() && !(t.Runtime == profile.RuntimeRunc && p.Format == profile.OCI && p.Process.GivesCaps()) {
		assumed = append(assumed, "caps")
	}
	var err error
	if t.Caps, err = o.capSet(t.Caps); err != nil {
		return t, nil, err
	}
	if o.kernel == "" {
		assumed = append(assumed, "kernel")
	} else if t.Kernel, err = syscalls.ParseKernel(o.kernel); err != nil {
		return t, nil, usage("--kernel: %w", err)
	}
	return t, assumed, nil
}

// capSet adds the capabilities of --cap to the default, in the kernel's order. The words none and
// all take the place of the default.
func (o *options) capSet(start []string) ([]string, error) {
	if len(o.caps) == 0 {
		return start, nil
	}
	known := profile.Capabilities()
	set := make(map[string]bool)
	for _, c := range start {
		set[c] = true
	}
	for _, word := range o.caps {
		name := strings.ToUpper(word)
		switch {
		case name == "NONE":
			clear(set)
			continue
		case name == "ALL":
			for _, c := range known {
				set[c] = true
			}
			continue
		case !strings.HasPrefix(name, "CAP_"):
			name = "CAP_" + name
		}
		if !slices.Contains(known, name) {
			return nil, usage("--cap: unknown capability %q%s", word, suggest(name, known))
		}
		set[name] = true
	}
	var out []string
	for _, c := range known {
		if set[c] {
			out = append(out, c)
		}
	}
	return out, nil
}

// suggest ends a message about an unknown word: with the nearest known one, or with all of them if
// they are few.
func suggest(word string, known []string) string {
	if near := syscalls.NearestOf(word, known); near != "" {
		return ": did you mean " + near + "?"
	}
	if len(known) <= 6 {
		return ": " + strings.Join(known, ", ")
	}
	return ""
}

func archNames() []string {
	var names []string
	for _, a := range syscalls.Arches() {
		names = append(names, a.Name)
	}
	return names
}
