package report

import "fmt"

// Simulate is what a profile or filter answers to one call.
type Simulate struct {
	Version  int            `json:"version"`
	Profile  *Profile       `json:"profile,omitempty"`
	Target   *Target        `json:"target,omitempty"`
	Arch     string         `json:"arch"`
	Nr       int32          `json:"nr"`
	Syscall  string         `json:"syscall"`      // empty if no table names the number
	Args     []Hex          `json:"args"`         // six
	IP       Hex            `json:"ip,omitempty"` // the instruction pointer; absent: 0
	Action   string         `json:"action"`       // without its data
	Data     uint16         `json:"data"`         // the action's low 16 bits
	Errno    string         `json:"errno,omitempty"`
	Reason   string         `json:"reason,omitempty"` // what decided, in one line
	Rule     *Rule          `json:"rule,omitempty"`   // nil: no rule of the profile decided
	Effect   string         `json:"effect,omitempty"` // what the kernel makes of the action
	Exempt   string         `json:"exempt,omitempty"` // why the kernel does not ask the filter at all
	Trace    []Step         `json:"trace"`            // the instructions that ran; of a stack in the filter that decided
	Length   int            `json:"length,omitempty"` // instructions in the whole filter
	Filters  []Ran          `json:"filters,omitempty"`
	Compared []TargetAnswer `json:"compared,omitempty"` // with several targets what each of them answers
}

// Ran is what one filter of a stack returned.
type Ran struct {
	Name    string `json:"name"`
	Format  string `json:"format"`
	Action  string `json:"action"`
	Data    uint16 `json:"data"`
	Errno   string `json:"errno,omitempty"`
	Decides bool   `json:"decides,omitempty"` // its answer is the stack's
	Trace   []Step `json:"trace"`
	Length  int    `json:"length"`
}

// TargetAnswer is what one target answers to the call.
type TargetAnswer struct {
	Target Target `json:"target"`
	Action string `json:"action"`
	Data   uint16 `json:"data"`
	Errno  string `json:"errno,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Rule is the rule of a profile that decides a call.
type Rule struct {
	Index    int       `json:"index"` // in the profile's list, from 0
	Action   string    `json:"action"`
	When     string    `json:"when,omitempty"` // conditions on the arguments
	Position *Position `json:"position,omitempty"`
}

// Step is one instruction of a filter that ran.
type Step struct {
	PC   int    `json:"pc"`
	Insn string `json:"insn"` // "jeq 0x3b, 4, 0"
	A    uint32 `json:"a"`    // the registers after it
	X    uint32 `json:"x"`
	Note string `json:"note,omitempty"` // what it read or where it went
}

func (*Simulate) kind() string { return "simulate" }

var actions = []string{
	"ALLOW", "LOG", "TRACE", "USER_NOTIF", "ERRNO", "TRAP", "KILL_THREAD", "KILL_PROCESS",
}

func (s *Simulate) check() error {
	if s.Arch == "" {
		return fmt.Errorf("arch is needed")
	}
	if len(s.Args) != 6 {
		return fmt.Errorf("args: %d values, want 6", len(s.Args))
	}
	return oneOf("action", s.Action, actions)
}
