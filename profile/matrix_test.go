package profile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A probe shows how a feature is handled: by a section that means the same, or by a look at what is
// enforced.
type probe struct {
	text    string                        // members of a profile
	read    string                        // those of an OCI section that means what the text says
	ignored string                        // and of one without the feature
	special string                        // and of one with the other meaning; "" if there is none
	look    func(*Resolved) Handling      // in place of these
	noted   string                        // the field that Ignored, or a Problem, names where it is ignored
	not     func(runtime, by string) bool // where it is not noted
}

// The default of a probe is ERRNO(EPERM), and each names a call with a large number, so that runc's
// stub is the same whatever else is named.
func whole(members string) string {
	if strings.HasPrefix(members, "{") {
		return members
	}
	fixed := `{"names":["cachestat"],"action":"SCMP_ACT_ALLOW"}`
	text := members
	if !strings.Contains(text, `"defaultAction"`) {
		text = `"defaultAction":"SCMP_ACT_ERRNO",` + text
	}
	text = strings.TrimSuffix(text, ",")
	if strings.Contains(text, `"syscalls":[`) {
		return "{" + strings.Replace(text, `"syscalls":[`, `"syscalls":[`+fixed+",", 1) + "}"
	}
	return "{" + text + `,"syscalls":[` + fixed + "]}"
}

func ruleOf(members string) string { return `"syscalls":[{` + members + `}]` }

const (
	allowGetpid = `"names":["getpid"],"action":"SCMP_ACT_ALLOW"`
	failGetpid  = `"names":["getpid"],"action":"SCMP_ACT_ERRNO"`
	noRule      = `"architectures":[]`
)

func getpidWith(more string) string { return ruleOf(allowGetpid + "," + more) }

// writeIf is one rule for write, or one for each list of conditions.
func writeIf(conds ...string) string {
	var rules []string
	for _, c := range conds {
		rules = append(rules, `{"names":["write"],"action":"SCMP_ACT_ALLOW","args":[`+c+`]}`)
	}
	return `"syscalls":[` + strings.Join(rules, ",") + `]`
}

func equal(index, value string) string {
	return `{"index":` + index + `,"value":` + value + `,"op":"SCMP_CMP_EQ"}`
}

func either(yes bool, a, b Handling) Handling {
	if yes {
		return a
	}
	return b
}

// answer is what a call of x86_64 gets.
func answer(r *Resolved, name string, args ...uint64) filter.Action {
	a := syscalls.ByName("x86_64")
	nr, _ := a.Number(name)
	var list [6]uint64
	copy(list[:], args)
	return r.Meaning(a, nr, list)
}

func gets(name string, want filter.Action, yes, no Handling) func(*Resolved) Handling {
	return func(r *Resolved) Handling { return either(answer(r, name) == want, yes, no) }
}

// writes: a write with a first argument that the rule as written does not match is allowed.
func writes(arg uint64) func(*Resolved) Handling {
	return func(r *Resolved) Handling {
		return either(answer(r, "write", arg) == filter.Allow, HandlingSpecial, HandlingRead)
	}
}

func loads(*Resolved) Handling { return HandlingRead }

// unnoted is for what changes nothing that Resolve gives: it is read, unless Ignored has it.
func unnoted(field string) func(*Resolved) Handling {
	return func(r *Resolved) Handling {
		return either(slices.ContainsFunc(r.Ignored, func(p Problem) bool { return p.Name == field }), HandlingIgnored, HandlingRead)
	}
}

const listener = `"listenerPath":"/var/run/security-profiles-operator/a"`

