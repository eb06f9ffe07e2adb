package profiletest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// defaultArch is the ABI of a profile that names none.
const defaultArch = "x86_64"

// A subject is what expectations are about: a profile or a compiled filter.
type subject struct {
	name    string // as the user gave it
	profile *profile.Profile
	raw     filter.Program // if profile is nil
	order   binary.ByteOrder
	loaded  map[string]*loaded // by setting
	filters []*compiled        // each once, in the order in which they were asked for
}

// openSubject reads a built-in, or a file with a profile or a compiled filter. dir is the folder
// that a relative path begins in.
func openSubject(name, dir string) (*subject, error) {
	s := &subject{name: name, loaded: make(map[string]*loaded)}
	if !strings.ContainsAny(name, "/."+string(filepath.Separator)) {
		p, err := profile.Open(name)
		s.profile = p
		return s, err
	}
	path := name
	if dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	path, part := profile.SplitPart(path)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", path, bare(err))
	}
	return readSubject(path, part, data)
}

// bare strips operation and path from a file error, which the message names already.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// readSubject reads the text of a profile, or a compiled filter in one of its formats. It tells them
// apart as people do: JSON begins with a brace, and other formats of profiles say what they are.
func readSubject(name, part string, data []byte) (*subject, error) {
	s := &subject{name: name, loaded: make(map[string]*loaded)}
	var err error
	found := profile.Recognize(data)
	if text := strings.TrimLeft(strings.TrimPrefix(string(data[:min(len(data), 512)]), "\ufeff"), " \t\r\n"); text == "" || text[0] == '{' || text[0] == '[' || found != "" && found != profile.Raw {
		list, err := profile.ReadPart(name, part, data, profile.ReadOptions{})
		s.profile, err = profile.Only(name, list, err)
		return s, err
	}
	if s.raw, _, s.order, err = filter.ParseProgram(data, nil); err == nil {
		err = s.raw.Verify()
	}
	if err != nil {
		return nil, fmt.Errorf("filter %s: %w", name, err)
	}
	return s, nil
}

// format names the kind of the subject.
func (s *subject) format() string {
	if s.profile == nil {
		return "filter"
	}
	return s.profile.Format
}

