package profile

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// Resolved is what a target enforces of a profile. Of a compiled filter only Compile tells what it does:
// there are no rules, so that Default, BadArch, Meaning and Meant say nothing.
type Resolved struct {
	Target  Target // with its blanks filled in
	Profile *Profile

	Disabled  bool             // no filter is loaded: every call is allowed
	Flags     []string         // what the runtime passes to seccomp(2), by the names of the OCI specification
	Arches    []*syscalls.Arch // the ABIs that the filter answers for; the host's first, but for the kernel target
	Default   filter.Action    // for calls that no rule matches
	BadArch   filter.Action    // for calls of other ABIs
	Rules     []ResolvedRule   // in file order, of names that at least one of Arches has
	Skipped   []Skip           // what is not enforced, in file order
	Ignored   []Problem        // fields of the file that this target does not read
	Conflicts []Conflict       // calls whose action the file leaves open

	// Stub gives runc's ENOSYS stub: on the ABI of this Name, a number above the value gets
	// ERRNO(ENOSYS). nil: no stub. An ABI that is missing has none.
	Stub map[string]int32

	x32 filter.Action // what numbers of x32 get where no ABI of Arches is it; 0: the bad-arch action

	tables    map[string]table // by Name of the ABI
	tokenOnly bool             // numbers of x32 are numbers like others (gVisor)
}

// A ResolvedRule is one call with one action and conditions that are joined by AND.
type ResolvedRule struct {
	Name   string
	Action filter.Action
	Conds  []Cond // none: always
	Source *Rule
	Pos    Pos // of the name
}

// Reason says why something is not enforced.
type Reason string

// The reasons of a Skip.
const (
	SkipDefault   Reason = "same as default"            // the action is the default's: left out
	SkipUnknown   Reason = "unknown name"               // no ABI has it
	SkipAbsent    Reason = "not on these architectures" // no ABI of the filter has it
	SkipUncond    Reason = "an unconditional rule wins" // a condition, next to a rule without one
	SkipLater     Reason = "an earlier rule wins"       // the second unconditional rule
	SkipDuplicate Reason = "an earlier rule says the same"
	SkipCaps      Reason = "excluded by capabilities"       // includes or excludes
	SkipArch      Reason = "excluded by the architecture"   // includes or excludes
	SkipKernel    Reason = "excluded by the kernel version" // includes or excludes
	SkipNoNames   Reason = "names no syscall"
	SkipOldForm   Reason = "the field name is not read" // an old-form rule under runc
)

// A Skip is a rule, or one name of it, that the target does not enforce.
type Skip struct {
	Name   string // the call, "" for a whole rule
	Reason Reason
	Source *Rule
	Pos    Pos           // of the name, or of the rule
	Action filter.Action // what the rule would have given
	Conds  []Cond
	Arch   string        // Name of the only ABI where it is so; "" for all that have the call
	Via    string        // the multiplexer where it is so; "" for the call itself
	By     *ResolvedRule // the rule that wins, for SkipUncond and SkipLater
}

// String returns one line for people.
func (s Skip) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: syscalls[%d]", s.Pos, s.Source.Index)
	if s.Name != "" {
		fmt.Fprintf(&b, ": %s", s.Name)
	}
	fmt.Fprintf(&b, ": %s", s.Reason)
	if s.Via != "" {
		fmt.Fprintf(&b, " (in %s)", s.Via)
	}
	if s.Arch != "" {
		fmt.Fprintf(&b, " (on %s)", s.Arch)
	}
	return b.String()
}

// A Conflict is two rules on one call that leave open what the filter does: they match the same
// arguments with different actions, or libseccomp may join them wrongly. The reference lets the first
// in the file win; libseccomp may not, so no proof of equality may rest on such a call.
type Conflict struct {
	Kind          ConflictKind
	Arch          *syscalls.Arch
	Name          string // the call
	Nr            int32
	First, Second *ResolvedRule // in file order; Second is nil if there are too many pairs to look at
	Args          [6]uint64     // arguments that both match; for ConflictOrdered, if there are none, that the first does
}

// LoadKind tells the sorts of LoadError apart.
type LoadKind string

// The sorts of LoadError.
const (
	SameCondition  LoadKind = "same-condition"   // twice the same call and condition, with different actions
	WiderCondition LoadKind = "wider-condition"  // after a rule, one with fewer of its conditions and another action
	UnknownToRunc  LoadKind = "unknown-to-runc"  // an architecture that runc's table lacks
	UnknownArch    LoadKind = "unknown-arch"     // an architecture that another runtime does not take
	UnknownAction  LoadKind = "unknown-action"   // an action that the runtime does not know
	NoDefault      LoadKind = "no-default"       // no default action, where that does not turn seccomp off
	ErrnoNotTaken  LoadKind = "errno-not-taken"  // an errno for an action without one
	FlagsUnknown   LoadKind = "flags-unknown"    // flags, and a runtime that does not know the field
	ErrnoTooLarge  LoadKind = "errno-too-large"  // an errno that libseccomp does not take
	BadErrno       LoadKind = "bad-errno"        // an errno as a word that the reader does not know
	MixedByteOrder LoadKind = "mixed-byte-order" // architectures of both byte orders
	NotifyDefault  LoadKind = "notify-default"   // NOTIFY as the default action
	NotifyWrite    LoadKind = "notify-write"     // NOTIFY for write
	NotifyListener LoadKind = "notify-listener"  // NOTIFY without a listenerPath
	FilterRefused  LoadKind = "filter-refused"   // a compiled filter that no kernel loads
	NotRead        LoadKind = "not-read"         // a container's profile, or the base of an operator's, that could not be read
	UnknownName    LoadKind = "unknown-name"     // a call that the reader does not know, where that is an error
	WrongReader    LoadKind = "wrong-reader"     // a file of a format that the runtime does not read
	DefaultAction  LoadKind = "default-action"   // a rule with the action of the default, where that is an error
	TooManyRules   LoadKind = "too-many-rules"   // far more rules than a filter has instructions
)

// A LoadError is why the target would not load a profile that is well formed: the container does
// not start.
type LoadError struct {
	Kind    LoadKind
	Pos     Pos
	Path    string // "syscalls[3]"
	Runtime string
	Reason  string
	First   *Rule // for SameCondition and WiderCondition: the earlier rule
}

// Error returns `profile p.json:12:7: syscalls[3]: ...: runc does not load it`.
func (e *LoadError) Error() string {
	at := ""
	if e.Path != "" {
		at = e.Path + ": "
	}
	if e.Kind == NotRead { // who does what without it is in the reason
		return fmt.Sprintf("profile %s: %s%s", e.Pos, at, e.Reason)
	}
	who := e.Runtime // or another word for who refuses it
	if who == RuntimeKernel {
		who = "libseccomp"
	}
	return fmt.Sprintf("profile %s: %s%s: %s does not load it", e.Pos, at, e.Reason, who)
}
