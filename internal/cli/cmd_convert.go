package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// convertFormats are the words of --to: what profiles are written in, and the forms of a filter.
func convertFormats() []string { return append(profile.WriteFormats(), filter.Formats()...) }

func (a *App) convertCommand(o *options) *cobra.Command {
	var to, host string
	cmd := &cobra.Command{
		Use:   "convert PROFILE --to FORMAT",
		Short: "Write a profile in another format",
		Long: `Writes a profile so that it means the same in another format. What the other format cannot say is told on
stderr, one line each; "changes" marks what will be enforced differently. Conditions of Docker's format
that the other one lacks (capabilities, architecture, kernel) are decided for the target: see --cap, --kernel and
--host. A policy of go-seccomp-bpf (elastic) is for that one architecture. The forms of a compiled filter are written as compile writes them.`,
		Example: `  profcheck convert docker-default --to oci --cap SYS_PTRACE
  profcheck convert 'pod.yaml#Pod/web container app' --to docker -o app.json
  profcheck convert profile.json --to spo | kubectl apply -f -
  profcheck convert profile.json --to elastic --host arm64 -o policy.yml`,
		Args:              exactly(1, "PROFILE"),
		ValidArgsFunction: completeProfiles,
		RunE:              func(_ *cobra.Command, args []string) error { return a.convert(o, args[0], to, host) },
	}
	o.targetFlags(cmd)
	o.inputFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "format to write: "+strings.Join(convertFormats(), ", "))
	f.StringVar(&host, "host", "", "architecture of the machine (default: that of the first architecture)")
	words(cmd, "to", convertFormats()...)
	words(cmd, "host", archNames()...)
	return cmd
}

func (a *App) convert(o *options, name, to, host string) error {
	switch {
	case to == "":
		return usage("convert: --to which format? %s", strings.Join(convertFormats(), ", "))
	case slices.Contains(filter.Formats(), to):
		own := compileFlags{as: to, host: host}
		return a.compile(o, &own, name)
	case !slices.Contains(profile.WriteFormats(), to):
		return usage("unknown --to %q%s", to, suggest(to, convertFormats()))
	case o.format != "text":
		return usage("convert: its output is the profile, and has no --format")
	}
	s, err := a.openSubject(o, name)
	if err != nil {
		return err
	}
	if len(s.layers) > 1 || s.layers[0].profile == nil {
		return usage("convert: %s is compiled, and only a profile can be written as %s", name, to)
	}
	p := s.layers[0].profile
	abi := profileArches(p)[0]
	if host != "" {
		if abi, err = syscalls.Lookup(host); err != nil {
			return err
		}
	}
	target, _, err := o.targetFor(p, abi)
	if err != nil {
		return err
	}
	out, err := p.Write(to, target)
	if err != nil {
		return err
	}
	for _, l := range out.Lost {
		mark := ""
		if l.Changes {
			mark = "changes: "
		}
		a.note(o, "%s%s", mark, l)
	}
	if o.output != "" {
		return a.writeFile(o, "-o", o.output, out.Text)
	}
	_, err = a.Stdout.Write(out.Text)
	return err
}
