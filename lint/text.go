package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/lint/internal/catalog"
)

// count renders a number with its noun: "1 further case", "3 further cases".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list joins words as a sentence does, at most limit of them: "a, b and c", "a, b and 7 more".
func list(words []string, limit int) string {
	if len(words) > limit {
		words = append(slices.Clone(words[:limit]), fmt.Sprintf("%d more", len(words)-limit))
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// are returns the verb for n subjects.
func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// answered renders an action with the name of its errno: "ERRNO(1) EPERM".
func answered(a filter.Action) string {
	if name := filter.ErrnoName(a.Errno()); name != "" && a.Base() == filter.Errno {
		return a.String() + " " + name
	}
	return a.String()
}

// byDanger sorts names of calls, the riskiest first.
func byDanger(names []string) { slices.SortStableFunc(names, catalog.Compare) }

// nearest returns the one of words with the longest start in common with word, the first of equals.
func nearest(word string, words []string) string {
	best, most := "", -1
	for _, w := range words {
		n := 0
		for n < len(w) && n < len(word) && w[n] == word[n] {
			n++
		}
		if n > most {
			best, most = w, n
		}
	}
	return best
}
