package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/finding"
)

// MaxBaseline is the largest size in bytes of a baseline that ParseBaseline reads.
const MaxBaseline = 64 << 20

// baselineHead is the first line of a baseline.
const baselineHead = "# profcheck baseline 1"

// A Known is a finding of a baseline. What tells it from others is its fingerprint and its path.
type Known struct {
	Fingerprint string // of report.Fingerprints
	Path        string // of the file it is in, relative to the baseline's folder; "" if it is in none
	Check       string // for people
	Message     string // for people
}

// A Baseline is a list of findings that were there before.
type Baseline struct {
	File  string
	known map[baselineKey]*Known
	met   map[baselineKey]bool
}

type baselineKey struct{ print, path string }

// fingerprint is the form of fingerprints: digits, and which one of several.
var fingerprint = regexp.MustCompile(`^[0-9a-f]{32}(:[0-9]{1,9})?$`)

// ParseBaseline reads what FormatBaseline wrote. The error is an *Error.
func ParseBaseline(name string, data []byte) (*Baseline, error) {
	b := &Baseline{File: name, known: make(map[baselineKey]*Known), met: make(map[baselineKey]bool)}
	n := 0
	fault := func(column int, text string) error {
		return &Error{finding.Pos{File: name, Line: n, Column: column}, errors.New(text)}
	}
	if len(data) > MaxBaseline {
		return nil, &Error{finding.Pos{File: name}, fmt.Errorf("larger than %d bytes", MaxBaseline)}
	}
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if n == 1 {
			if strings.TrimPrefix(line, "\ufeff") != baselineHead {
				return nil, fault(1, fmt.Sprintf("not a baseline: want the line %q", baselineHead))
			}
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.SplitN(line, "\t", 4)
		if len(fields) != 4 {
			return nil, fault(1, "want fingerprint, check, path and message with tabs between them")
		}
		if !fingerprint.MatchString(fields[0]) {
			return nil, fault(1, fmt.Sprintf("%q is no fingerprint", clip(fields[0])))
		}
		k := &Known{Fingerprint: fields[0], Check: fields[1], Path: fields[2], Message: fields[3]}
		b.known[k.key()] = k
	}
	if n == 0 {
		return nil, &Error{finding.Pos{File: name}, errors.New("the file is empty")}
	}
	return b, nil
}

func (k *Known) key() baselineKey { return baselineKey{k.Fingerprint, k.Path} }

// Has reports whether a finding is in the baseline.
func (b *Baseline) Has(k Known) bool {
	k.Path = plain(k.Path)
	_, ok := b.known[k.key()]
	if ok {
		b.met[k.key()] = true
	}
	return ok
}

// Gone returns the findings of the baseline that Has was not asked for, in order, of those paths that
// were judged, as the baseline spells them.
func (b *Baseline) Gone(judged func(path string) bool) []Known {
	var out []Known
	for key, k := range b.known {
		if !b.met[key] && judged(k.Path) {
			out = append(out, *k)
		}
	}
	slices.SortFunc(out, order)
	return out
}

func order(a, b Known) int {
	return cmp.Or(
		strings.Compare(a.Path, b.Path), strings.Compare(a.Check, b.Check),
		strings.Compare(a.Message, b.Message), strings.Compare(a.Fingerprint, b.Fingerprint),
	)
}

// FormatBaseline writes findings, each once, in an order that does not depend on theirs: by path, check
// and message.
func FormatBaseline(list []Known) []byte {
	list = slices.Clone(list)
	for i := range list {
		k := &list[i]
		k.Check, k.Path, k.Message = plain(k.Check), plain(k.Path), plain(k.Message)
	}
	slices.SortFunc(list, order)
	var b strings.Builder
	b.WriteString(baselineHead + "\n# Findings that were there before; --baseline leaves them out. Fingerprint, check, path, message.\n")
	seen := make(map[baselineKey]bool)
	for _, k := range list {
		if !seen[k.key()] {
			seen[k.key()] = true
			fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", k.Fingerprint, k.Check, k.Path, k.Message)
		}
	}
	return []byte(b.String())
}

// plain keeps a text to its field: control characters, which a file's name can have, become blanks.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
