package report

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"slices"
)

// Fingerprint identifies a finding over time, in 32 hex digits: by its check, its ABI, the syscalls in
// any order, and its message without numbers. Numbers count things and name lines, and both change when
// something else in the profile does; severity, position and path do not count either, and neither does
// the file, so that renaming one leaves its findings what they are. Findings of two files are told
// apart by Position.File beside the fingerprint.
func Fingerprint(f Finding) string {
	names := slices.Clone(f.Syscalls)
	slices.Sort(names)
	h := sha256.New()
	for _, part := range append([]string{"profcheck/v1", f.Check, f.Arch, loneNumbers.ReplaceAllString(f.Message, "#")}, names...) {
		// The length goes first, so that no two lists of parts are the same bytes.
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// loneNumbers are those that stand alone: not the digits of pread64, x86_64 or 0x28.
var loneNumbers = regexp.MustCompile(`\b[0-9]+\b`)

// Fingerprints returns the fingerprints of a list. Findings of one file and profile that have the same
// one are numbered in their order: the second ends in ":2".
func Fingerprints(list []Finding) []string {
	type key struct {
		file, print string
		profile     int
	}
	seen := make(map[key]int)
	out := make([]string, 0, len(list))
	for _, f := range list {
		k := key{print: Fingerprint(f), profile: f.Profile}
		if f.Position != nil {
			k.file = path.Clean(f.Position.File)
		}
		seen[k]++
		if n := seen[k]; n > 1 {
			out = append(out, fmt.Sprintf("%s:%d", k.print, n))
		} else {
			out = append(out, k.print)
		}
	}
	return out
}
