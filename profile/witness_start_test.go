//go:build linux

package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// saysStart is what profcheck says of a section: whether a container starts under it, and why not.
// A call counts as lint's PC603 counts it.
func saysStart(t *testing.T, section string, target Target) (bool, string) {
	t.Helper()
	p, err := ParseAs("p.json", []byte(section), OCI)
	var parse *ParseError
	switch {
	case errors.As(err, &parse):
		return false, "ParseError: " + err.Error()
	case err != nil:
		t.Fatal(err)
	}
	r, err := p.Resolve(target)
	var load *LoadError
	switch {
	case errors.As(err, &load):
		return false, fmt.Sprintf("LoadError %s: %v", load.Kind, err)
	case err != nil:
		t.Fatal(err)
	case r.Disabled:
		return true, "off"
	}
	effect := func(c StartCall, name string) StartEffect {
		nr, ok := c.ABI.Number(name)
		if !ok {
			t.Fatalf("%s: no number", name)
		}
		return c.Effect(r.Meaning(c.ABI, nr, [6]uint64{}))
	}
	for _, c := range StartCalls(target) {
		if slices.Contains([]string{"read", "pselect6"}, c.Name) && target.Maker() == RuntimeCrun {
			continue // of a container that is made first and started later
		}
		if effect(c, c.Name) == NoStart {
			return false, "PC603: " + c.Name
		}
	}
	return true, "fine"
}

// startTable are profiles of every kind that a runtime takes or refuses. %s stands for a rule that
// allows all that the runtime and the program need.
var startTable = map[string]string{
	"complete":                       `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s]}`,
	"complete, killing":              `{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[%s]}`,
	"empty object":                   `{}`,
	"no default":                     `{"syscalls":[%s]}`,
	"nothing allowed":                `{"defaultAction":"SCMP_ACT_ERRNO"}`,
	"everything allowed":             `{"defaultAction":"SCMP_ACT_ALLOW"}`,
	"same condition, other action":   `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},{"names":["acct"],"action":"SCMP_ACT_TRAP","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
	"less of a condition":            `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":1,"value":1,"op":"SCMP_CMP_EQ"}]},{"names":["acct"],"action":"SCMP_ACT_TRAP","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
	"two actions without conditions": `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW"},{"names":["acct"],"action":"SCMP_ACT_TRAP"}]}`,
	"unknown default action":         `{"defaultAction":"SCMP_ACT_NONE","syscalls":[%s]}`,
	"unknown action":                 `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_MAYBE"}]}`,
	"action in small letters":        `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"scmp_act_allow"}]}`,
	"unknown operator":               `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_LIKE"}]}]}`,
	"no operator":                    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1}]}]}`,
	"index 6":                        `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
	"index -1":                       `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":-1,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
	"seven conditions":               `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[` + strings.Repeat(`{"index":0,"value":1,"op":"SCMP_CMP_EQ"},`, 6) + `{"index":1,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
	"other architecture":             `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_AARCH64"],"syscalls":[%s]}`,
	"other byte order":               `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_MIPS"],"syscalls":[%s]}`,
	"native architecture":            `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_NATIVE"],"syscalls":[%s]}`,
	"unknown architecture":           `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_VAX"],"syscalls":[%s]}`,
	"architecture without prefix":    `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["x86_64"],"syscalls":[%s]}`,
	"no names":                       `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"action":"SCMP_ACT_ALLOW"}]}`,
	"empty names":                    `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":[],"action":"SCMP_ACT_ALLOW"}]}`,
	"empty name":                     `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":[""],"action":"SCMP_ACT_ALLOW"}]}`,
	"unknown name":                   `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["nosuchcall"],"action":"SCMP_ACT_ALLOW"}]}`,
	"errno for ALLOW":                `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","errnoRet":3}]}`,
	"errno for a default of ALLOW":   `{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":3}`,
	"errno 4094":                     `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ERRNO","errnoRet":4094}]}`,
	"errno 4095":                     `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ERRNO","errnoRet":4095}]}`,
	"default errno 5000":             `{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":5000,"syscalls":[%s]}`,
	"errno -1":                       `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ERRNO","errnoRet":-1}]}`,
	"notify without listener":        `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_NOTIFY"}]}`,
	"notify as default":              `{"defaultAction":"SCMP_ACT_NOTIFY","syscalls":[%s]}`,
	"listenerMetadata without path":  `{"defaultAction":"SCMP_ACT_ERRNO","listenerMetadata":"x","syscalls":[%s]}`,
	"unknown flag":                   `{"defaultAction":"SCMP_ACT_ERRNO","flags":["SECCOMP_FILTER_FLAG_NONE"],"syscalls":[%s]}`,
	"flag LOG":                       `{"defaultAction":"SCMP_ACT_ERRNO","flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[%s]}`,
	"flag TSYNC":                     `{"defaultAction":"SCMP_ACT_ERRNO","flags":["SECCOMP_FILTER_FLAG_TSYNC"],"syscalls":[%s]}`,
	"flag WAIT_KILLABLE_RECV":        `{"defaultAction":"SCMP_ACT_ERRNO","flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],"syscalls":[%s]}`,
	"no flags":                       `{"defaultAction":"SCMP_ACT_ERRNO","flags":[],"syscalls":[%s]}`,
	"unknown field":                  `{"defaultAction":"SCMP_ACT_ERRNO","colour":1,"syscalls":[%s]}`,
	"value as a word":                `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":"1","op":"SCMP_CMP_EQ"}]}]}`,
	"names as a word":                `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":"acct","action":"SCMP_ACT_ALLOW"}]}`,
	"rules as an object":             `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":{}}`,
	"ordered":                        `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[%s,{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":5,"op":"SCMP_CMP_GT"}]},{"names":["acct"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}`,
}

// tolerant lists what a runtime takes and our readers, which are those of no runtime, refuse: crun
// reads a number in quotes, an architecture without SCMP_ARCH_, and skips a call without a name.
var tolerant = map[string][]string{RuntimeCrun: {"value as a word", "architecture without prefix", "empty name"}}

// unnoticed lists what a runtime refuses and we do not: crun wants the field names in every rule.
var unnoticed = map[string][]string{RuntimeCrun: {"no names"}}

// startSections fills in the table and adds a profile for each call that the start needs, without it.
func startSections(t *testing.T, target Target) map[string]string {
	t.Helper()
	allow := func(names []string) string {
		text, err := json.Marshal(map[string]any{"names": names, "action": "SCMP_ACT_ALLOW"})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	all := slices.Clone(ours)
	for _, c := range StartCalls(target) {
		all = append(append(all, c.Name), c.Fallback...)
	}
	sections := map[string]string{}
	for name, text := range startTable {
		sections[name] = strings.ReplaceAll(text, "%s", allow(all))
	}
	for _, c := range StartCalls(target) {
		if c.Need == StartRequired {
			rest := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == c.Name })
			sections["without "+c.Name] = `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[` + allow(rest) + `]}`
		}
	}
	return sections
}

