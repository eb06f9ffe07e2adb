package cli

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// compileFlags are what compile and asm take besides the common flags.
type compileFlags struct {
	as, name, host string
	plain          bool
	hot            []string
}

func (c *compileFlags) outputForm(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&c.as, "as", "", "form of the filter: "+strings.Join(filter.Formats(), ", ")+" (default raw)")
	f.StringVar(&c.name, "name", "", "name of the variable in c and go (default filter)")
	words(cmd, "as", filter.Formats()...)
}

// check refuses words that are no form.
func (c *compileFlags) check() error {
	if c.as != "" && !slices.Contains(filter.Formats(), c.as) {
		return usage("unknown --as %q%s", c.as, suggest(c.as, filter.Formats()))
	}
	return nil
}

func (a *App) compileCommand(o *options) *cobra.Command {
	var own compileFlags
	cmd := &cobra.Command{
		Use:   "compile PROFILE",
		Short: "Make the filter of a profile, as the kernel takes it",
		Long: `Writes the filter that a profile means for a target: an array of struct sock_filter, or its source.
By default it answers for all architectures that the target would load it for; --arch names fewer, and
--host another machine. Size and doubts are told on stderr. A compiled filter is written in another form.`,
		Example: `  profcheck compile docker-default -o docker.bpf
  profcheck compile profile.json --host s390x -o s390x.bpf
  profcheck compile profile.json --as go --name web.filter -o web/filter.go --hot read,write,futex`,
		Args:              exactly(1, "PROFILE"),
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.compile(o, &own, args[0]) },
	}
	o.targetFlags(cmd)
	o.archFlag(cmd, "architectures that the filter answers for (default: all that the target loads it for)")
	o.inputFlags(cmd)
	own.outputForm(cmd)
	f := cmd.Flags()
	f.StringVar(&own.host, "host", "", "architecture of the machine (default: that of the first architecture)")
	f.BoolVar(&own.plain, "plain", false, "a list of comparisons instead of a search tree")
	f.StringSliceVar(&own.hot, "hot", nil, "syscalls to test first, in this order")
	words(cmd, "host", archNames()...)
	words(cmd, "hot", syscalls.Names()...)
	return cmd
}

func (a *App) compile(o *options, own *compileFlags, name string) error {
	if err := own.check(); err != nil {
		return err
	}
	if err := a.rawToTerminal(o, own); err != nil {
		return err
	}
	for _, word := range own.hot {
		if err := knownSyscall(word); err != nil {
			return fmt.Errorf("--hot: %w", err)
		}
	}
	s, err := a.openSubject(o, name)
	if err != nil {
		return err
	}
	if len(s.layers) > 1 {
		return usage("compile: %s is a stack, and a program is one filter", name)
	}
	l := s.layers[0]
	if l.profile == nil {
		if own.plain || len(own.hot) > 0 || own.host != "" || len(o.arches) > 0 || len(o.targets) > 0 {
			return usage("compile: %s is compiled: only its form can be chosen", name)
		}
		return a.writeProgram(o, own, l.name, l.program, l.order)
	}
	h, arches, err := o.toCompile(l.profile, own)
	if err != nil {
		return err
	}
	p, err := h.CompileWith(profile.CompileOptions{Plain: own.plain, Hot: own.hot}, arches...)
	if err != nil {
		return fmt.Errorf("profile %s: %w", name, err)
	}
	for _, kind := range conflictsByKind(h.Conflicts) {
		a.note(o, "%s of which this filter does what the rules say, the first in the file first: %s; %s",
			counted(len(kind), "call"), kind[0].Why(), conflictText(kind[0]))
	}
	return a.writeProgram(o, own, l.name, p, arches[0].Order())
}

