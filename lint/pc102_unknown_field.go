package lint

import (
	"fmt"
	"strings"

	"github.com/profcheck/profcheck/finding"
	"github.com/profcheck/profcheck/profile"
)

var _ = register(&Check{
	ID: "PC102", Name: "unknown-field", Severity: finding.Error,
	Title: "a key that no runtime reads",
	Why: "The runtimes decode profiles with readers that skip keys they do not know, without a word. A misspelt " +
		"\"syscals\" is a profile without rules, a misspelt \"args\" a rule without conditions.",
	When: "An error if the key is much like one that the format has and the file has not, so that a typing error is " +
		"likely, and in a manifest of Kubernetes, where a profile stands in the wrong place; otherwise a warning.",
	Wrong:  "A key for other tools in the same file; name it comment, $schema, x-something or _something and it is left alone.",
	Remedy: "Correct the key, or remove it.",
	Sources: []string{
		"https://pkg.go.dev/encoding/json#Unmarshal, on keys without a field",
		"https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp",
	},
	TextOnly: true,
	Run: func(p *Pass) {
		for _, problem := range p.Input.Profile.Problems {
			if problem.Kind != profile.UnknownField || forPeople(problem.Name) {
				continue
			}
			f := finding.Finding{
				Severity: finding.Warning,
				Message:  fmt.Sprintf("no runtime reads the key %q", problem.Name),
				Remedy:   "remove the key, or name it x-" + problem.Name,
				Pos:      place(problem.Pos),
			}
			if c := p.Input.Profile.Container; c != nil && problem.Pos.File == c.Pos.File {
				f.Severity, f.Message = finding.Error, problem.Text
				f.Remedy = "give the profile as securityContext.seccompProfile, with type and localhostProfile in it"
				p.Report(f)
				continue
			}
			if problem.Nearest != "" && !p.given(problem.Nearest) {
				f.Severity = finding.Error
				f.Message += fmt.Sprintf(", which is much like %q", problem.Nearest)
				f.Remedy = fmt.Sprintf("write %q", problem.Nearest)
			}
			p.Report(f)
		}
	},
})

// forPeople reports whether a key is by custom not meant for the runtime.
func forPeople(key string) bool {
	return key == "comment" || key == "$schema" || strings.HasPrefix(key, "x-") || strings.HasPrefix(key, "_")
}

// given reports whether the profile has the key itself, so that one much like it is no misspelling.
// Only keys that stand once in a file can be told.
func (p *Pass) given(key string) bool {
	switch key {
	case "defaultAction":
		return p.Input.Profile.DefaultAction != ""
	case "syscalls":
		return len(p.Input.Profile.Rules) > 0
	case "architectures":
		return len(p.Input.Profile.Architectures) > 0
	case "archMap":
		return len(p.Input.Profile.ArchMap) > 0
	}
	return false
}
