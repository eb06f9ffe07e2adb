package report

import "fmt"

// Table is what a profile or filter answers to every call of every architecture.
type Table struct {
	Version     int          `json:"version"`
	Profile     *Profile     `json:"profile,omitempty"`
	Target      *Target      `json:"target,omitempty"`
	Layers      []Layer      `json:"layers,omitempty"`  // of a stack, oldest first
	Filters     []Size       `json:"filters,omitempty"` // the filters that answer
	Arches      []ArchTable  `json:"arches"`
	Compared    []Column     `json:"compared,omitempty"`    // what the differences are between: architectures, or targets of which Target is the first
	Differences []Difference `json:"differences,omitempty"` // absent if nothing is compared, or nothing differs
}

// ArchTable is the table of one architecture.
type ArchTable struct {
	Arch     string  `json:"arch"`
	Untested bool    `json:"untested,omitempty"` // the filter does not know the architecture
	Cached   int     `json:"cached,omitempty"`   // syscalls for which the kernel does not run the filter, as it would allow them without a look at arguments
	Syscalls []Row   `json:"syscalls"`           // ascending number
	Others   []Range `json:"others"`             // the numbers that no syscall has, ascending
}

// Row is what a profile answers to one syscall.
type Row struct {
	Name    string   `json:"name"`
	Nr      int32    `json:"nr"`
	Regions []Region `json:"regions"`
}

// Region is a set of argument values with one answer.
type Region struct {
	When   string `json:"when,omitempty"` // empty: always
	Action string `json:"action"`
	Data   uint16 `json:"data"` // the action's low 16 bits
	Errno  string `json:"errno,omitempty"`
}

// Range is a range of numbers, both ends in it, as unsigned 32-bit values. One with conditions is
// there several times.
type Range struct {
	From   uint32 `json:"from"`
	To     uint32 `json:"to"`
	When   string `json:"when,omitempty"` // empty: always
	Action string `json:"action"`
	Data   uint16 `json:"data"`
	Errno  string `json:"errno,omitempty"`
}

// Column is one of the things that are compared.
type Column struct {
	Name   string  `json:"name"`             // an architecture, or a runtime
	Target *Target `json:"target,omitempty"` // where targets are compared
}

// Difference is a call, or a range of numbers without a name, that is not answered alike.
type Difference struct {
	Arch    string   `json:"arch,omitempty"` // empty where architectures are compared
	Name    string   `json:"name"`           // empty for a range of numbers
	Nr      int32    `json:"nr"`             // of the first answer; for a range its start
	To      *int32   `json:"to,omitempty"`   // for a range its end
	Answers []Answer `json:"answers"`        // in the order of the columns
}

// Answer is what one of the compared things does with a call.
type Answer struct {
	Column  string   `json:"column"`
	Nr      int32    `json:"nr"`
	Regions []Region `json:"regions"`
}

// Layer is one filter of a stack.
type Layer struct {
	Name   string `json:"name"`
	Format string `json:"format"`
}

// Size is how large a filter is, in the file and in the kernel.
type Size struct {
	Filter       string   `json:"filter,omitempty"` // the layer; empty if there is one only
	Order        string   `json:"order"`            // byte order: little or big
	Arches       []string `json:"arches"`           // the architectures that it tells apart
	Instructions int      `json:"instructions"`
	KernelLength int      `json:"kernelLength"` // instructions after the kernel's translation, which it counts
	LongestPath  int      `json:"longestPath"`  // most instructions that one call can run
	Copies       int      `json:"copies"`       // equal filters that one thread can have
}

func (*Table) kind() string { return "table" }

func (t *Table) check() error {
	for i, a := range t.Arches {
		if a.Arch == "" {
			return fmt.Errorf("arches[%d].arch is needed", i)
		}
		for j, s := range a.Syscalls {
			if len(s.Regions) == 0 {
				return fmt.Errorf("arches[%d].syscalls[%d].regions is empty", i, j)
			}
		}
	}
	for i, d := range t.Differences {
		if len(d.Answers) != len(t.Compared) {
			return fmt.Errorf("differences[%d].answers: %d, want %d", i, len(d.Answers), len(t.Compared))
		}
		for j, a := range d.Answers {
			if len(a.Regions) == 0 {
				return fmt.Errorf("differences[%d].answers[%d].regions is empty", i, j)
			}
		}
	}
	return nil
}

// Unknown reports whether some answer could not be told.
func (t *Table) Unknown() bool {
	for _, a := range t.Arches {
		for _, o := range a.Others {
			if o.Action == unknownAction {
				return true
			}
		}
		for _, s := range a.Syscalls {
			for _, r := range s.Regions {
				if r.Action == unknownAction {
					return true
				}
			}
		}
	}
	return false
}
