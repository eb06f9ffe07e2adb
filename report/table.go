package report

import "fmt"

// Table is what a profile answers to every call of every architecture.
type Table struct {
	Version int         `json:"version"`
	Profile *Profile    `json:"profile,omitempty"`
	Target  *Target     `json:"target,omitempty"`
	Arches  []ArchTable `json:"arches"`
}

// ArchTable is the table of one architecture.
type ArchTable struct {
	Arch     string  `json:"arch"`
	Syscalls []Row   `json:"syscalls"` // ascending number
	Others   []Range `json:"others"`   // the numbers that no syscall has, ascending
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

// Range is a range of numbers, both ends in it, as unsigned 32-bit values.
type Range struct {
	From   uint32 `json:"from"`
	To     uint32 `json:"to"`
	Action string `json:"action"`
	Data   uint16 `json:"data"`
	Errno  string `json:"errno,omitempty"`
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
	return nil
}