var probes = map[string]probe{
	"archMap": {
		text: `"archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}]`,
		read: `"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"]`, ignored: noRule, noted: "archMap",
		not: func(runtime, by string) bool { return by == RuntimeGVisor }, // that notes architectures
	},
	"includes.caps":      {text: getpidWith(`"includes":{"caps":["CAP_SYS_ADMIN"]}`), read: noRule, ignored: ruleOf(allowGetpid), noted: "includes"},
	"includes.arches":    {text: getpidWith(`"includes":{"arches":["arm64"]}`), read: noRule, ignored: ruleOf(allowGetpid), noted: "includes"},
	"includes.minKernel": {text: getpidWith(`"includes":{"minKernel":"9.0"}`), read: noRule, ignored: ruleOf(allowGetpid), noted: "includes"},
	"excludes.caps":      {text: getpidWith(`"excludes":{"caps":["CAP_CHOWN"]}`), read: noRule, ignored: ruleOf(allowGetpid), noted: "excludes"},
	"excludes.arches":    {text: getpidWith(`"excludes":{"arches":["amd64"]}`), read: noRule, ignored: ruleOf(allowGetpid), noted: "excludes"},
	"excludes.minKernel": {text: getpidWith(`"excludes":{"minKernel":"3.0"}`), read: noRule, ignored: ruleOf(allowGetpid), noted: "excludes"},
	"name": {
		text: ruleOf(`"name":"getpid","action":"SCMP_ACT_ALLOW"`), read: ruleOf(allowGetpid), ignored: noRule, noted: "name",
	},
	"comment":      {text: getpidWith(`"comment":"why"`), ignored: ruleOf(allowGetpid)},
	"errno":        {text: ruleOf(failGetpid + `,"errno":"ENOSYS"`), read: ruleOf(failGetpid + `,"errnoRet":38`), ignored: ruleOf(failGetpid), noted: "errno", not: gvisors},
	"defaultErrno": {text: `"defaultErrno":"ENOSYS"`, read: `"defaultErrnoRet":38`, ignored: noRule, noted: "defaultErrno", not: gvisors},
	"flags: []":    {text: `"flags":[]`, read: `"flags":[]`, ignored: noRule},
	"architectures": {text: `"architectures":["SCMP_ARCH_X86"]`, noted: "architectures", look: func(r *Resolved) Handling {
		return either(len(r.Arches) == 2 || len(r.Arches) == 1 && r.Arches[0].Name == "x86", HandlingRead, HandlingIgnored)
	}},
	"errnoRet":    {text: ruleOf(failGetpid + `,"errnoRet":38`), noted: "errnoRet", look: gets("getpid", filter.ErrnoAction(38), HandlingRead, HandlingIgnored)},
	"errnoRet: 0": {text: ruleOf(failGetpid + `,"errnoRet":0`), noted: "errnoRet", not: func(runtime, _ string) bool { return strings.HasPrefix(runtime, RuntimeSPO) }, look: gets("getpid", filter.ErrnoAction(0), HandlingRead, HandlingIgnored)},
	"flags":       {text: `"flags":["SECCOMP_FILTER_FLAG_LOG"]`, noted: "flags", look: func(r *Resolved) Handling { return either(len(r.Flags) == 1, HandlingRead, HandlingIgnored) }},
	"no flags": {text: noRule, look: func(r *Resolved) Handling {
		return either(slices.Contains(r.Flags, flagSpecAllow), HandlingSpecial, HandlingRead)
	}},
	"defaultErrnoRet": {
		text: `"defaultErrnoRet":38`, noted: "defaultErrnoRet",
		look: func(r *Resolved) Handling {
			return either(r.Default == filter.ErrnoAction(38), HandlingRead, HandlingIgnored)
		},
	},
	"errnoRet without errno": {text: getpidWith(`"errnoRet":5`), ignored: ruleOf(allowGetpid)},
	"SCMP_ARCH_NATIVE":       {text: `"architectures":["SCMP_ARCH_NATIVE"]`, look: unnoted("architectures")},
	"SCMP_ARCH_SH":           {text: `"architectures":["SCMP_ARCH_SH"]`, look: unnoted("architectures")},
	"an argument twice":      {text: writeIf(equal("0", "1") + "," + equal("0", "2")), look: writes(1)},
	"more than six args": {
		text: writeIf(equal("0", "1") + "," + equal("1", "1") + "," + equal("2", "1") + "," + equal("3", "1") + "," + equal("4", "1") + "," + equal("5", "1") + "," + equal("0", "2")),
		look: writes(1),
	},
	"unknown name": {text: ruleOf(`"names":["no_such_call","getpid"],"action":"SCMP_ACT_ALLOW"`), ignored: ruleOf(allowGetpid)},
	"action of the default": {
		text: `"syscalls":[{` + failGetpid + `},{` + allowGetpid + `}]`, look: gets("getpid", filter.Allow, HandlingIgnored, HandlingRead),
	},
	"condition beside none": {
		text: `"syscalls":[{"names":["write"],"action":"SCMP_ACT_TRAP","args":[` + equal("0", "1") + `]},{"names":["write"],"action":"SCMP_ACT_ALLOW"}]`,
		look: func(r *Resolved) Handling {
			return either(answer(r, "write", 1) == filter.Trap && answer(r, "write", 2) == filter.Allow, HandlingRead, HandlingSpecial)
		},
	},
	"valueTwo":         {text: writeIf(`{"index":0,"value":1,"valueTwo":7,"op":"SCMP_CMP_EQ"}`), ignored: writeIf(equal("0", "1")), special: writeIf(equal("0", "7"))},
	"masked datum":     {text: writeIf(`{"index":0,"value":15,"valueTwo":31,"op":"SCMP_CMP_MASKED_EQ"}`), look: writes(15)},
	"number above all": {text: noRule, look: gets("mseal", filter.ErrnoAction(38), HandlingSpecial, HandlingRead)},
	"socket on x86": {
		text: `"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],` + ruleOf(`"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[`+equal("0", "2")+`]`),
		look: func(r *Resolved) Handling {
			a := syscalls.ByName("x86")
			nr, _ := a.Number("socketcall")
			return either(r.Meaning(a, nr, [6]uint64{1}) == filter.Allow, HandlingSpecial, HandlingRead)
		},
	},
	"listenerPath":                {text: listener, noted: "listenerPath", look: unnoted("listenerPath")},
	"listenerMetadata":            {text: listener + `,"listenerMetadata":"m"`, noted: "listenerMetadata", look: unnoted("listenerMetadata")},
	"NOTIFY without listenerPath": {text: ruleOf(`"names":["getpid"],"action":"SCMP_ACT_NOTIFY"`), look: loads},
	"NOTIFY by default":           {text: `"defaultAction":"SCMP_ACT_NOTIFY",` + listener, look: loads},
	"NOTIFY for write":            {text: listener + "," + ruleOf(`"names":["write"],"action":"SCMP_ACT_NOTIFY"`), look: loads},
	"LOG or KILL_PROCESS":         {text: ruleOf(`"names":["getpid"],"action":"SCMP_ACT_LOG"`), look: gets("getpid", filter.Log, HandlingRead, HandlingIgnored)},
	"empty profile":               {text: "{}", look: func(r *Resolved) Handling { return either(r.Disabled, HandlingSpecial, HandlingRead) }},
}

