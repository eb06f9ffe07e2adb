package profile

import "fmt"

// ignored lists the fields that the target would not see in this file.
func (r *resolver) ignored() {
	n := noter{r: r}
	who := r.reader.name
	if who == "" {
		who = string(r.maker)
	}
	if !r.reader.docker {
		n.docker(who)
	}
	if r.reader.docker && !r.reader.minKernel {
		n.minKernel(who)
	}
	if !r.reader.errnoNames {
		n.errnoWords(who)
	}
	if r.maker == RuntimeGVisor {
		n.gvisor()
	}
}

// A noter adds to Ignored.
type noter struct{ r *resolver }

func (n noter) add(pos Pos, path, field, format string, args ...any) {
	n.r.Ignored = append(n.r.Ignored, Problem{
		Pos: pos, Kind: IgnoredField, Path: path, Name: field, Text: fmt.Sprintf(format, args...),
	})
}

// docker notes the fields that only Docker's format has.
func (n noter) docker(who string) {
	note := func(pos Pos, path, field string) {
		n.add(pos, path, field, "%s does not read %q, which is a field of Docker's format", who, field)
	}
	for i, m := range n.r.p.ArchMap {
		note(m.Pos, fmt.Sprintf("archMap[%d]", i), "archMap")
	}
	for i := range n.r.p.Rules {
		rule := &n.r.p.Rules[i]
		path := fmt.Sprintf("syscalls[%d]", i)
		if rule.OldForm {
			note(rule.Names[0].Pos, path, "name")
		}
		if rule.Includes.Pos.Line > 0 {
			note(rule.Includes.Pos, path, "includes")
		}
		if rule.Excludes.Pos.Line > 0 {
			note(rule.Excludes.Pos, path, "excludes")
		}
	}
}

// minKernel notes rules that count on every kernel although the file restricts them.
func (n noter) minKernel(who string) {
	for i := range n.r.p.Rules {
		rule := &n.r.p.Rules[i]
		for _, f := range []struct {
			Filter
			field string
		}{{rule.Includes, "includes"}, {rule.Excludes, "excludes"}} {
			if f.MinKernel != nil {
				n.add(f.Pos, fmt.Sprintf("syscalls[%d]", i), f.field, "%s does not read minKernel: the rule is not restricted by it", who)
			}
		}
	}
}

// errnoWords notes the errnos that only Podman and CRI-O read.
func (n noter) errnoWords(who string) {
	const text = "%s does not read %q, which is a field of Podman and CRI-O"
	if e := n.r.p.DefaultErrno; e != nil {
		n.add(e.Pos, "", "defaultErrno", text, who, "defaultErrno")
	}
	for i := range n.r.p.Rules {
		if e := n.r.p.Rules[i].Errno; e != nil {
			n.add(e.Pos, fmt.Sprintf("syscalls[%d]", i), "errno", text, who, "errno")
		}
	}
}

// gvisor notes the fields of an OCI section that gVisor does not look at.
func (n noter) gvisor() {
	p := n.r.p
	const text = "gVisor does not read %q: %s"
	for _, a := range p.Architectures {
		if a.Text != n.r.Target.Host.OCI {
			n.add(a.Pos, "", "architectures", text, "architectures", "a filter covers the host's own only")
			break
		}
	}
	if p.DefaultErrnoRet != nil && *p.DefaultErrnoRet != eperm && p.DefaultAction.CarriesErrno() {
		n.add(p.DefaultActionPos, "", "defaultErrnoRet", text, "defaultErrnoRet", "the errno is EPERM")
	}
	for i := range p.Rules {
		if rule := &p.Rules[i]; rule.ErrnoRet != nil && *rule.ErrnoRet != eperm && rule.Action.CarriesErrno() {
			n.add(rule.ActionPos, fmt.Sprintf("syscalls[%d]", i), "errnoRet", text, "errnoRet", "the errno is EPERM")
		}
	}
	if p.ListenerPath != "" {
		n.add(p.Pos, "", "listenerPath", text, "listenerPath", "it has no NOTIFY")
	}
	if p.ListenerMetadata != "" {
		n.add(p.Pos, "", "listenerMetadata", text, "listenerMetadata", "it has no NOTIFY")
	}
	for _, f := range p.Flags {
		n.add(f.Pos, "", "flags", text, "flags", "they have no effect")
		break
	}
}
