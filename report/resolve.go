package report

import "fmt"

// Resolve is what the kernel's tables know about a syscall name, or about a number.
type Resolve struct {
	Version int      `json:"version"`
	Query   string   `json:"query"`
	Numbers []ABINr  `json:"numbers"`           // one for each ABI that has the call
	Missing []string `json:"missing,omitempty"` // ABIs without it
}

// ABINr is a syscall on one ABI.
type ABINr struct {
	Arch   string  `json:"arch"`
	Name   string  `json:"name"`
	Nr     int32   `json:"nr"`
	Kernel string  `json:"kernel,omitempty"`  // the first that has it; empty if unknown
	Gone   string  `json:"removed,omitempty"` // the first that answers ENOSYS again; empty if it has it, or that is unknown
	Params []Param `json:"params,omitempty"`
	Known  bool    `json:"prototype"` // false: the parameters are not known
}

// Param is a parameter of a syscall.
type Param struct {
	Name string `json:"name"`
	Bits int    `json:"bits"` // 0 if unknown
	Kind string `json:"kind"`
}

func (*Resolve) kind() string { return "resolve" }

func (r *Resolve) check() error {
	for i, n := range r.Numbers {
		if n.Arch == "" || n.Name == "" {
			return fmt.Errorf("numbers[%d]: arch and name are needed", i)
		}
	}
	return nil
}
