package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// filterWords reads one SystemCallFilter=. The first decides whether the list allows or denies; one of the
// other sort takes calls out of it again. Nothing resets it.
func (u *unit) filterWords(value string, at func(int) Pos) {
	if value == "" {
		u.list, u.words = false, nil
		clear(u.owner)
		return
	}
	rest, deny := strings.CutPrefix(value, "~")
	skip := len(value) - len(rest)
	if !u.list {
		u.list, u.allow = true, !deny
		if u.allow {
			u.put(unitWord{pos: at(0), names: unitNames("@default"), errno: noErrno}, false)
		}
	}
	unitWords(rest, func(word string, i int) { u.filterWord(word, deny, at(skip+i)) })
}

// filterWord reads a call or group, with an errno behind a colon in a denylist.
func (u *unit) filterWord(word string, deny bool, pos Pos) {
	name, number, given := strings.Cut(word, ":")
	w := unitWord{pos: pos, errno: noErrno}
	if given {
		n, ok := unitErrno(number)
		if number == "kill" {
			n, ok = killErrno, true
		}
		switch {
		case !ok || name == "":
			u.problemAt(pos, IgnoredField, "SystemCallFilter", "no call with an errno: "+strconv.Quote(clip(word))+": ignored")
			return
		case !deny:
			u.problemAt(pos, IgnoredField, "SystemCallFilter", "an errno in a list of allowed calls: "+strconv.Quote(clip(word))+": ignored")
			return
		}
		w.errno = n
	}
	if w.names = unitNames(name); w.names == nil {
		kind, near := UnknownSyscall, u.lookup(name).nearest
		text := fmt.Sprintf("unknown syscall %q: ignored", clip(name))
		if strings.HasPrefix(name, "@") {
			kind, near = IgnoredField, ""
			text = fmt.Sprintf("unknown group %q: ignored", clip(name))
		}
		if len(u.p.Problems) >= maxProblems {
			u.dropped++
			return
		}
		u.p.Problems = append(u.p.Problems, Problem{Pos: pos, Kind: kind, Name: name, Nearest: near, Text: text})
		return
	}
	u.put(w, deny)
}

// put adds the calls of a word to the list, or takes them out.
func (u *unit) put(w unitWord, deny bool) {
	if deny == u.allow && w.errno == noErrno {
		for _, n := range w.names {
			delete(u.owner, n)
		}
		return
	}
	for _, n := range w.names {
		u.owner[n] = len(u.words)
	}
	u.words = append(u.words, w)
}

// unitNames gives the calls of a word, those of a group with all groups in it; nil if there is no such word.
func unitNames(word string) (names []string) {
	if !strings.HasPrefix(word, "@") {
		if syscalls.Known(word) {
			names = []string{word}
		}
		return names
	}
	for _, member := range systemdGroups[word] {
		if !strings.HasPrefix(member, "@") {
			names = append(names, member)
		} else if member != word {
			names = append(names, unitNames(member)...)
		}
	}
	return names
}

// rules turns what was read into rules: one for each word that put calls into the list.
func (u *unit) rules() {
	for name, pos := range u.others {
		what := "it can only deny more"
		if name == "SystemCallLog" {
			what = "it can only log more"
		}
		u.problemAt(pos, OtherFilter, name, name+"= adds a filter of its own, which is not modelled: "+what)
	}
	if !u.list && u.p.Architectures == nil {
		u.p.Off = "has no SystemCallFilter=, so no list of calls is enforced"
		return
	}
	negative, errno := u.action(u.errno)
	u.p.DefaultAction, u.p.DefaultActionPos = "SCMP_ACT_ALLOW", u.p.Pos
	if u.allow && u.list {
		u.p.DefaultAction, u.p.DefaultErrnoRet = negative, errno
	}
	for i, w := range u.words {
		r := Rule{Pos: w.pos, ActionPos: w.pos, Action: "SCMP_ACT_ALLOW", Index: len(u.p.Rules)}
		switch {
		case w.errno != noErrno:
			r.Action, r.ErrnoRet = u.action(w.errno)
		case !u.allow:
			r.Action, r.ErrnoRet = negative, errno
		}
		seen := map[string]bool{}
		for _, n := range w.names {
			if u.owner[n] == i && !seen[n] {
				if _, in := u.owner[n]; in {
					seen[n] = true
					r.Names = append(r.Names, Name{n, w.pos})
				}
			}
		}
		if len(r.Names) > 0 {
			u.p.Rules = append(u.p.Rules, r)
		}
	}
	slices.SortStableFunc(u.p.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.Name, b.Name))
	})
}

// action is what a denied call gets.
func (u *unit) action(errno int) (ActionName, *uint32) {
	if errno == killErrno {
		return "SCMP_ACT_KILL_PROCESS", nil
	}
	n := uint32(errno)
	return "SCMP_ACT_ERRNO", &n
}