// testStarts holds what profcheck says against what a runtime does, for every profile of the table.
func testStarts(t *testing.T, target Target, starts func(section any, tries int) (bool, string)) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		absent(t, "the table is for an amd64 host")
	}
	yes, no := 0, 0
	for name, text := range startSections(t, target) {
		says, why := saysStart(t, text, target)
		tries := 1
		if says {
			tries = 4
		}
		does, out := starts(json.RawMessage(text), tries)
		if slices.Contains(tolerant[target.Runtime], name) {
			if says || !does {
				t.Errorf("%s: profcheck says that it starts: %v (%s), %s: %v (%.300s), want no and yes", name, says, why, target.Runtime, does, out)
			}
			continue
		}
		if slices.Contains(unnoticed[target.Runtime], name) {
			if !says || does {
				t.Errorf("%s: profcheck says that it starts: %v (%s), %s: %v (%.300s), want yes and no", name, says, why, target.Runtime, does, out)
			}
			continue
		}
		if says != does {
			t.Errorf("%s: profcheck says that it starts: %v (%s), %s: %v (%.300s)", name, says, why, target.Runtime, does, out)
		}
		if does {
			yes++
		} else {
			no++
		}
	}
	t.Logf("%d start, %d do not", yes, no)
	if yes < 15 || no < 20 {
		t.Errorf("only %d start, and only %d do not", yes, no)
	}
}

// A container starts under runc if and only if profcheck says so.
func TestWitnessStartsRunc(t *testing.T) {
	b := newBundle(t)
	testStarts(t, runcTarget(t, true), func(section any, tries int) (bool, string) { return b.starts(t, section, true, tries) })
}

// So under crun.
func TestWitnessStartsCrun(t *testing.T) {
	c := newCrunner(t)
	target := Target{Runtime: RuntimeCrun, Version: c.version, ABI: arch(t, runtime.GOARCH), NoNewPrivs: true}
	testStarts(t, target, func(section any, _ int) (bool, string) {
		status, out := c.run(t, section, true)
		return slices.Contains(started, status), out
	})
}
