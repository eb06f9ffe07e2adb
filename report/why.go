package report

import "fmt"

// Why is the proof that a binary can make a syscall, or the answer that none was found.
type Why struct {
	Version  int      `json:"version"`
	Binary   string   `json:"binary"`
	Arch     string   `json:"arch"`
	Complete bool     `json:"complete"` // false: a syscall that was not found may exist all the same
	Missing  []string `json:"missing,omitempty"`
	Gaps     []Gap    `json:"gaps,omitempty"` // if it is not needed: code of the process that was not read and can make the call
	Why      Asked    `json:"why"`
	Needed   bool     `json:"needed"`
	Need     *Need    `json:"need,omitempty"`
	Sites    []Site   `json:"sites,omitempty"` // best proof first
}

// Asked is the syscall of the question.
type Asked struct {
	Name string `json:"name"`
	Nr   int32  `json:"nr"`
}

// Site is one place that makes the call.
type Site struct {
	Address   Hex     `json:"address"`
	Class     string  `json:"class"`
	Condition string  `json:"condition,omitempty"`
	Args      []Arg   `json:"args,omitempty"`
	Path      []Frame `json:"path"`
}

func (*Why) kind() string { return "why" }

func (w *Why) check() error {
	if w.Binary == "" || w.Arch == "" {
		return fmt.Errorf("binary and arch are needed")
	}
	if w.Needed != (w.Need != nil) {
		return fmt.Errorf("needed and need contradict each other")
	}
	if w.Need != nil {
		if err := oneOf("need.class", w.Need.Class, classes); err != nil {
			return err
		}
	}
	for i, g := range w.Gaps {
		if err := oneOf(fmt.Sprintf("gaps[%d].kind", i), g.Kind, gapKinds); err != nil {
			return err
		}
	}
	for i, s := range w.Sites {
		if err := oneOf(fmt.Sprintf("sites[%d].class", i), s.Class, classes); err != nil {
			return err
		}
	}
	return nil
}