// toCompile resolves a profile for the host of --host or of the first architecture, and chooses
// what the filter answers for. One filter has one byte order.
func (o *options) toCompile(p *profile.Profile, own *compileFlags) (*host, []*syscalls.Arch, error) {
	arches, err := o.archList()
	if err != nil {
		return nil, nil, err
	}
	named := profileArches(p)
	first := named[0]
	if len(arches) > 0 {
		first = arches[0]
	}
	if len(arches) == 0 && own.host == "" && o.target == profile.RuntimeKernel {
		for _, abi := range named {
			if abi.BigEndian != first.BigEndian {
				return nil, nil, usage("compile: profile %s is for both byte orders (%s and %s), and a filter has one: choose with --arch or --host", p.Name, first, abi)
			}
		}
	}
	if own.host != "" {
		if first, err = syscalls.Lookup(own.host); err != nil {
			return nil, nil, fmt.Errorf("--host: %w", err)
		}
	}
	h, err := o.resolve(p, first)
	if err != nil {
		return nil, nil, err
	}
	if len(arches) == 0 {
		if arches = h.Arches; h.Disabled || len(arches) == 0 {
			arches = []*syscalls.Arch{first}
		}
	} else {
		for _, abi := range arches {
			if !h.covers(abi) {
				return nil, nil, usage("--arch: on %s, profile %s has no filter for %s: %s", h.Target.Host, p.Name, abi, archWords(h.Arches))
			}
		}
	}
	for _, abi := range arches {
		if abi.BigEndian != arches[0].BigEndian {
			return nil, nil, usage("compile: %s and %s have different byte orders, and a filter has one", arches[0], abi)
		}
	}
	return h, arches, nil
}

func archWords(list []*syscalls.Arch) string {
	var words []string
	for _, a := range list {
		words = append(words, a.Name)
	}
	return strings.Join(words, ", ")
}

// conflictsByKind groups conflicts by what is doubtful about them, the kind that comes first in front.
func conflictsByKind(list []profile.Conflict) (out [][]profile.Conflict) {
	for _, c := range list {
		i := slices.IndexFunc(out, func(group []profile.Conflict) bool { return group[0].Kind == c.Kind })
		if i < 0 {
			i, out = len(out), append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

// conflictText names a call with two answers and the rules that give them.
func conflictText(c profile.Conflict) string {
	return fmt.Sprintf("%s on %s, %s", c.Name, c.Arch, conflictPlaces(c))
}

// conflictPlaces says where the two rules stand.
func conflictPlaces(c profile.Conflict) string {
	if c.First == nil || c.Second == nil {
		return "too many pairs of rules to look at"
	}
	return fmt.Sprintf("%s and %s", c.First.Pos, c.Second.Pos)
}

// rawToTerminal refuses to write bytes where a person reads, unless asked to.
func (a *App) rawToTerminal(o *options, own *compileFlags) error {
	f, ok := a.Stdout.(*os.File)
	if own.as != "" || o.output != "" || o.format != "text" || !ok {
		return nil
	}
	if !terminal(f) {
		return nil
	}
	return usage("a raw filter is no text for a terminal: -o FILE, or --as %s", strings.Join(filter.Formats(), ", "))
}

// writeProgram writes a filter in the form that the user wants and tells its size on stderr. One
// that the kernel would refuse is written as well, and is exit code 3.
func (a *App) writeProgram(o *options, own *compileFlags, name string, p filter.Program, order binary.ByteOrder) error {
	doc := listingDoc(name, p, order)
	refused := p.Verify()
	if o.format != "text" {
		doc.Format = string(filter.Raw)
		if err := a.emit(o, doc); err != nil {
			return err
		}
		return refusal(name, refused)
	}
	form := filter.Format(own.as)
	if form == "" {
		form = filter.Raw
	}
	data, err := p.Format(form, order, own.name)
	if err != nil {
		return usage("--name: %s", strings.TrimPrefix(err.Error(), "filter: "))
	}
	if o.output != "" {
		err = a.writeFile(o, "-o", o.output, data)
	} else {
		_, err = a.Stdout.Write(data)
	}
	if err != nil {
		return err
	}
	if refused == nil {
		a.note(o, "%s", sizeText(doc.Size))
	}
	return refusal(name, refused)
}

// refusal is the error of a command whose filter the kernel would not load.
func refusal(name string, err error) error {
	if err == nil {
		return nil
	}
	return refusedError{name, err}
}

// refusedError is why the kernel would not load the filter of that name.
type refusedError struct {
	name string
	err  error
}

func (e refusedError) Error() string {
	return fmt.Sprintf("filter %s: the kernel refuses it: %s", e.name, strings.TrimPrefix(e.err.Error(), "filter: "))
}

func (e refusedError) Unwrap() error { return e.err }

func listingDoc(name string, p filter.Program, order binary.ByteOrder) *report.Listing {
	return &report.Listing{
		Version: report.Version, Name: name, Format: string(filter.Raw), Size: sizeDoc(p, order),
		Filter:  hex.EncodeToString(p.Encode(order)),
		Listing: filter.Disassemble(p, &filter.Naming{Order: order}),
	}
}
