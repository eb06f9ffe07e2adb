//go:build linux

package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A crunner makes containers with crun, which leaves the filter that it made in its state folder.
type crunner struct {
	dir     string
	version string
	count   int
}

// crun's own arguments follow; a folder of version 2 among those of version 1 of the control groups,
// which crun does not take, is hidden from it.
const crunScript = `umount /sys/fs/cgroup/unified 2>/dev/null; exec crun --cgroup-manager=disabled "$@"`

func newCrunner(t *testing.T) *crunner {
	t.Helper()
	if os.Getuid() != 0 {
		absent(t, "containers need root")
	}
	out, err := exec.Command("crun", "--version").Output()
	if err != nil {
		absent(t, "no crun: %v", err)
	}
	m := regexp.MustCompile(`version (\d+\.\d+(\.\d+)?)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("no version in %q", out)
	}
	c := &crunner{dir: t.TempDir(), version: string(m[1])}
	for _, sub := range []string{"rootfs/proc", "rootfs/dev"} {
		if err := os.MkdirAll(filepath.Join(c.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(c.dir, "rootfs", "program"), program(t), 0o755); err != nil {
		t.Fatal(err)
	}
	if status, text := c.run(t, nil, true); !slices.Contains(started, status) {
		absent(t, "crun cannot start a container here without any filter: %d %s", status, text)
	}
	return c
}

func (c *crunner) command(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"-m", "sh", "-c", crunScript, "sh", "--root", filepath.Join(c.dir, "state")}, args...)
	return exec.CommandContext(ctx, "unshare", args...)
}

// config writes the container's configuration and returns a new name for it.
func (c *crunner) config(t *testing.T, seccomp any, noNewPrivs bool) string {
	t.Helper()
	text, err := json.Marshal(containerConfig(filepath.Join(c.dir, "rootfs"), seccomp, noNewPrivs))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	c.count++
	return fmt.Sprintf("profcheck-crun-%d-%d", os.Getpid(), c.count)
}

// run starts a container and returns its exit status.
func (c *crunner) run(t *testing.T, seccomp any, noNewPrivs bool) (int, string) {
	t.Helper()
	name := c.config(t, seccomp, noNewPrivs)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := c.command(ctx, "run", "--bundle", c.dir, name).CombinedOutput()
	if err != nil {
		_ = c.command(context.Background(), "delete", "--force", name).Run() // what is left; usually nothing
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, string(out)
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	}
	t.Fatalf("crun: %v", err)
	return 0, ""
}

// filter makes a container without starting it and reads the filter that crun made; the text is what
// crun says, and the program nil if it refuses.
func (c *crunner) filter(t *testing.T, section any) (filter.Program, string) {
	t.Helper()
	name := c.config(t, section, true)
	out, err := c.create(t, name)
	if err != nil {
		return nil, out
	}
	defer func() {
		if out, err := c.command(context.Background(), "delete", "--force", name).CombinedOutput(); err != nil {
			t.Errorf("crun delete: %v %s", err, out)
		}
	}()
	data, err := os.ReadFile(filepath.Join(c.dir, "state", name, "seccomp.bpf"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := filter.Decode(data, arch(t, runtime.GOARCH).Order())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	return p, out
}

// create makes a container. What it says goes to a file: the container holds on to it.
func (c *crunner) create(t *testing.T, name string) (string, error) {
	t.Helper()
	path := filepath.Join(c.dir, "said")
	said, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := c.command(ctx, "create", "--bundle", c.dir, name)
	cmd.Stdout, cmd.Stderr = said, said
	failed := cmd.Run()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), failed
}

// resolve reads a section as crun does.
func (c *crunner) resolve(t *testing.T, section string) (*Resolved, error) {
	t.Helper()
	p, err := ParseAs("p.json", []byte(section), OCI)
	if err != nil {
		return nil, err
	}
	return p.Resolve(Target{Runtime: RuntimeCrun, Version: c.version, ABI: arch(t, runtime.GOARCH)})
}

// agree holds crun's filter for a section against what we resolve.
func (c *crunner) agree(t *testing.T, section string) *Resolved {
	t.Helper()
	theirs, out := c.filter(t, json.RawMessage(section))
	r, err := c.resolve(t, section)
	if (err == nil) != (theirs != nil) {
		t.Errorf("crun: %q, we: %v: %s", out, err, clip(section))
	}
	if err != nil || theirs == nil {
		return nil
	}
	for _, d := range unlessConflict(r, first(compare(r, theirs, r.Arches, 4))) {
		t.Errorf("%s %d %#x: %v, crun has %v: %s", d.arch, d.nr, d.args, d.got, d.want, clip(section))
	}
	return r
}

// unlessConflict leaves out what differs on calls whose rules conflict.
func unlessConflict(r *Resolved, list []difference) []difference {
	return slices.DeleteFunc(list, func(d difference) bool {
		return slices.ContainsFunc(r.Conflicts, func(c Conflict) bool { return c.Arch.Audit == d.arch.Audit && c.Nr == d.nr })
	})
}

// Each section is one thing that runtimes read differently: crun's filter is what we say it is, or
// both refuse it.
func TestCrunReads(t *testing.T) {
	c := newCrunner(t)
	native := `"SCMP_ARCH_X86_64"`
	if runtime.GOARCH != "amd64" {
		t.Skip("the sections are for an amd64 host")
	}
	section := func(head, rules string) string {
		return `{"defaultAction":"SCMP_ACT_ERRNO",` + head + `"syscalls":[` + rules + `]}`
	}
	read := `{"names":["read"],"action":"SCMP_ACT_ALLOW"}`
	args := func(list string) string {
		return `{"names":["personality","socket"],"action":"SCMP_ACT_ALLOW","args":[` + list + `]}`
	}
	eq := func(index, value int) string {
		return fmt.Sprintf(`{"index":%d,"value":%d,"op":"SCMP_CMP_EQ"}`, index, value)
	}
	for name, text := range map[string]string{
		"no architectures":     section("", read),
		"without the native":   section(`"architectures":["SCMP_ARCH_X86"],`, read),
		"x32 too":              section(`"architectures":[`+native+`,"SCMP_ARCH_X86","SCMP_ARCH_X32"],`, read),
		"native by name":       section(`"architectures":["SCMP_ARCH_NATIVE"],`, read),
		"other byte order":     section(`"architectures":["SCMP_ARCH_S390X"],`, read),
		"foreign":              section(`"architectures":["SCMP_ARCH_AARCH64","SCMP_ARCH_RISCV64"],`, read),
		"m68k":                 section(`"architectures":["SCMP_ARCH_M68K"],`, read),
		"errno default":        section(`"defaultErrnoRet":38,`, read),
		"same as default":      section("", read+`,{"names":["write"],"action":"SCMP_ACT_ERRNO","errnoRet":1}`),
		"another errno":        section("", read+`,{"names":["write"],"action":"SCMP_ACT_ERRNO","errnoRet":2}`),
		"kill":                 section("", `{"names":["read"],"action":"SCMP_ACT_KILL"},{"names":["write"],"action":"SCMP_ACT_KILL_PROCESS"},{"names":["open"],"action":"SCMP_ACT_KILL_THREAD"}`),
		"log, trap, trace":     section("", `{"names":["read"],"action":"SCMP_ACT_LOG"},{"names":["write"],"action":"SCMP_ACT_TRAP"},{"names":["open"],"action":"SCMP_ACT_TRACE"},{"names":["close"],"action":"SCMP_ACT_TRACE","errnoRet":7}`),
		"errno for ALLOW":      section("", `{"names":["read"],"action":"SCMP_ACT_ALLOW","errnoRet":1}`),
		"errno for a default":  `{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":3,"syscalls":[]}`,
		"errno above 16 bits":  section("", `{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":65538}`),
		"unknown name":         section("", read+`,{"names":["nosuchcall"],"action":"SCMP_ACT_ALLOW"}`),
		"a word as errno":      section(`"defaultErrno":"ENOSYS",`, `{"names":["read"],"action":"SCMP_ACT_ERRNO","errno":"EACCES"}`),
		"docker's fields":      section("", `{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}}`),
		"conditions":           section("", args(eq(0, 1)+","+eq(1, 2))),
		"an index twice":       section("", args(eq(0, 1)+","+eq(0, 2)+","+eq(1, 3))),
		"seven conditions":     section("", args(eq(0, 1)+","+eq(1, 2)+","+eq(2, 3)+","+eq(3, 4)+","+eq(4, 5)+","+eq(5, 6)+","+eq(0, 7))),
		"six and one twice":    section("", args(eq(0, 1)+","+eq(1, 2)+","+eq(2, 3)+","+eq(3, 4)+","+eq(4, 5)+","+eq(0, 6)+","+eq(5, 7))),
		"notify":               section("", read+`,{"names":["mkdir","write"],"action":"SCMP_ACT_NOTIFY"}`),
		"notify default":       `{"defaultAction":"SCMP_ACT_NOTIFY","syscalls":[` + read + `]}`,
		"nothing":              `{}`,
		"no rules":             `{"defaultAction":"SCMP_ACT_KILL_PROCESS"}`,
		"no rules but numbers": `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`,
		"masks":                section("", `{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"}]}`),
		"two actions":          section("", read+`,{"names":["read"],"action":"SCMP_ACT_LOG"}`),
		"one condition twice":  section("", args(eq(0, 1))+`,{"names":["socket"],"action":"SCMP_ACT_LOG","args":[`+eq(0, 1)+`]}`),
		"condition and none":   section("", args(eq(0, 1))+`,{"names":["socket"],"action":"SCMP_ACT_LOG"}`),
	} {
		t.Run(name, func(t *testing.T) { c.agree(t, text) })
	}
}

// Docker's default profile under crun, for several sets of capabilities, and random rules.
func TestCrunFilters(t *testing.T) {
	c := newCrunner(t)
	host := arch(t, runtime.GOARCH)
	unknown := newerThanLibseccomp(t)
	for name, caps := range capSets {
		target := Target{Runtime: "docker/crun", Version: c.version, ABI: host, Caps: caps}
		p, err := Open("docker-default")
		if err != nil {
			t.Fatal(err)
		}
		r, err := p.Resolve(target)
		if err != nil {
			t.Fatal(err)
		}
		theirs, out := c.filter(t, json.RawMessage(section(t, r)))
		if theirs == nil {
			t.Fatalf("%s: %s", name, out)
		}
		list, _ := unknown.without(first(compare(r, theirs, r.Arches, 4)))
		for _, d := range list {
			t.Errorf("%s: %s %d %#x: %v, crun has %v", name, d.arch, d.nr, d.args, d.got, d.want)
		}
		// The twin: runc's stub is not there.
		r.Stub = map[string]int32{host.Name: 400}
		if list, _ := compare(r, theirs, []*syscalls.Arch{host}, 1); len(list) == 0 {
			t.Error("crun's filter is said to have runc's stub")
		}
	}
	rnd := rand.New(rand.NewPCG(21, 22))
	arches := slices.DeleteFunc(syscalls.Arches(), func(a *syscalls.Arch) bool { return a.Host != host.Host })
	made := 0
	for range 40 {
		set := randomSet(rnd, arches, true)
		if c.agree(t, set.json) != nil {
			made++
		}
	}
	if made < 20 {
		t.Errorf("only %d random filters", made)
	}
}

// section writes what was resolved as an OCI section.
func section(t *testing.T, r *Resolved) string {
	t.Helper()
	type arg struct {
		Index    int    `json:"index"`
		Value    uint64 `json:"value"`
		ValueTwo uint64 `json:"valueTwo"`
		Op       Op     `json:"op"`
	}
	type rule struct {
		Names    []string   `json:"names"`
		Action   ActionName `json:"action"`
		ErrnoRet *uint32    `json:"errnoRet,omitempty"`
		Args     []arg      `json:"args,omitempty"`
	}
	doc := struct {
		Default  ActionName `json:"defaultAction"`
		ErrnoRet *uint32    `json:"defaultErrnoRet,omitempty"`
		Arches   []string   `json:"architectures"`
		Syscalls []rule     `json:"syscalls"`
	}{Default: r.Profile.DefaultAction, ErrnoRet: r.Profile.DefaultErrnoRet}
	for _, a := range r.Arches {
		doc.Arches = append(doc.Arches, a.OCI)
	}
	for _, rr := range r.Rules {
		out := rule{Names: []string{rr.Name}, Action: rr.Source.Action, ErrnoRet: rr.Source.ErrnoRet}
		for _, c := range rr.Conds {
			a := arg{Index: c.Arg, Value: c.Value, Op: c.Op}
			if c.Op == MaskedEqual {
				a.Value, a.ValueTwo = c.Mask, c.Value
			}
			out.Args = append(out.Args, a)
		}
		doc.Syscalls = append(doc.Syscalls, out)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// crun skips a name that it does not know in silence, as runc does; it tells only who asks.
func TestCrunUnknownName(t *testing.T) {
	c := newCrunner(t)
	profile := allowOnly([]string{"nosuchcall"})
	if _, out := c.filter(t, profile); out != "" {
		t.Errorf("crun says %q", out)
	}
	name := c.config(t, profile, true)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if out, _ := c.command(ctx, "--debug", "run", "--bundle", c.dir, name).CombinedOutput(); !strings.Contains(string(out), "nosuchcall") {
		t.Errorf("with --debug, crun says %q", out)
	}
}

// StartCalls is what crun needs: with all of them a container starts, without a required one it does
// not, without the tolerated ones it does, and killed for one of those it does not.
func TestStartCallsByCrun(t *testing.T) {
	c := newCrunner(t)
	waits := []string{"read", "pselect6"} // only of a container that is made first and started later
	for _, noNewPrivs := range []bool{true, false} {
		calls := StartCalls(Target{Runtime: RuntimeCrun, Version: c.version, ABI: arch(t, runtime.GOARCH), NoNewPrivs: noNewPrivs})
		var all, needed []string
		for _, call := range calls {
			if all = append(all, call.Name); call.Need != StartTolerated {
				needed = append(needed, call.Name)
			}
		}
		expect := func(what string, seccomp any, want bool) {
			t.Helper()
			if status, out := c.run(t, seccomp, noNewPrivs); slices.Contains(started, status) != want {
				t.Errorf("noNewPrivileges=%v: %s: exit status %d, want a start: %v: %s", noNewPrivs, what, status, want, out)
			}
		}
		expect("the program's calls alone", allowOnly(ours), false)
		expect("all calls", allowOnly(slices.Concat(ours, all)), true)
		expect("the needed calls", allowOnly(slices.Concat(ours, needed)), true)
		for _, call := range calls {
			without := slices.DeleteFunc(slices.Concat(ours, all), func(n string) bool { return n == call.Name })
			switch {
			case slices.Contains(waits, call.Name):
			case call.Need == StartRequired:
				expect("without "+call.Name, allowOnly(without), false)
			default:
				expect("without "+call.Name, allowOnly(without), true)
				expect("killed for "+call.Name, kill(call.Name), false)
			}
		}
		for _, other := range []string{"mkdirat", "ptrace", "openat"} {
			expect("killed for "+other, kill(other), true)
		}
	}
}
