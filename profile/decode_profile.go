package profile

import (
	"math"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// profile reads the object that holds a profile. path is where it lies in the file.
func (d *decoder) profile(v value, path string) error {
	return d.profileOf(v, path, profileSchema, nil)
}

// profileOf is profile with a schema that can have fields of its own, which more reads.
func (d *decoder) profileOf(v value, path string, s schema, more func(field, at string, val value) error) error {
	p := d.p
	errno := v
	err := d.object(v, path, s, func(field string, key, val value) (err error) {
		at := join(path, field)
		switch field {
		case "defaultAction":
			p.DefaultAction, err = d.action(val, at)
			p.DefaultActionPos = d.src.pos(val)
		case "defaultErrnoRet":
			errno = val
			p.DefaultErrnoRet, err = d.errno(val, at)
		case "defaultErrno":
			p.DefaultErrno = d.errnoWord(val)
		case "architectures":
			p.Architectures, err = d.arches(val, at)
		case "archMap":
			p.ArchMap, err = d.archMap(val, at)
		case "flags":
			p.Flags, err = d.flags(val, at)
			p.FlagsSet = !d.src.isNull(val)
		case "listenerPath":
			p.ListenerPath, err = d.str(val, at)
		case "listenerMetadata":
			p.ListenerMetadata, err = d.str(val, at)
		case "syscalls":
			p.Rules, err = d.rules(val)
		default:
			err = more(field, at, val)
		}
		return err
	})
	if err != nil {
		return err
	}
	if p.DefaultErrnoRet != nil {
		d.checkErrno(errno, path, "defaultErrnoRet", p.DefaultAction, *p.DefaultErrnoRet)
	}
	return d.whole(v, path)
}

// whole checks what concerns the profile as a whole.
func (d *decoder) whole(v value, path string) error {
	p := d.p
	if p.DefaultAction == "" && len(p.Rules) > 0 {
		return d.errorf(v, path, "no defaultAction, although there are rules")
	}
	if len(p.Architectures) > 0 && len(p.ArchMap) > 0 {
		return d.errorf(v, path, "both architectures and archMap: only one of them may be given")
	}
	return nil
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

func (d *decoder) action(v value, path string) (ActionName, error) {
	text, err := d.str(v, path)
	if err != nil {
		return "", err
	}
	if _, ok := actions[ActionName(text)]; ok {
		return ActionName(text), nil
	}
	// The default action of a disabled profile is empty; whole judges that.
	if text == "" && strings.HasSuffix(path, "defaultAction") || d.src.isNull(v) {
		return "", nil
	}
	return "", d.oneOf(v, path, "action", text, actionWords)
}

// actionWords lists the names of actions, the commonest first: of equally near ones the first is
// suggested.
var actionWords = []string{
	"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL",
	"SCMP_ACT_LOG", "SCMP_ACT_TRAP", "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY",
}

func (d *decoder) errno(v value, path string) (*uint32, error) {
	n, ok, err := d.unsigned(v, path, math.MaxUint32)
	if err != nil || !ok {
		return nil, err
	}
	e := uint32(n)
	return &e, nil
}

// checkErrno notes an errno that does not do what it seems to.
func (d *decoder) checkErrno(v value, path, field string, action ActionName, n uint32) {
	switch {
	case d.dialect.exact && n == 0:
		if action.CarriesErrno() {
			d.problem(v, IgnoredField, path, field, "%s 0 is the same as none: the errno is EPERM", field)
		}
	case !action.CarriesErrno():
		d.problem(v, ErrnoUnused, path, field, "%s %d has no effect on %s", field, n, action)
	case n > 0xffff:
		d.problem(v, ErrnoRange, path, field, "%s %d does not fit in 16 bits: the filter returns %s", field, n, action.Value(&n))
	case action == "SCMP_ACT_ERRNO" && n == 0:
		d.problem(v, ErrnoZero, path, field, "%s %d: the call does nothing and reports success", field, n)
	case action == "SCMP_ACT_ERRNO" && n > 4095:
		d.problem(v, ErrnoRange, path, field, "%s %d is above 4095, the largest errno: the kernel returns 4095", field, n)
	}
}

func (d *decoder) arches(v value, path string) ([]Name, error) {
	names, err := d.words(v, path)
	if err != nil {
		return nil, err
	}
	// words has checked that v is an array of strings, or null.
	err = d.list(v, path, func(i int, val value) error {
		return d.arch(val, path+"["+strconv.Itoa(i)+"]", names[i].Text)
	})
	return names, err
}

// arch checks the OCI name of an architecture. Those that libseccomp knows and runc does not are
// left to Resolve.
func (d *decoder) arch(v value, path, word string) error {
	if word == archNative {
		return nil
	}
	words := make([]string, 0, 24)
	for _, a := range syscalls.Arches() {
		words = append(words, a.OCI)
	}
	if a, err := syscalls.Lookup(word); err == nil && a.OCI != word {
		return d.errorf(v, path, "unknown architecture %q; did you mean %s?", word, a.OCI)
	}
	return d.oneOf(v, path, "architecture", word, words)
}

// archNative is a word of libseccomp for the host's own architecture. Docker passes it on, and
// runc refuses it.
const archNative = "SCMP_ARCH_NATIVE"

func (d *decoder) archMap(v value, path string) ([]ArchMap, error) {
	var list []ArchMap
	err := d.list(v, path, func(i int, val value) error {
		at := path + "[" + strconv.Itoa(i) + "]"
		m := ArchMap{Pos: d.src.pos(val)}
		err := d.object(val, at, archMapSchema, func(field string, key, val value) (err error) {
			if field == "subArchitectures" {
				m.Sub, err = d.arches(val, at+"."+field)
				return err
			}
			text, err := d.str(val, at+"."+field)
			if err != nil {
				return err
			}
			m.Arch = Name{text, d.src.pos(val)}
			return d.arch(val, at+"."+field, text)
		})
		list = append(list, m)
		return err
	})
	return list, err
}

func (d *decoder) flags(v value, path string) ([]Name, error) {
	names, err := d.words(v, path)
	if err != nil {
		return nil, err
	}
	err = d.list(v, path, func(i int, val value) error {
		return d.oneOf(val, path+"["+strconv.Itoa(i)+"]", "flag", names[i].Text, flags)
	})
	return names, err
}

// filter reads includes or excludes.
func (d *decoder) filter(v value, path string) (Filter, error) {
	var f Filter
	if d.src.isNull(v) {
		return f, nil
	}
	f.Pos = d.src.pos(v)
	err := d.object(v, path, filterSchema, func(field string, key, val value) (err error) {
		at := path + "." + field
		switch field {
		case "caps":
			if f.Caps, err = d.words(val, at); err == nil {
				err = d.vocabulary(val, at, "capability", f.Caps, capabilities)
			}
		case "arches":
			if f.Arches, err = d.words(val, at); err == nil {
				err = d.vocabulary(val, at, "architecture", f.Arches, hostWords())
			}
		case "minKernel":
			f.MinKernel, err = d.minKernel(val, at)
			if d.dialect.errnos {
				err = nil // Podman and CRI-O do not look at it
			}
		}
		return err
	})
	return f, err
}

// vocabulary notes words that no host and no container can have.
func (d *decoder) vocabulary(v value, path, what string, names []Name, words []string) error {
	return d.list(v, path, func(i int, val value) error {
		for _, w := range words {
			if w == names[i].Text {
				return nil
			}
		}
		d.suggest(val, NeverMatches, path, names[i].Text, nearWord(names[i].Text, words),
			"the %s %q never matches: Docker compares the words letter by letter", what, clip(names[i].Text))
		return nil
	})
}

// nearWord finds the word that was meant: by another name of the same architecture, with the
// missing CAP_, or by spelling.
func nearWord(word string, words []string) string {
	if a, err := syscalls.Lookup(word); err == nil {
		if w := HostWord(a); w != "" {
			return w
		}
	}
	if near := "CAP_" + strings.ToUpper(strings.TrimPrefix(strings.ToUpper(word), "CAP_")); isCapability(near) {
		for _, w := range words {
			if w == near {
				return near
			}
		}
	}
	return syscalls.NearestOf(word, words)
}

// minKernel reads a "4.8" as Docker does: two numbers below 256, not both 0. The empty string is
// the zero Kernel.
func (d *decoder) minKernel(v value, path string) (*syscalls.Kernel, error) {
	text, err := d.str(v, path)
	if err != nil || d.src.isNull(v) {
		return nil, err
	}
	if text == "" {
		return &syscalls.Kernel{}, nil
	}
	first, second, ok := strings.Cut(text, ".")
	major, err1 := strconv.ParseUint(first, 10, 8)
	minor, err2 := strconv.ParseUint(second, 10, 8)
	if !ok || err1 != nil || err2 != nil || major == 0 && minor == 0 {
		return nil, d.errorf(v, path, "kernel %q: want two numbers like 4.8", clip(text))
	}
	return &syscalls.Kernel{Major: int(major), Minor: int(minor)}, nil
}
