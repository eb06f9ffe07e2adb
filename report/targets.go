package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Targets is what profcheck knows about those who enforce profiles.
type Targets struct {
	Version  int             `json:"version"`
	Targets  []TargetInfo    `json:"targets"`
	Defaults []DefaultTarget `json:"defaults"` // by format
	Features []Feature       `json:"features"`
	Changes  []RuntimeChange `json:"changes"`
}

// TargetInfo is a target.
type TargetInfo struct {
	Name   string `json:"name"`
	Title  string `json:"title"`           // who reads the file and who makes the filter
	Loads  string `json:"loads,omitempty"` // the runtime that makes the filter, where it is another
	Origin string `json:"origin"`          // how it is known what it does
}

// DefaultTarget is who a format is written for.
type DefaultTarget struct {
	Format string `json:"format"`
	Title  string `json:"title"`
	Target string `json:"target"`
}

// Feature is a field of profiles, or a way to use one, with what becomes of it.
type Feature struct {
	Name  string        `json:"name"`
	Title string        `json:"title"`
	By    string        `json:"by"`    // who decides: the reader of the file, or the runtime that makes the filter
	Cells []FeatureCell `json:"cells"` // one for each target
}

// FeatureCell is what a target does with a feature.
type FeatureCell struct {
	Target   string `json:"target"`
	Handling string `json:"handling"`
	Effect   string `json:"effect,omitempty"`
	By       string `json:"by,omitempty"` // the runtime that does it, where that is not the target itself
	Origin   string `json:"origin"`
}

// RuntimeChange is what releases of a runtime do otherwise than those before them.
type RuntimeChange struct {
	Runtime string   `json:"runtime"`
	Since   []string `json:"since"` // the first release, of each line of releases
	What    string   `json:"what"`
	Origin  string   `json:"origin"`
}

// handlings are the words of FeatureCell.Handling.
var handlings = []string{"read", "ignored", "refused", "special", "unknown"}

// deciders are the words of Feature.By.
var deciders = []string{"reader", "runtime"}

func (*Targets) kind() string { return "targets" }

func (t *Targets) check() error {
	for i, f := range t.Features {
		at := fmt.Sprintf("features[%d]", i)
		if err := oneOf(at+".by", f.By, deciders); err != nil {
			return err
		}
		for j, c := range f.Cells {
			if err := oneOf(fmt.Sprintf("%s.cells[%d].handling", at, j), c.Handling, handlings); err != nil {
				return err
			}
		}
	}
	return nil
}

// runtime names a target's runtime, with its release if that was given.
func (t *Target) runtime() string {
	if t.Release == "" || strings.HasPrefix(t.Release, t.Runtime+" ") {
		return cmp.Or(t.Release, t.Runtime)
	}
	return t.Runtime + " with " + t.Release
}
