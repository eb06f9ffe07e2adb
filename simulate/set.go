package simulate

import (
	"cmp"
	"slices"
)

// A span is the numbers from lo to hi, both included.
type span struct{ lo, hi uint64 }

// A set is a set of numbers: spans in ascending order that neither overlap nor touch. Sets are
// never changed in place. The empty set is nil.
type set []span

const (
	max32 = 1<<32 - 1
	max64 = 1<<64 - 1
)

// single is the set of one number.
func single(v uint64) set { return set{{v, v}} }

// upTo is the set of all numbers from 0 to limit.
func upTo(limit uint64) set { return set{{0, limit}} }

func (s set) contains(v uint64) bool {
	i, found := slices.BinarySearchFunc(s, v, func(sp span, v uint64) int {
		switch {
		case sp.hi < v:
			return -1
		case sp.lo > v:
			return 1
		}
		return 0
	})
	return found && i < len(s)
}

func (s set) equal(t set) bool { return slices.Equal(s, t) }

// isAll reports whether s holds every number up to limit.
func (s set) isAll(limit uint64) bool { return len(s) == 1 && s[0] == span{0, limit} }

func (s set) intersect(t set) set {
	if len(s) == 0 || len(t) == 0 {
		return nil
	}
	r := make(set, 0, len(s)+len(t)-1)
	for i, j := 0, 0; i < len(s) && j < len(t); {
		lo, hi := max(s[i].lo, t[j].lo), min(s[i].hi, t[j].hi)
		if lo <= hi {
			r = append(r, span{lo, hi})
		}
		if s[i].hi < t[j].hi {
			i++
		} else {
			j++
		}
	}
	if len(r) == 0 {
		return nil
	}
	return r
}

func (s set) union(t set) set {
	r := make(set, 0, len(s)+len(t))
	for len(s) > 0 || len(t) > 0 {
		if len(s) == 0 || len(t) > 0 && t[0].lo < s[0].lo {
			s, t = t, s
		}
		if n := len(r); n > 0 && (s[0].lo <= r[n-1].hi || s[0].lo == r[n-1].hi+1) {
			r[n-1].hi = max(r[n-1].hi, s[0].hi)
		} else {
			r = append(r, s[0])
		}
		s = s[1:]
	}
	return r
}

// normal sorts spans and joins those that overlap or touch. It takes its argument over.
func normal(spans set) set {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	r := spans[:0]
	for _, sp := range spans {
		if n := len(r); n > 0 && (sp.lo <= r[n-1].hi || sp.lo == r[n-1].hi+1) {
			r[n-1].hi = max(r[n-1].hi, sp.hi)
			continue
		}
		r = append(r, sp)
	}
	return r
}

// complement is every number up to limit that is not in s.
func (s set) complement(limit uint64) set {
	var r set
	next, done := uint64(0), false
	for _, sp := range s {
		if sp.lo > next {
			r = append(r, span{next, sp.lo - 1})
		}
		if sp.hi == limit {
			done = true
			break
		}
		next = sp.hi + 1
	}
	if !done {
		r = append(r, span{next, limit})
	}
	return r
}
