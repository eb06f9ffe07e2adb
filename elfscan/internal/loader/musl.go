package loader

import (
	"debug/elf"
	"path"
	"strings"
)

// muslDefault is the search path of musl where its configuration file is absent (ldso/dynlink.c).
const muslDefault = "/lib:/usr/local/lib:/usr/lib"

// musl finds libraries as the loader of musl 1.2 does, see load_library in ldso/dynlink.c.
type musl struct {
	system string // directories separated by colons or line ends
}

func muslInterp(machine elf.Machine) string {
	if machine == elf.EM_AARCH64 {
		return "/lib/ld-musl-aarch64.so.1"
	}
	return "/lib/ld-musl-x86_64.so.1"
}

// newMusl reads the search path of the interpreter: /etc/ld-musl-ARCH.path, below the directory that
// holds the lib directory of the interpreter.
func newMusl(r *Root, interp string) *musl {
	arch, _ := strings.CutPrefix(path.Base(interp), "ld-musl-")
	arch, _, _ = strings.Cut(arch, ".so")
	prefix := path.Dir(path.Dir(interp))
	data, err := r.readAtMost(path.Join("/", prefix, "etc", "ld-musl-"+arch+".path"), maxConfSize)
	if err != nil {
		return &musl{system: muslDefault}
	}
	return &musl{system: string(data)}
}

// muslReserved are the libraries that the interpreter itself is, by load_library's list.
var muslReserved = []string{"libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."}

func (*musl) own(name string) bool {
	for _, prefix := range muslReserved {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (*musl) expand(_ *linker, name string, _ int) string { return name }

func (mu *musl) find(l *linker, name string, by int) (found, []found, string) {
	if strings.Contains(name, "/") {
		f, reason := l.muslOpen(name)
		return f, nil, reason
	}
	// What dlopen opened was asked for by the program, whichever module called it.
	for i := by; ; i = max(l.c.Modules[i].parent, 0) {
		if f, reason, ok := mu.search(l, name, mu.rpath(l.c.Modules[i])); ok {
			return f, nil, reason
		}
		if i == 0 {
			break
		}
	}
	if f, reason, ok := mu.search(l, name, strings.FieldsFunc(mu.system, func(r rune) bool { return r == ':' || r == '\n' })); ok {
		return f, nil, reason
	}
	return found{}, nil, "not found"
}

// search takes the first file that can be opened, whatever it is.
func (*musl) search(l *linker, name string, dirs []string) (f found, reason string, ok bool) {
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		f, reason = l.muslOpen(dir + "/" + name)
		if reason != "not found" {
			return f, reason, true
		}
	}
	return found{}, "", false
}

func (l *linker) muslOpen(spelled string) (found, string) {
	info, inside, err := l.root.stat(l.absolute(spelled))
	if err != nil {
		return found{}, "not found"
	}
	if !info.Mode().IsRegular() {
		return found{}, spelled + ": not a regular file"
	}
	return found{l.absolute(spelled), inside, info}, ""
}

// rpath is the search path in a module: DT_RUNPATH or else DT_RPATH, both for the module's own needs
// and for those of what it loads. It is ignored as a whole if it has variables but $ORIGIN.
func (*musl) rpath(m *Loaded) []string {
	dirs := m.Runpath
	if len(dirs) == 0 {
		dirs = m.Rpath
	}
	out := make([]string, 0, len(dirs))
	for _, d := range dirs {
		d = strings.ReplaceAll(strings.ReplaceAll(d, "${ORIGIN}", "$ORIGIN"), "$ORIGIN", path.Dir(m.spelled))
		if strings.Contains(d, "$") {
			return nil
		}
		out = append(out, d)
	}
	return out
}
