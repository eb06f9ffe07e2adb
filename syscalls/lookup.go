package syscalls

import (
	"fmt"
	"strings"
)

// UnknownArchError is what Lookup returns for a word that names no architecture.
type UnknownArchError struct {
	Word    string
	Nearest string // a word that Lookup takes; "" if none is near
}

func (e *UnknownArchError) Error() string {
	if e.Nearest == "" {
		return fmt.Sprintf("unknown architecture %q", e.Word)
	}
	return fmt.Sprintf("unknown architecture %q: did you mean %s?", e.Word, e.Nearest)
}

// Lookup returns the architecture that a word names: a Name, a GOARCH, an OCI name or a common
// alias such as "i386", "arm64" or "ppc64el", in any case. The error is an *UnknownArchError.
func Lookup(word string) (*Arch, error) {
	var all []string
	for _, a := range arches {
		for _, w := range a.words() {
			if strings.EqualFold(w, word) {
				return a, nil
			}
			all = append(all, w)
		}
	}
	return nil, &UnknownArchError{Word: word, Nearest: NearestOf(word, all)}
}

// words lists what Lookup takes for the architecture.
func (a *Arch) words() []string {
	words := append([]string{a.Name, a.OCI}, a.aliases...)
	if a.GOARCH != "" {
		words = append(words, a.GOARCH)
	}
	return words
}
