package report

import "fmt"

// The relations of a new filter to an old one.
const (
	Equal       = "equal"
	Looser      = "looser"  // some calls get a more permissive answer, none a stricter one
	Tighter     = "tighter" // the reverse
	Both        = "both"
	Changed     = "changed" // only what comes with the same action differs, such as the errno
	RelationOff = "unknown" // something was too complex to tell; what was found stands in changes
)

var relations = []string{Equal, Looser, Tighter, Both, Changed, RelationOff}

var directions = []string{Looser, Tighter, Changed}

// Diff is what changed between two profiles or filters.
type Diff struct {
	Version  int      `json:"version"`
	Old      Subject  `json:"old"`
	New      Subject  `json:"new"`
	Arches   []string `json:"arches"` // those that were compared
	Relation string   `json:"relation"`
	Equality bool     `json:"equality,omitempty"` // only sameness was asked for
	Narrows  bool     `json:"narrows,omitempty"`  // new is old with further filters on top: it cannot be looser
	Changes  []Change `json:"changes"`            // by architecture, number, then more permissive first
	Unknown  []Unread `json:"unknown,omitempty"`  // what could not be compared
	Rest     string   `json:"rest,omitempty"`     // what holds for calls of all other architectures, in one line
}

// Subject is one side of a comparison.
type Subject struct {
	Name   string  `json:"name"`             // as the user gave it
	Format string  `json:"format"`           // of the profile or filter; "stack" if there are several
	Target *Target `json:"target,omitempty"` // absent for compiled filters
	Layers []Layer `json:"layers,omitempty"` // of a stack, oldest first
}

// Change is a call, or a range of numbers, that gets another answer than before.
type Change struct {
	Arch      string   `json:"arch"`
	Syscall   string   `json:"syscall"`      // empty if no table names the number
	Nr        int32    `json:"nr"`           // of a range the first
	To        *int32   `json:"to,omitempty"` // of a range the last
	Direction string   `json:"direction"`    // looser, tighter; changed: the same action with other data
	Old       string   `json:"old"`          // the action with its data: ERRNO(1)
	New       string   `json:"new"`
	OldErrno  string   `json:"oldErrno,omitempty"` // the name: EPERM
	NewErrno  string   `json:"newErrno,omitempty"`
	When      string   `json:"when,omitempty"`   // conditions on the arguments; empty: always
	Partly    bool     `json:"partly,omitempty"` // known of the witness alone; of the others see unknown
	Witness   *Witness `json:"witness"`          // a call that gets Old before and New now, as a run of both confirmed
}

// Unread is a range of numbers about which nothing is known.
type Unread struct {
	Arch    string `json:"arch"`
	Syscall string `json:"syscall,omitempty"`
	Nr      int32  `json:"nr"`
	To      *int32 `json:"to,omitempty"`
	When    string `json:"when,omitempty"` // only for these arguments; empty: any
	Reason  string `json:"reason"`
}

func (*Diff) kind() string { return "diff" }

func (d *Diff) check() error {
	if err := oneOf("relation", d.Relation, relations); err != nil {
		return err
	}
	for i, c := range d.Changes {
		if err := oneOf(fmt.Sprintf("changes[%d].direction", i), c.Direction, directions); err != nil {
			return err
		}
		if c.Witness == nil || len(c.Witness.Args) != 6 {
			return fmt.Errorf("changes[%d].witness with six args is needed", i)
		}
	}
	return nil
}
