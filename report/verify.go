package report

import "fmt"

// Verify is what the kernel says to filters: whether it would load them.
type Verify struct {
	Version  int        `json:"version"`
	Verified []Verified `json:"verified"`
}

// Verified is the verdict on one filter.
type Verified struct {
	Name     string   `json:"name"`
	Format   string   `json:"format"`
	Accepted bool     `json:"accepted"`
	Errno    string   `json:"errno,omitempty"`    // what seccomp(2) returns if not
	Reason   string   `json:"reason,omitempty"`   // why not
	Insn     *int     `json:"insn,omitempty"`     // the instruction to blame, from 0
	Function string   `json:"function,omitempty"` // of the kernel, that refuses
	Target   *Target  `json:"target,omitempty"`   // of a profile
	Sizes    []Size   `json:"sizes,omitempty"`    // of an accepted profile one for each byte order
	Notes    []string `json:"notes,omitempty"`    // what else to know
}

func (*Verify) kind() string { return "verify" }

func (v *Verify) check() error {
	for i, f := range v.Verified {
		if !f.Accepted && f.Errno == "" {
			return fmt.Errorf("verified[%d]: errno is needed for what is not accepted", i)
		}
	}
	return nil
}

// Listing is a compiled filter.
type Listing struct {
	Version int    `json:"version"`
	Name    string `json:"name"`
	Format  string `json:"format"`
	Size    Size   `json:"size"`
	Filter  string `json:"filter"`  // the instructions, 8 bytes each in the filter's byte order, as hex digits
	Listing string `json:"listing"` // the text that asm reads
}

func (*Listing) kind() string { return "filter" }

func (*Listing) check() error { return nil }

// Vectors is what a filter answers to a table of expectations.
type Vectors struct {
	Version    int        `json:"version"`
	Profile    Profile    `json:"profile"`
	Target     *Target    `json:"target,omitempty"`
	Table      string     `json:"table"` // the file with the rows
	Passed     int        `json:"passed"`
	Failed     int        `json:"failed"`
	Mismatches []Mismatch `json:"mismatches"` // in the order of the rows
}

// Mismatch is a row whose call gets another answer.
type Mismatch struct {
	Line    int    `json:"line"` // from 1
	Arch    string `json:"arch"`
	Syscall string `json:"syscall"` // empty if the row names none
	Nr      int32  `json:"nr"`
	Args    []Hex  `json:"args"` // six
	Want    string `json:"want"`
	Got     string `json:"got"`
	Reason  string `json:"reason,omitempty"` // what decided
}

func (*Vectors) kind() string { return "vectors" }

func (v *Vectors) check() error {
	for i, m := range v.Mismatches {
		if len(m.Args) != 6 {
			return fmt.Errorf("mismatches[%d].args: %d values, want 6", i, len(m.Args))
		}
	}
	return nil
}
