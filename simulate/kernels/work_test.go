package kernels

import (
	"encoding/binary"
	"fmt"

	"github.com/profcheck/profcheck/filter"
)

// Kinds of groups, as guest knows them.
const (
	underFilters = 1
	verdicts     = 2
	strictMode   = 3
)

// A group is one piece of work of a guest. Its answers stand one behind the other: a program's, a
// call's, and the architecture that the last SIGSYS told.
type group struct {
	Kind     uint32
	What     string // for messages
	Programs filterStack
	Flags    uint32 // of attaching each program
	Calls    []filter.Data
	slot     int // of its first answer
}

type filterStack []filter.Program // oldest first

func (g *group) answers() int { return len(g.Programs) + len(g.Calls) + 1 }

// encode writes the groups as guest reads them, and sets their slots.
func encode(groups []group, order binary.ByteOrder) (work []byte, slots int) {
	le := binary.LittleEndian
	for i := range groups {
		groups[i].slot = slots
		slots += groups[i].answers()
	}
	b := le.AppendUint32(nil, uint32(slots))
	b = le.AppendUint32(b, uint32(len(groups)))
	for _, g := range groups {
		start := len(b)
		b = append(b, 0, 0, 0, 0) // how many bytes follow
		for _, v := range []int{int(g.Kind), g.slot, len(g.Programs), len(g.Calls)} {
			b = le.AppendUint32(b, uint32(v))
		}
		for _, p := range g.Programs {
			b = le.AppendUint32(b, g.Flags)
			b = le.AppendUint32(b, uint32(len(p)))
			b = append(b, p.Encode(order)...)
		}
		for _, d := range g.Calls {
			b = le.AppendUint64(b, uint64(d.Nr))
			for _, v := range d.Args {
				b = le.AppendUint64(b, v)
			}
		}
		le.PutUint32(b[start:], uint32(len(b)-start-4))
	}
	return b, slots
}

// An outcome is what became of a call or a program: a kind in the upper 8 bits and a value in the
// lower 24.
type outcome uint32

const (
	returned    outcome = 0 << 24 // errno, 0 for a success
	diedThread  outcome = 1 << 24
	diedProcess outcome = 2 << 24 // signal
	trapped     outcome = 3 << 24 // si_errno, and trappedNr
	exited      outcome = 4 << 24 // status
	trappedNr   outcome = 1 << 16 // si_syscall was the number called
	none        outcome = 0xffffffff
)

func (o outcome) kind() outcome { return o &^ 0xffffff }

func (o outcome) String() string {
	v := uint32(o & 0xffff)
	switch o.kind() {
	case returned:
		return fmt.Sprintf("errno %d", v)
	case diedThread:
		return "the thread died"
	case diedProcess:
		return fmt.Sprintf("the process died of signal %d", v)
	case trapped:
		return fmt.Sprintf("SIGSYS with si_errno %d (number told: %v)", v, o&trappedNr != 0)
	case exited:
		return fmt.Sprintf("exit status %d", v)
	}
	return fmt.Sprintf("nothing valid (%#x)", uint32(o))
}

// decode reads a guest's answers, which are numbers in its byte order.
func decode(b []byte, order binary.ByteOrder) []outcome {
	list := make([]outcome, len(b)/4)
	for i := range list {
		list[i] = outcome(order.Uint32(b[4*i:]))
	}
	return list
}
