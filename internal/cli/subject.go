package cli

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// A subject is what a command judges: a profile, a compiled filter, or a stack of them, oldest
// first, as a thread would have it.
type subject struct {
	name   string // as the user gave it
	layers []*layer
}

// A layer is one filter of a subject: as a profile, from which each target makes its own, or
// compiled.
type layer struct {
	name    string
	format  string
	profile *profile.Profile // nil: a compiled filter
	program filter.Program
	order   binary.ByteOrder // of the compiled filter
	source  []byte           // what was read; nil for a built-in
}

// maxFilterFile bounds what is read as a filter, in bytes: far more than the longest text of the
// longest program.
const maxFilterFile = 16 << 20

// openSubject reads what stands for PROFILE on the command line: a built-in, a file in any format,
// stdin for "-", or several of these joined with "+", oldest first. A file of exactly that name is
// taken before the plus sign means anything.
func (a *App) openSubject(o *options, name string) (*subject, error) {
	parts := []string{name}
	if strings.Contains(name, "+") && sniff(name) == absent {
		parts = strings.Split(name, "+")
	}
	s := &subject{name: name}
	for _, part := range parts {
		if part == "" {
			return nil, usage("stack %s: a filter has no name", name)
		}
		l, err := a.openLayer(o, part)
		if err != nil {
			return nil, err
		}
		if l.profile != nil && l.profile.Disabled() {
			a.note(o, "%s %s: every call is allowed", l.name, l.profile.DisabledReason())
		}
		s.layers = append(s.layers, l)
	}
	return s, nil
}

func (a *App) openLayer(o *options, name string) (*layer, error) {
	path, part := profile.SplitPart(name)
	if path != "-" && likeBuiltin(name) && (isBuiltin(name) || sniff(name) == absent) {
		p, err := profile.Open(name)
		if err != nil {
			return nil, err
		}
		return &layer{name: name, format: p.Format, profile: p}, nil
	}
	data, err := a.readInput(path)
	if err != nil {
		return nil, err
	}
	if !o.isProfile(data) {
		if part != "" {
			return nil, usage("filter %s is one: no %q in it", path, part)
		}
		return readFilter(name, data, o.inputFormat, o.byteOrder())
	}
	ro := o.readOptions()
	list, err := profile.ReadPart(path, part, data, ro)
	p, err := a.onlyProfile(o, path, list, err)
	if err != nil {
		return nil, err
	}
	return &layer{name: name, format: p.Format, profile: p, source: data}, nil
}

// readInput reads a file, or stdin for "-".
func (a *App) readInput(name string) ([]byte, error) {
	if name == "-" {
		return a.readStdin()
	}
	kind := "profile"
	if sniff(name) == absent && !strings.HasSuffix(name, ".json") {
		kind = "filter"
	}
	return readNamed(kind, name)
}

// inputFormats are the words of --input-format.
func inputFormats() []string {
	list := profileFormats()
	for _, f := range filter.Formats() {
		if f != string(filter.Go) { // which is written only
			list = append(list, f)
		}
	}
	return list
}

// isProfile tells a profile from a filter, by --input-format or by content.
func (o *options) isProfile(data []byte) bool {
	if o.inputFormat != "" {
		return slices.Contains(profileFormats(), o.inputFormat)
	}
	found := profile.Recognize(data)
	return likeProfile(data) || found != "" && found != profile.Raw
}

// readFilter reads a filter. An empty format is told by content; a nil order is found where the file
// says it.
func readFilter(name string, data []byte, format string, order binary.ByteOrder) (*layer, error) {
	l := &layer{name: name, format: format, source: data}
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("\x7fELF")):
		return nil, fmt.Errorf("%s: an ELF file is neither a profile nor a filter", name)
	case len(data) == 0:
		return nil, fmt.Errorf("%s: the file is empty", name)
	case len(data) > maxFilterFile:
		return nil, fmt.Errorf("filter %s: larger than %d bytes", name, maxFilterFile)
	case format == string(filter.Raw):
		if l.order = order; order == nil {
			// An instruction of NULs is one in both orders, and no text.
			_, _, l.order, _ = filter.ParseProgram(slices.Concat(data, make([]byte, filter.InsnSize)), nil)
		}
		l.program, err = filter.Decode(data, l.order)
	default:
		var found filter.Format
		l.program, found, l.order, err = filter.ParseProgram(data, order)
		if format != "" && string(found) != format {
			return nil, fmt.Errorf("filter %s: it looks like %s, not like %s", name, found, format)
		}
		l.format = string(found)
	}
	if err != nil {
		return nil, filterError{name, err}
	}
	return l, nil
}

