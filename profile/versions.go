package profile

import (
	"fmt"
	"slices"
)

// A Change is what a release of a runtime does otherwise than those before it. Target.Version picks the
// release; without one it is the newest known.
type Change struct {
	Runtime string   // runc or crun
	Since   []string // the first release, of each line of releases that got it
	What    string   // one sentence, without an end
	Origin  string
}

// Changes lists what is known to have changed, by runtime.
func Changes() []Change {
	const stub = "CHANGELOG of runc, #4219 and #4391"
	list := []Change{
		{RuntimeRunc, words(flagsFrom), "adds SPEC_ALLOW where the profile has no field flags", "CHANGELOG of runc 1.2.0-rc.1, #3588"},
		{RuntimeRunc, words(stubBackport, stubFrom), "gives ENOSYS above the largest named number on the host's architecture, too, where the profile does not list it", stub},
		{RuntimeCrun, words(crunAllArgs), "looks at all conditions of a rule, not at the first six", "crun #2220"},
	}
	list = append(list, startChanges(RuntimeRunc, startRows, startOrigin)...)
	return append(list, startChanges(RuntimeCrun, crunStartRows, crunStartOrigin)...)
}

func words(list ...version) (out []string) {
	for _, v := range list {
		out = append(out, fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]))
	}
	return out
}

// startChanges lists the calls that came to the start of a container, or went.
func startChanges(runtime string, rows []startRow, origin string) (list []Change) {
	for i, row := range rows {
		when := ""
		others := func(is func(startRow) bool) bool {
			return slices.ContainsFunc(rows, func(r startRow) bool { return r.name == row.name && is(r) })
		}
		switch {
		case row.late == "":
			when = " without noNewPrivileges"
		case others(func(r startRow) bool { return r.late == "" && len(r.since) == 0 }):
			when = " with noNewPrivileges, too,"
		}
		if len(row.since) > 0 {
			list = append(list, Change{runtime, words(row.since...), "calls " + row.name + when + " after it has loaded the filter: " + row.why, origin})
		}
		if row.until == (version{}) {
			continue
		}
		again := slices.ContainsFunc(rows[i+1:], func(r startRow) bool { return r.name == row.name })
		what := "does not call " + row.name + " any more after it has loaded the filter"
		if again && row.instead == nil {
			what = "calls " + row.name + " after it has loaded the filter only without noNewPrivileges"
		}
		if row.instead != nil {
			what = fmt.Sprintf("has another fallback than %v for %s after it has loaded the filter", row.instead, row.name)
		}
		list = append(list, Change{runtime, words(row.until), what, origin})
	}
	return list
}

// CheckVersion reports why a word is no release of a runtime, as Target.Version takes it; nil if it is.
func CheckVersion(word string) error {
	_, err := parseVersion(word)
	return err
}
