package profile

import (
	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// The formats.
const (
	Docker = "docker" // github.com/moby/profiles/seccomp
	OCI    = "oci"    // runtime-spec config-linux.md, linux.seccomp
	Podman = "podman" // go.podman.io/common/pkg/seccomp: Docker's, with the errno as a word
	SPO    = "spo"    // SeccompProfile of the Security Profiles Operator

	// Kubernetes is that of manifests, each container of which is a profile.
	Kubernetes = "kubernetes"

	Raw = "raw" // a compiled filter

	Elastic = "elastic" // policies of github.com/elastic/go-seccomp-bpf
	Systemd = "systemd" // units of systemd

	Kernel = "kernel" // rules of the kernel itself: the built-in strict
)

// A Profile is a seccomp profile as written. Names, numbers and order are those of the file.
type Profile struct {
	Name   string // as the user gave it: a path, a built-in's name, "-"; of a file with several, "PATH#PART"
	Part   string // what tells it from the others of its file; "" if there are none
	Format string // a name of Formats, or Kernel
	Pos    Pos    // of the object that holds the profile

	DefaultAction    ActionName // "" if not given
	DefaultActionPos Pos
	DefaultErrnoRet  *uint32    // nil: not given, which means EPERM
	DefaultErrno     *ErrnoWord // the field defaultErrno, which Podman and CRI-O read; nil: not given

	Architectures []Name    // OCI names, as written
	ArchMap       []ArchMap // Docker only
	Rules         []Rule

	Flags            []Name // SECCOMP_FILTER_FLAG_...
	FlagsSet         bool   // false: the field is absent, and runc 1.2 and later add SPEC_ALLOW
	ListenerPath     string
	ListenerMetadata string

	Container *Container // of a manifest of Kubernetes; nil: it is none

	Process *Process // of a config.json; nil: none is given

	// Program is the compiled filter of format Raw, which has no rules, in its byte order; nil in all
	// other formats.
	Program   filter.Program
	BigEndian bool

	// Absent names the section that a config.json lacks: "linux.seccomp", or "" if it is there. No
	// filter is loaded without it.
	Absent string

	// Off says why a container of a manifest has no filter whatever the rules are, or a unit has none, as
	// DisabledReason does.
	Off string

	MissingBase *Problem // of the operator: the base profile that was not read, and why; nil: none is missing

	Problems []Problem // in file order
}

// Disabled reports whether the profile turns seccomp off: no default action and no rules, as in an
// empty object. Docker and runc then load no filter (moby setupSeccomp, runc specconv
// SetupSeccomp).
func (p *Profile) Disabled() bool {
	return p.DefaultAction == "" && len(p.Rules) == 0 && p.Format != Raw && !p.Unread()
}

// Unread reports whether the rules are not known: a container's profile was not read, or the base of an
// operator's. Nothing resolves or writes such a profile: the error is a LoadError of kind NotRead.
func (p *Profile) Unread() bool {
	return p.Container != nil && p.Container.Unread != "" || p.MissingBase != nil
}

// unreadError is the error for a profile that is Unread.
func (p *Profile) unreadError(t Target) error {
	if p.MissingBase == nil {
		return p.notRead(t)
	}
	return &LoadError{Kind: NotRead, Pos: p.MissingBase.Pos, Path: p.MissingBase.Path, Runtime: t.Runtime, Reason: p.MissingBase.Text}
}

// rulesFormat is the format that the rules are written in.
func (p *Profile) rulesFormat() string {
	if p.Container != nil && p.Container.rules != "" {
		return p.Container.rules
	}
	return p.Format
}

// DisabledReason says what makes a profile Disabled, as the end of a sentence that begins with the
// profile's name; "" if it is not.
func (p *Profile) DisabledReason() string {
	switch {
	case !p.Disabled():
		return ""
	case p.Off != "":
		return p.Off
	case p.Absent != "":
		return "has no " + p.Absent + " section, so seccomp is off"
	}
	return "has neither a default action nor rules, which turns seccomp off"
}

// A Name is a word of the file with its place.
type Name struct {
	Text string
	Pos  Pos
}

// ArchMap is an entry of Docker's archMap: on a host of Arch, the filter covers Arch and Sub.
type ArchMap struct {
	Arch Name
	Sub  []Name
	Pos  Pos
}

// A Rule is one entry of the field syscalls.
type Rule struct {
	Names     []Name
	Action    ActionName
	ActionPos Pos
	ErrnoRet  *uint32    // nil: not given, which means EPERM; only its low 16 bits count
	Errno     *ErrnoWord // the field errno, which Podman and CRI-O read; nil: not given
	Args      []Arg
	Includes  Filter // Docker only: the rule counts only if all of it holds
	Excludes  Filter // Docker only: the rule does not count if any of it holds
	Comment   string
	ABIs      []string // the ABIs it is for, by Name; nil: all. No JSON format can say it
	OldForm   bool     // the one name came in Docker's old field "name", which OCI readers ignore
	Pos       Pos
	Index     int // from 0, in file order

	group int // the entry of syscalls that it is of, where an entry makes several rules
}

// Filter is the includes or excludes of a Docker rule.
type Filter struct {
	Caps      []Name           // "CAP_SYS_ADMIN", compared letter by letter with the bounding set
	Arches    []Name           // Go's names, mostly: see HostWord
	MinKernel *syscalls.Kernel // nil: not given; the zero Kernel ("") is at most any kernel
	Pos       Pos              // zero: the filter is absent
}

// Arg is a condition on one argument of a call.
type Arg struct {
	Index    int    // 0 to 5
	Value    uint64 // the datum; for MaskedEqual the mask
	ValueTwo uint64 // for MaskedEqual the datum; other operators ignore it
	Op       Op
	Pos      Pos
}

// An ErrnoWord is an errno as Podman and CRI-O read it: "ENOSYS", or a number in quotes.
type ErrnoWord struct {
	Text     string // for what is no string its kind: "a number"
	IsString bool   // false: they refuse the file
	Pos      Pos
}

// ActionName is an action as profiles write it.
type ActionName string

// actions gives the value of each action that runc knows (libcontainer/seccomp/config.go), with
// data 0. KILL is KILL_THREAD.
var actions = map[ActionName]filter.Action{
	"SCMP_ACT_KILL":         filter.KillThread,
	"SCMP_ACT_KILL_THREAD":  filter.KillThread,
	"SCMP_ACT_KILL_PROCESS": filter.KillProcess,
	"SCMP_ACT_TRAP":         filter.Trap,
	"SCMP_ACT_ERRNO":        filter.Errno,
	"SCMP_ACT_NOTIFY":       filter.UserNotif,
	"SCMP_ACT_TRACE":        filter.Trace,
	"SCMP_ACT_LOG":          filter.Log,
	"SCMP_ACT_ALLOW":        filter.Allow,
}

// eperm is the data of ERRNO and TRACE where no errno is given (runc libcontainer/seccomp).
const eperm = 1

// CarriesErrno reports whether errnoRet means something for the action.
func (a ActionName) CarriesErrno() bool { return a == "SCMP_ACT_ERRNO" || a == "SCMP_ACT_TRACE" }

// Value returns the action as a filter returns it. A nil errno means EPERM; only the low 16 bits of
// errno count, as in libseccomp. Unknown names, which Parse refuses, give KillThread.
func (a ActionName) Value(errno *uint32) filter.Action {
	switch {
	case !a.CarriesErrno():
		return actions[a]
	case errno == nil:
		return actions[a] | eperm
	}
	return actions[a] | filter.Action(*errno&0xffff)
}

// Op is a comparison as profiles write it. All comparisons are unsigned, on 64 bits, or on the low
// 32 where the ABI's pointers have 32.
type Op string

// The comparisons.
const (
	NotEqual     Op = "SCMP_CMP_NE"
	Less         Op = "SCMP_CMP_LT"
	LessEqual    Op = "SCMP_CMP_LE"
	Equal        Op = "SCMP_CMP_EQ"
	GreaterEqual Op = "SCMP_CMP_GE"
	Greater      Op = "SCMP_CMP_GT"
	MaskedEqual  Op = "SCMP_CMP_MASKED_EQ"

	// BitsSet is go-seccomp-bpf's: at least one bit of the datum is set in the argument.
	BitsSet Op = "BitsSet"
)

// ops lists the comparisons for messages and checks.
var ops = []Op{NotEqual, Less, LessEqual, Equal, GreaterEqual, Greater, MaskedEqual}

// flags lists the filter flags of the runtime specification, and TSYNC, which runc takes and
// ignores.
var flags = []string{
	"SECCOMP_FILTER_FLAG_TSYNC",
	"SECCOMP_FILTER_FLAG_LOG",
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
}