// filterError is what package filter says about the file of that name.
type filterError struct {
	name string
	err  error
}

func (e filterError) Error() string {
	var syntax *filter.AsmError
	if errors.As(e.err, &syntax) {
		return fmt.Sprintf("filter %s:%d:%d: %s", e.name, syntax.Line, syntax.Column, syntax.Reason)
	}
	return fmt.Sprintf("filter %s: %s", e.name, strings.TrimPrefix(e.err.Error(), "filter: "))
}

func (e filterError) Unwrap() error { return e.err }

// likeProfile reports whether a text begins like a JSON profile: with an object that has a name or
// is empty. A C array begins with braces too, but not with a string.
func likeProfile(data []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(text, []byte("[")) {
		return true // a JSON array, which the profile's reader refuses with a good reason
	}
	rest, ok := bytes.CutPrefix(text, []byte("{"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return ok && (len(rest) == 0 || rest[0] == '"' || rest[0] == '}')
}

// compiled reports whether the subject has a compiled filter, and with it a byte order of its own.
func (s *subject) compiled() *layer {
	for _, l := range s.layers {
		if l.profile == nil {
			return l
		}
	}
	return nil
}

// profiles returns the layers that are profiles.
func (s *subject) profiles() (list []*profile.Profile) {
	for _, l := range s.layers {
		if l.profile != nil {
			list = append(list, l.profile)
		}
	}
	return list
}

// fits refuses an architecture of the other byte order than a compiled filter.
func (s *subject) fits(abi *syscalls.Arch) error {
	for _, l := range s.layers {
		if l.profile == nil && filter.IsBigEndian(l.order) != abi.BigEndian {
			return usage("filter %s is %s-endian, and %s is not (--order says another order)", l.name, orderWord(l.order), abi.Name)
		}
	}
	return nil
}

// arches returns the architectures that the subject names or tests, the first one's own first. With
// a compiled filter they are of its byte order.
func (s *subject) arches() (out []*syscalls.Arch) {
	for _, l := range s.layers {
		list := profile.TestedArches(l.program, l.order)
		if l.profile != nil {
			list = profileArches(l.profile)
		}
		for _, a := range list {
			if !slices.Contains(out, a) && s.fits(a) == nil {
				out = append(out, a)
			}
		}
	}
	return out
}

// sameOrder returns all architectures of a compiled filter's byte order.
func sameOrder(order binary.ByteOrder) (out []*syscalls.Arch) {
	for _, a := range syscalls.Arches() {
		if a.BigEndian == filter.IsBigEndian(order) {
			out = append(out, a)
		}
	}
	return out
}

// firstArch is the architecture that a command takes if nobody names one: the first that a profile
// names or a filter tests.
func (s *subject) firstArch() *syscalls.Arch {
	if list := s.arches(); len(list) > 0 {
		return list[0]
	}
	if l := s.compiled(); l != nil && filter.IsBigEndian(l.order) {
		return syscalls.ByName(defaultBigArch)
	}
	return syscalls.ByName(defaultArch)
}

// profileDoc describes the subject as documents do.
func (s *subject) profileDoc() report.Profile {
	return report.Profile{Name: s.name, Format: s.format()}
}

func (s *subject) format() string {
	if len(s.layers) > 1 {
		return "stack"
	}
	return s.layers[0].format
}

func (s *subject) layerDocs() (out []report.Layer) {
	if len(s.layers) == 1 {
		return nil
	}
	for _, l := range s.layers {
		out = append(out, report.Layer{Name: l.name, Format: l.format})
	}
	return out
}

func orderWord(order binary.ByteOrder) string {
	if filter.IsBigEndian(order) {
		return "big"
	}
	return "little"
}
