package profile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each format has a folder of texts and of what is read from each. The folder root, if there is one,
// holds what the texts refer to.
func TestFormatGoldens(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			dir := filepath.Join("testdata", "formats", f.Name)
			list, err := filepath.Glob(filepath.Join(dir, "*.in"))
			if err != nil || len(list) == 0 {
				t.Fatalf("%s: no goldens (%v)", dir, err)
			}
			o := ReadOptions{}
			if _, err := os.Stat(filepath.Join(dir, "root")); err == nil {
				o.Root = filepath.Join(dir, "root")
			}
			for _, path := range list {
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				profiles, err := Read("p", data, o)
				var b strings.Builder
				for _, p := range profiles {
					if p.Format != f.Name {
						t.Errorf("%s: taken for %s", path, p.Format)
					}
					dump(&b, p)
				}
				if err != nil {
					fmt.Fprintf(&b, "%s\n", refusal(t, err))
				}
				golden(t, filepath.Join("formats", f.Name, strings.TrimSuffix(filepath.Base(path), ".in")+".want"), b.String())
			}
		})
	}
}

// dump writes what was read of a profile, each part with its place.
func dump(b *strings.Builder, p *Profile) {
	at := func(pos Pos) string { return strings.TrimPrefix(pos.String(), "p:") }
	number := func(n *uint32) string {
		if n == nil {
			return ""
		}
		return fmt.Sprintf(" errno %d", *n)
	}
	word := func(e *ErrnoWord) string {
		if e == nil {
			return ""
		}
		return fmt.Sprintf(" errno %q at %s", e.Text, at(e.Pos))
	}
	names := func(what string, list []Name) {
		for _, n := range list {
			fmt.Fprintf(b, "  %s %s %s\n", at(n.Pos), what, n.Text)
		}
	}
	fmt.Fprintf(b, "%s %s (%s)\n", at(p.Pos), p.Name, p.Format)
	if p.Format == Raw {
		fmt.Fprintf(b, "  %d instructions, big-endian %v\n", len(p.Program), p.BigEndian)
	} else if p.DisabledReason() != "" {
		fmt.Fprintf(b, "  %s\n", p.DisabledReason())
	} else if p.Container == nil || p.Container.Unread == "" {
		fmt.Fprintf(b, "  %s default %s%s%s\n", at(p.DefaultActionPos), p.DefaultAction, number(p.DefaultErrnoRet), word(p.DefaultErrno))
	}
	dumpContainer(b, p)
	if p.Container != nil && p.Container.rules != "" { // which has a golden of its own
		short := *p
		short.Rules, short.ArchMap = nil, nil
		p = &short
	}
	names("arch", p.Architectures)
	for _, m := range p.ArchMap {
		names("map", append([]Name{m.Arch}, m.Sub...))
	}
	if p.FlagsSet {
		fmt.Fprintf(b, "  flags are set\n")
	}
	names("flag", p.Flags)
	if p.ListenerPath != "" {
		fmt.Fprintf(b, "  listener %s %q\n", p.ListenerPath, p.ListenerMetadata)
	}
	for _, r := range p.Rules {
		fmt.Fprintf(b, "  %s rule %d %s%s%s\n", at(r.Pos), r.Index, r.Action, number(r.ErrnoRet), word(r.Errno))
		names("  name", r.Names)
		for _, a := range r.Args {
			fmt.Fprintf(b, "  %s   arg%d %s %#x %#x\n", at(a.Pos), a.Index, a.Op, a.Value, a.ValueTwo)
		}
		for what, f := range map[string]Filter{"includes": r.Includes, "excludes": r.Excludes} {
			names("  "+what, append(f.Caps, f.Arches...))
			if f.MinKernel != nil {
				fmt.Fprintf(b, "    %s minKernel %s\n", what, f.MinKernel)
			}
		}
	}
	for _, q := range p.Problems {
		fmt.Fprintf(b, "  %s: %s\n", q.Kind, strings.TrimPrefix(q.String(), "p:"))
	}
}
