package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// Flags of seccomp(SECCOMP_SET_MODE_FILTER) (include/uapi/linux/seccomp.h).
const (
	FlagTSync            = 1 << 0 // all threads of the process get the filter
	FlagLog              = 1 << 1 // all actions but ALLOW may be logged
	FlagSpecAllow        = 1 << 2 // no mitigation against speculative store bypass
	FlagNewListener      = 1 << 3 // return a file descriptor that gets the notifications
	FlagTSyncESRCH       = 1 << 4 // ESRCH instead of the id of a thread that cannot follow
	FlagWaitKillableRecv = 1 << 5 // a call that a listener has taken up is interrupted by fatal signals alone

	allFlags = 1<<6 - 1
)

// flagNames are in the order of the bits.
var flagNames = []string{"TSYNC", "LOG", "SPEC_ALLOW", "NEW_LISTENER", "TSYNC_ESRCH", "WAIT_KILLABLE_RECV"}

// FlagNames returns the flags as the kernel's headers call them, without SECCOMP_FILTER_FLAG_,
// joined by "|"; unknown bits are a hexadecimal number. No flags are "0".
func FlagNames(flags uint32) string {
	var parts []string
	for i, name := range flagNames {
		if flags>>i&1 != 0 {
			parts = append(parts, name)
		}
	}
	if rest := flags &^ allFlags; rest != 0 || flags == 0 {
		parts = append(parts, fmt.Sprintf("%#x", rest))
	}
	return strings.Replace(strings.Join(parts, "|"), "0x0", "0", 1)
}

// ParseFlags is the inverse of FlagNames. Flags may also be joined by commas and carry the prefix
// SECCOMP_FILTER_FLAG_ as in configurations of runtimes; numbers are any bits. An empty text is no
// flags.
func ParseFlags(text string) (uint32, error) {
	var flags uint32
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == '|' || c == ',' || c == ' ' }) {
		name := strings.TrimPrefix(strings.ToUpper(word), "SECCOMP_FILTER_FLAG_")
		if i := slices.Index(flagNames, name); i >= 0 {
			flags |= 1 << i
			continue
		}
		if n, err := strconv.ParseUint(word, 0, 32); err == nil {
			flags |= uint32(n)
			continue
		}
		if near := syscalls.NearestOf(name[:min(len(name), maxWord)], flagNames); near != "" {
			return 0, fmt.Errorf("filter: unknown flag %s, is it %s?", quote(word), near)
		}
		return 0, fmt.Errorf("filter: unknown flag %s, there are %s", quote(word), strings.Join(flagNames, ", "))
	}
	return flags, nil
}

// checkFlags refuses unknown flags and those that do not go together.
func checkFlags(flags uint32) error {
	fail := func(format string, args ...any) error { return refuseWith(einval, funcSetMode, format, args...) }
	switch {
	case flags&^allFlags != 0:
		return fail("unknown flags %#x", flags&^allFlags)
	case flags&FlagTSync != 0 && flags&FlagNewListener != 0 && flags&FlagTSyncESRCH == 0:
		return fail("flags TSYNC and NEW_LISTENER need TSYNC_ESRCH, as both return a number")
	case flags&FlagWaitKillableRecv != 0 && flags&FlagNewListener == 0:
		return fail("flag WAIT_KILLABLE_RECV needs NEW_LISTENER")
	}
	return nil
}