// gvisors: the reader makes a number of the word, and gVisor's note is about that.
func gvisors(runtime, by string) bool { return by == RuntimeGVisor && runtime != RuntimeGVisor }

// everyRuntime lists the runtimes and all that are two.
func everyRuntime() []string {
	list := runtimeNames()
	for _, first := range runtimeNames() {
		for _, second := range []string{RuntimeRunc, RuntimeCrun, RuntimeGVisor} {
			if CheckRuntime(first+"/"+second) == nil {
				list = append(list, first+"/"+second)
			}
		}
	}
	return list
}

// Resolve does what the matrix says, for every feature and runtime.
func TestMatrixIsWhatResolveDoes(t *testing.T) {
	count := 0
	for _, f := range Features() {
		p, ok := probes[f.Name]
		if !ok {
			t.Errorf("%s has no probe", f.Name)
			continue
		}
		for _, runtime := range everyRuntime() {
			cell, err := CellOf(f.Name, runtime)
			if err != nil {
				t.Fatal(err)
			}
			if cell.Handling == HandlingUnknown {
				continue
			}
			count++
			if got, why := p.handling(t, cell); !slices.Contains(got, cell.Handling) {
				t.Errorf("%s on %s is %v, the matrix says %s%s", f.Name, runtime, got, cell.Handling, why)
			}
		}
	}
	if want := len(probes) * len(everyRuntime()); count != want {
		t.Errorf("%d of %d cells were tried", count, want)
	}
}

// Each probe can tell handlings apart: with another word in the matrix, at least one of a row's cells
// would fail the test above.
func TestMatrixProbesTell(t *testing.T) {
	for _, f := range Features() {
		p, told := probes[f.Name], false
		for _, runtime := range runtimeNames() {
			cell, err := CellOf(f.Name, runtime)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := p.handling(t, cell)
			told = told || len(got) == 1
		}
		if !told {
			t.Errorf("%s: the probe tells nothing apart", f.Name)
		}
	}
}

