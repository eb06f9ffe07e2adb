package profile

import (
	"bytes"
	_ "embed"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// Units of systemd: services, sockets, and their drop-ins. What SystemCallFilter= and its companions mean is from
// systemd.exec(5) of 252 and the source of that time (src/core/load-fragment.c config_parse_syscall_filter,
// src/shared/seccomp-util.c).

var _ = registerFormat(format{
	name: Systemd, title: "systemd: SystemCallFilter= of a unit or drop-in",
	runtime: RuntimeSystemd, rank: rankText,
	dialect:  dialect{who: "systemd", exact: true},
	isText:   isUnit,
	readText: readSystemd,
})

// unitStart recognises a unit by its first section.
var unitStart = regexp.MustCompile(`^(\x{feff})?([ \t\r]*([#;][^\n]*)?\n)*[ \t]*\[(Unit|Service|Socket|Mount|Swap|Install|Container|Slice|Timer|Path|Scope|Automount)\][ \t\r]*(\n|$)`)

func isUnit(data []byte) bool { return unitStart.Match(data) }

// filterSections are those whose processes are filtered.
var filterSections = []string{"Service", "Socket", "Mount", "Swap"}

// otherFilters are settings that add filters of their own, beside the list of calls.
var otherFilters = []string{
	"SystemCallLog", "RestrictAddressFamilies", "RestrictNamespaces", "MemoryDenyWriteExecute", "LockPersonality",
	"ProtectClock", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
	"PrivateDevices", "RestrictRealtime", "RestrictSUIDSGID", "DynamicUser",
}

// unitNo are the words for false.
var unitNo = []string{"", "0", "n", "no", "f", "false", "off"}

//go:embed systemd_groups.txt
var systemdGroupText string

// systemdGroups gives the members of each group, calls and other groups.
var systemdGroups = func() map[string][]string {
	groups := map[string][]string{}
	name := ""
	for line := range strings.Lines(systemdGroupText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		if len(words) > 0 && !strings.HasPrefix(line, " ") {
			name, words = words[0], words[1:]
		}
		groups[name] = append(groups[name], words...)
	}
	return groups
}()

// A unit is a text while it is read.
type unit struct {
	*decoder
	lines *yamlFile

	section string
	known   bool           // one of filterSections came
	others  map[string]Pos // of otherFilters, where they are on
	list    bool           // SystemCallFilter= is in force
	allow   bool           // it is an allowlist
	words   []unitWord     // of SystemCallFilter=, in file order
	owner   map[string]int // the word that put a call into the list
	errno   int            // of SystemCallErrorNumber=; killErrno
}

// A unitWord is a word of SystemCallFilter=: a call or a group.
type unitWord struct {
	pos   Pos
	names []string
	errno int // noErrno: none is given
}

const (
	noErrno   = -1
	killErrno = -2 // the word kill
)

func readSystemd(f *file) error {
	lines := newYAMLFile(f.name, f.data)
	if len(f.data) > maxInput {
		return f.errorf(lines.at(0), "more than %d bytes, which is the limit for a unit", maxInput)
	}
	if off, reason := badCharacter(f.data); reason != "" {
		return f.errorf(lines.at(off), "%s", reason)
	}
	u := &unit{
		decoder: &decoder{file: f.name, dialect: f.format.dialect, p: &Profile{Name: f.name, Format: Systemd, Pos: lines.at(0)}},
		lines:   lines, others: map[string]Pos{}, owner: map[string]int{}, errno: killErrno,
	}
	if err := u.read(f.data); err != nil {
		return err
	}
	if !u.known {
		return f.errorf(lines.at(0), "no section [%s]: a unit without processes that systemd filters", strings.Join(filterSections, "], ["))
	}
	u.rules()
	f.add(u.finish(), "")
	return nil
}

// problemAt notes a problem at a place.
func (u *unit) problemAt(pos Pos, kind Kind, name, text string) {
	if len(u.p.Problems) >= maxProblems {
		u.dropped++
		return
	}
	u.p.Problems = append(u.p.Problems, Problem{Pos: pos, Kind: kind, Name: name, Text: text})
}

// A piece of a logical line says where in the file it is from.
type unitPiece struct{ at, off int }

// read splits the text into logical lines: a backslash at the end joins the next one that is no comment.
func (u *unit) read(data []byte) error {
	var text strings.Builder
	var pieces []unitPiece
	flush := func() error {
		if pieces == nil {
			return nil
		}
		err := u.line(text.String(), pieces)
		text.Reset()
		pieces = nil
		return err
	}
	data = bytes.TrimRight(data, "\n")
	for off := 0; off < len(data); {
		end := off + len(data[off:])
		if i := bytes.IndexByte(data[off:], '\n'); i >= 0 {
			end = off + i
		}
		line, start := bytes.TrimSuffix(data[off:end], []byte("\r")), off
		if off == 0 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
			start = len(data[off:end]) - len(bytes.TrimPrefix(data[off:end], []byte("\xef\xbb\xbf")))
		}
		off = end + 1
		if first := bytes.TrimLeft(line, " \t"); len(first) > 0 && (first[0] == '#' || first[0] == ';') {
			continue
		}
		pieces = append(pieces, unitPiece{text.Len(), start})
		slashes := len(line) - len(bytes.TrimRight(line, "\\"))
		if slashes%2 == 1 {
			text.Write(line[:len(line)-1])
			text.WriteByte(' ')
			continue
		}
		text.Write(line)
		if err := flush(); err != nil {
			return err
		}
	}
	return flush()
}

