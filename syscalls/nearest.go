package syscalls

import "strings"

// longest bounds the words that NearestOf compares: no name is longer, and a hostile one costs
// nothing.
const longest = 64

// Nearest returns the syscall name that is most like name, "" if none is near. It is meant for
// messages about names that are not Known.
func Nearest(name string) string {
	return NearestOf(name, names[:])
}

// NearestOf returns the one of words that is most like word, "" if none is near. Near is an edit
// distance (insert, delete, replace, swap neighbours) of at most a third of the longer word; a word
// that is the other one with a short prefix or suffix is near, too: "newuname" and "uname". Case does
// not count. Of equally near words the first wins.
func NearestOf(word string, words []string) string {
	if word == "" || len(word) > longest {
		return ""
	}
	word = strings.ToLower(word)
	best, least := "", 0
	for _, candidate := range words {
		if candidate == "" || len(candidate) > longest {
			continue
		}
		d := distance(word, strings.ToLower(candidate))
		if d <= limit(word, candidate) && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	return best
}

// limit is the greatest distance at which two words are near. Words of up to two letters are only
// near themselves.
func limit(a, b string) int { return max(len(a), len(b)) / 3 }

// distance is the edit distance of two words with swaps of neighbours ("optimal string alignment"),
// except that a prefix or suffix of two to four letters counts as two edits.
func distance(a, b string) int {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(b) >= 4 && len(a)-len(b) <= 4 && (strings.HasPrefix(a, b) || strings.HasSuffix(a, b)) {
		return min(2, len(a)-len(b))
	}
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