// handling resolves a probe as a cell's runtime reads it, and gives all handlings that fit.
func (p probe) handling(t *testing.T, c Cell) (fits []Handling, why string) {
	t.Helper()
	target := Target{Runtime: c.Runtime, ABI: syscalls.ByName("x86_64"), Caps: dockerCaps, Kernel: syscalls.Kernel{Major: 4}}
	first, _, _ := strings.Cut(c.Runtime, "/")
	text := whole(p.text)
	if first == RuntimeSPO {
		spec := strings.Replace(text, "{}", `{"syscalls":[]}`, 1)
		text = `{"apiVersion":"security-profiles-operator.x-k8s.io/v1","kind":"SeccompProfile","metadata":{"name":"p"},"spec":` + spec + "}"
	}
	profile, err := ParseAs("p", []byte(text), probeFormat[first])
	if err != nil {
		return []Handling{HandlingRefused}, ": " + err.Error()
	}
	r, err := profile.Resolve(target)
	if err != nil {
		return []Handling{HandlingRefused}, ": " + err.Error()
	}
	if p.look != nil {
		fits = []Handling{p.look(r)}
	}
	target.Runtime = target.Maker()
	for _, other := range []struct {
		handling Handling
		text     string
	}{{HandlingRead, p.read}, {HandlingIgnored, p.ignored}, {HandlingSpecial, p.special}} {
		if other.text == "" {
			continue
		}
		same, err := ParseAs("p", []byte(whole(other.text)), OCI)
		if err != nil {
			t.Fatal(err)
		}
		want, err := same.Resolve(target)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(meantBy(want), meantBy(r), cmpopts.EquateEmpty()); diff == "" {
			fits = append(fits, other.handling)
		} else if other.handling == c.Handling {
			why += ": " + diff
		}
	}
	if p.noted != "" && (p.not == nil || !p.not(c.Runtime, c.By)) {
		named := func(q Problem) bool { return q.Name == p.noted && q.Kind == IgnoredField }
		noted := slices.ContainsFunc(append(slices.Clone(r.Ignored), profile.Problems...), named)
		if noted != (c.Handling == HandlingIgnored) {
			t.Errorf("%s on %s is %s; noted as ignored: %v", c.Feature, c.Runtime, c.Handling, noted)
		}
	}
	return fits, why
}

// probeFormat is the format of the files that a runtime is given.
var probeFormat = map[string]string{
	RuntimeDocker: Docker, RuntimePodman: Podman, RuntimeCRIO: Podman, RuntimeContainerd: Docker, RuntimeSPO: SPO,
	RuntimeRunc: OCI, RuntimeCrun: OCI, RuntimeGVisor: OCI, RuntimeKernel: Docker, RuntimeSystemd: Docker,
}

// meantBy is what is enforced, without the numbers of the rules that say so.
func meantBy(r *Resolved) any {
	m := r.Meant()
	for _, token := range m.Tokens {
		for _, s := range token.Stretches {
			for i := range s.Cases {
				s.Cases[i].Rule = 0
			}
		}
	}
	return map[string]any{"rules": m, "flags": r.Flags, "off": r.Disabled, "default": r.Default, "arches": names(r.Arches)}
}

// Every cell is filled in and says where it is from.
func TestMatrixIsWhole(t *testing.T) {
	for _, c := range Matrix() {
		if c.Handling == HandlingUnknown || c.Origin == "" {
			t.Errorf("%s on %s: %s, from %q", c.Feature, c.Runtime, c.Handling, c.Origin)
		}
		if c.Handling == HandlingSpecial && c.Effect == "" {
			t.Errorf("%s on %s is special, and nothing says how", c.Feature, c.Runtime)
		}
	}
	for _, row := range matrix {
		for name := range row.cells {
			if CheckRuntime(name) != nil {
				t.Errorf("%s: no runtime %q", row.Name, name)
			}
		}
	}
	if _, err := CellOf("no such feature", RuntimeDocker); err == nil {
		t.Error("a feature that is none has a cell")
	}
	if _, err := CellOf("archMap", "rkt"); err == nil {
		t.Error("a runtime that is none has a cell")
	}
}