// line reads a logical line.
func (u *unit) line(text string, pieces []unitPiece) error {
	at := func(i int) Pos {
		k, _ := slices.BinarySearchFunc(pieces, i+1, func(p unitPiece, i int) int { return p.at - i })
		p := pieces[k-1]
		return u.lines.at(p.off + i - p.at)
	}
	start := len(text) - len(strings.TrimLeft(text, " \t\r"))
	body := strings.TrimSpace(text)
	switch {
	case body == "":
		return nil
	case body[0] == '[':
		if body[len(body)-1] != ']' {
			return &ParseError{Pos: at(start), Reason: "a section without the bracket at its end, for which systemd refuses the file"}
		}
		u.section = body[1 : len(body)-1]
		if slices.Contains(filterSections, u.section) && !u.known {
			u.known, u.p.Pos = true, at(start)
		}
		return nil
	}
	key, value, ok := strings.Cut(text, "=")
	name := strings.TrimSpace(key)
	if !ok {
		u.problemAt(at(start), UnknownField, clip(body), "a line without =: ignored")
		return nil
	}
	from := len(key) + 1
	from += len(value) - len(strings.TrimLeft(value, " \t\r"))
	u.setting(name, strings.TrimSpace(value), at(start), func(i int) Pos { return at(from + i) })
	return nil
}

// setting reads one assignment; at gives the places in the value.
func (u *unit) setting(name, value string, pos Pos, at func(int) Pos) {
	ours := slices.Contains(otherFilters, name) || slices.Contains([]string{"SystemCallFilter", "SystemCallErrorNumber", "SystemCallArchitectures"}, name)
	if !ours {
		return // of hundreds of other settings
	}
	if !slices.Contains(filterSections, u.section) {
		u.problemAt(pos, IgnoredField, name, name+"= outside of ["+strings.Join(filterSections, "], [")+"]: ignored")
		return
	}
	switch name {
	case "SystemCallFilter":
		u.filterWords(value, at)
	case "SystemCallErrorNumber":
		switch n, ok := unitErrno(value); {
		case value == "" || value == "kill":
			u.errno = killErrno
		case !ok || n == 0:
			u.problemAt(at(0), IgnoredField, name, "no errno: "+strconv.Quote(clip(value))+": ignored")
		default:
			u.errno = n
		}
	case "SystemCallArchitectures":
		u.architectures(value, at)
	default:
		if slices.Contains(unitNo, strings.ToLower(value)) {
			delete(u.others, name)
		} else if _, on := u.others[name]; !on {
			u.others[name] = pos
		}
	}
}

// unitErrno reads a number up to 4095 or the name of an errno.
func unitErrno(word string) (int, bool) {
	if n, err := strconv.Atoi(word); err == nil {
		return n, n >= 0 && n <= filter.MaxErrno
	}
	return filter.ErrnoNumber(word)
}

// unitWords calls f for each word of a value.
func unitWords(value string, f func(word string, at int)) {
	start := -1
	for i := 0; i <= len(value); i++ {
		space := i == len(value) || strings.IndexByte(" \t\r\n", value[i]) >= 0
		switch {
		case space && start >= 0:
			f(value[start:i], start)
			start = -1
		case !space && start < 0:
			start = i
		}
	}
}

// architectures adds to the list; nothing resets it.
func (u *unit) architectures(value string, at func(int) Pos) {
	if value == "" {
		u.p.Architectures = nil
		return
	}
	unitWords(value, func(word string, i int) {
		name, ok := unitArches[word]
		if !ok {
			u.problemAt(at(i), IgnoredField, "SystemCallArchitectures", "unknown architecture "+strconv.Quote(clip(word))+": ignored")
			return
		}
		u.p.Architectures = append(u.p.Architectures, Name{name, at(i)})
	})
}

// unitArches gives the OCI's names for systemd's.
var unitArches = func() map[string]string {
	words := map[string]string{"native": archNative}
	for word, name := range map[string]string{
		"x86": "x86", "x86-64": "x86_64", "x32": "x32", "arm": "arm", "arm64": "aarch64", "loongarch64": "loongarch64",
		"mips": "mips", "mips64": "mips64", "mips64-n32": "mips64n32", "mips-le": "mipsel", "mips64-le": "mipsel64",
		"mips64-le-n32": "mipsel64n32", "parisc": "parisc", "parisc64": "parisc64", "ppc": "ppc", "ppc64": "ppc64",
		"ppc64-le": "ppc64le", "riscv64": "riscv64", "s390": "s390", "s390x": "s390x",
	} {
		if a := syscalls.ByName(name); a != nil {
			words[word] = a.OCI
		}
	}
	return words
}()