// arches are the ABIs that the subject names, x86_64 if it names none.
func (s *subject) arches() []*syscalls.Arch {
	var out []*syscalls.Arch
	add := func(n profile.Name) {
		if a, err := syscalls.Lookup(n.Text); err == nil && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	if s.profile != nil {
		for _, n := range s.profile.Architectures {
			add(n)
		}
		for _, m := range s.profile.ArchMap {
			add(m.Arch)
			for _, n := range m.Sub {
				add(n)
			}
		}
	}
	for _, in := range s.raw { // the tokens that a filter compares something with
		for _, a := range syscalls.Arches() {
			if in.Code == filter.OpJeqK && in.K == a.Audit && a.Base != 1<<30 && a.BigEndian == filter.IsBigEndian(s.order) && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, syscalls.ByName(defaultArch))
	}
	return out
}

// A setting is one set of circumstances.
type setting struct {
	arch   *syscalls.Arch
	target string // "" is the format's
	caps   []place[string]
	kernel syscalls.Kernel
}

// loaded is what is enforced in one setting.
type loaded struct {
	*compiled
	resolved *profile.Resolved // nil for a raw filter
	target   profile.Target
	arch     *syscalls.Arch
	rules    map[string][]*profile.ResolvedRule // by name; see byName
}

// compiled is a filter, shared by all settings that make the same one.
type compiled struct {
	program filter.Program
	order   binary.ByteOrder
	reached []bool // by index: the instructions that some expectation reached
	arch    *syscalls.Arch
	target  profile.Target // of the first setting
	proofs  int            // that reach asked for
	gaveUp  int            // times that the filter was too complex

	returns  map[filter.Action]bool // see marker
	computes bool                   // it returns what is in A
}

// maxSettings bounds the settings of one file: each takes some milliseconds and 200 kB for a profile of
// Docker's size.
const maxSettings = 400

// load works out what is enforced in a setting.
func (s *subject) load(set setting) (*loaded, error) {
	key := fmt.Sprint(set.arch.Name, " ", set.target, " ", set.kernel)
	for _, c := range set.caps {
		key += " " + c.value
	}
	if l := s.loaded[key]; l != nil {
		return l, nil
	}
	if len(s.loaded) == maxSettings {
		return nil, fmt.Errorf("more than %d combinations of target, architecture, capabilities and kernel", maxSettings)
	}
	l := &loaded{arch: set.arch}
	var program filter.Program
	var err error
	if s.profile == nil {
		if set.arch.BigEndian != filter.IsBigEndian(s.order) {
			return nil, fmt.Errorf("filter %s has another byte order than %s", s.name, set.arch.Name)
		}
		program = s.raw
		l.target = profile.Target{Runtime: profile.RuntimeKernel, ABI: set.arch, Kernel: set.kernel}
	} else {
		l.target = s.targetFor(set)
		if l.resolved, err = s.profile.Resolve(l.target); err != nil {
			return nil, err
		}
		l.target = l.resolved.Target
		if program, err = compile(l.resolved, set.arch); err != nil {
			return nil, fmt.Errorf("profile %s: filter for %s: %w", s.name, set.arch.Name, err)
		}
	}
	l.compiled = s.share(program, set.arch, l.target)
	s.loaded[key] = l
	return l, nil
}

// share returns the same compiled filter for the same instructions.
func (s *subject) share(program filter.Program, arch *syscalls.Arch, target profile.Target) *compiled {
	for _, c := range s.filters {
		if slices.Equal(c.program, program) && c.order == arch.Order() {
			return c
		}
	}
	c := &compiled{program: program, order: arch.Order(), reached: make([]bool, len(program)), arch: arch, target: target}
	s.filters = append(s.filters, c)
	return c
}

// compile makes the filter that answers for an ABI. Where the profile does not cover it, it is one
// that knows other ABIs of the same byte order.
func compile(r *profile.Resolved, arch *syscalls.Arch) (filter.Program, error) {
	var same []*syscalls.Arch
	for _, a := range r.Arches {
		if a.BigEndian == arch.BigEndian {
			same = append(same, a)
		}
	}
	switch {
	case r.Disabled:
		return filter.Program{filter.Return(filter.Allow)}, nil
	case len(same) == 0:
		return filter.Program{filter.Return(r.BadArch)}, nil
	}
	p, err := r.Compile(same...)
	if err != nil {
		return nil, err
	}
	return p, p.Verify()
}

// targetFor is the default target of the profile with what the setting says.
func (s *subject) targetFor(set setting) profile.Target {
	t := s.profile.DefaultTarget(set.arch)
	if set.target != "" && set.target != t.Runtime {
		t.Runtime, t.NoNewPrivs, t.Caps = set.target, false, profile.DockerCaps()
		if set.target == profile.RuntimeKernel {
			t.Caps = nil
		}
	}
	t.Caps = capSet(t.Caps, set.caps)
	if set.kernel != (syscalls.Kernel{}) {
		t.Kernel = set.kernel
	}
	return t
}

// capSet adds capabilities to a set, in the kernel's order; NONE and ALL take the place of the set.
func capSet(start []string, words []place[string]) []string {
	if len(words) == 0 {
		return start
	}
	set := make(map[string]bool)
	for _, c := range start {
		set[c] = true
	}
	for _, word := range words {
		switch word.value {
		case "NONE":
			clear(set)
		case "ALL":
			for _, c := range profile.Capabilities() {
				set[c] = true
			}
		default:
			set[word.value] = true
		}
	}
	var out []string
	for _, c := range profile.Capabilities() {
		if set[c] {
			out = append(out, c)
		}
	}
	return out
}

// checkTarget refuses a word that is no runtime.
func checkTarget(word string) error {
	err := profile.CheckRuntime(word)
	if err == nil {
		return nil
	}
	var names []string
	for _, r := range profile.Runtimes() {
		names = append(names, r.Name)
	}
	if near := syscalls.NearestOf(word, names); near != "" && !strings.Contains(word, "/") {
		return fmt.Errorf("unknown runtime %q: did you mean %s?", word, near)
	}
	return err
}
