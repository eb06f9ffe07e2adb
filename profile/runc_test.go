//go:build linux

package profile

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"testing"
	"time"
)

// A bundle is a container of one program that ends at once. The program makes one call,
// exit_group(42), and runs into an undefined instruction if that is denied: either way its end
// tells that it was started.
type bundle struct {
	dir   string
	count int
}

const startedStatus = 42

// started lists the exit statuses of runc that mean that the program ran: its own, and SIGILL.
var started = []int{startedStatus, 128 + 4}

// programs holds the machine code for exit_group(42) and what is no instruction.
var programs = map[string]struct {
	machine uint16
	code    string
}{
	"amd64": {62, "bf2a000000" + "b8e7000000" + "0f05" + "0f0b"},
	"arm64": {183, "400580d2" + "c80b80d2" + "010000d4" + "00000000"},
}

// program returns a static ELF executable with the code for this machine.
func program(t *testing.T) []byte {
	t.Helper()
	p, ok := programs[runtime.GOARCH]
	if !ok {
		absent(t, "no program for %s", runtime.GOARCH)
	}
	code, err := hex.DecodeString(p.code)
	if err != nil {
		t.Fatal(err)
	}
	const base, header = 0x400000, 64 + 56
	size := uint64(header + len(code))
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01")
	b.Write(make([]byte, 9))
	for _, field := range []any{
		uint16(2), p.machine, uint32(1), uint64(base + header), uint64(64), uint64(0), uint32(0),
		uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), size, size, uint64(4096), // PT_LOAD
	} {
		if err := binary.Write(&b, binary.LittleEndian, field); err != nil {
			t.Fatal(err)
		}
	}
	return append(b.Bytes(), code...)
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	if os.Getuid() != 0 {
		absent(t, "containers need root")
	}
	if _, err := exec.LookPath("runc"); err != nil {
		absent(t, "no runc: %v", err)
	}
	b := &bundle{dir: t.TempDir()}
	for _, sub := range []string{"rootfs/proc", "rootfs/dev"} {
		if err := os.MkdirAll(filepath.Join(b.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(b.dir, "rootfs", "program"), program(t), 0o755); err != nil {
		t.Fatal(err)
	}
	if status, out := b.run(t, nil, true); !slices.Contains(started, status) {
		absent(t, "runc cannot start a container here without any filter: %d %s", status, out)
	}
	return b
}

// run starts the container under a profile and returns runc's exit status.
func (b *bundle) run(t *testing.T, seccomp any, noNewPrivs bool) (int, string) {
	t.Helper()
	config := containerConfig(filepath.Join(b.dir, "rootfs"), seccomp, noNewPrivs)
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	b.count++
	name := fmt.Sprintf("profcheck-test-%d-%d", os.Getpid(), b.count)
	state := filepath.Join(b.dir, "state")
	out, err := exec.CommandContext(ctx, "runc", "--root", state, "run", "--bundle", b.dir, name).CombinedOutput()
	if err != nil {
		// What is left of a container that did not start; usually nothing.
		_ = exec.Command("runc", "--root", state, "delete", "--force", name).Run()
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, string(out)
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	}
	t.Fatalf("runc: %v", err)
	return 0, ""
}

// containerConfig is the configuration of a container for the program.
func containerConfig(rootfs string, seccomp any, noNewPrivs bool) map[string]any {
	caps := []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
	return map[string]any{
		"ociVersion": "1.0.2",
		"root":       map[string]any{"path": rootfs},
		"process": map[string]any{
			"args": []string{"/program"}, "cwd": "/", "env": []string{"PATH=/"}, "noNewPrivileges": noNewPrivs,
			"user":         map[string]any{"uid": 0, "gid": 0},
			"capabilities": map[string]any{"bounding": caps, "effective": caps, "permitted": caps},
		},
		"mounts": []map[string]any{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"nosuid", "mode=755"}},
		},
		"linux": map[string]any{
			"seccomp":    seccomp,
			"namespaces": []map[string]string{{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}},
		},
	}
}

// starts reports whether the container starts. Timing decides which calls Go's runtime makes on the
// way, so a start that should succeed gets more than one try.
func (b *bundle) starts(t *testing.T, seccomp any, noNewPrivs bool, tries int) (bool, string) {
	t.Helper()
	out := ""
	for range tries {
		status, text := b.run(t, seccomp, noNewPrivs)
		if slices.Contains(started, status) {
			return true, ""
		}
		out = fmt.Sprintf("exit status %d: %s", status, text)
	}
	return false, out
}

// allowOnly is a profile that denies all calls but the given ones.
func allowOnly(names []string) any {
	return map[string]any{
		"defaultAction": "SCMP_ACT_ERRNO",
		"syscalls":      []map[string]any{{"names": names, "action": "SCMP_ACT_ALLOW"}},
	}
}

// kill is a profile that allows all calls but one.
func kill(name string) any {
	return map[string]any{
		"defaultAction": "SCMP_ACT_ALLOW",
		"syscalls":      []map[string]any{{"names": []string{name}, "action": "SCMP_ACT_KILL_PROCESS"}},
	}
}

// ours are the calls of the container's program.
var ours = []string{"exit_group"}

// runcTarget is the machine that the test runs on.
func runcTarget(t *testing.T, noNewPrivs bool) Target {
	t.Helper()
	out, err := exec.Command("runc", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`version (\d+\.\d+\.\d+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("no version in %q", out)
	}
	return Target{Runtime: RuntimeRunc, Version: string(m[1]), ABI: arch(t, runtime.GOARCH), NoNewPrivs: noNewPrivs}
}

// StartCalls is what runc needs: with all of them the container starts, without execve or any other
// required one it does not, without the tolerated ones it does, and if it is killed for one of
// those it does not.
func TestStartCallsByRunc(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a hundred containers")
	}
	b := newBundle(t)
	for _, noNewPrivs := range []bool{true, false} {
		t.Run(fmt.Sprintf("noNewPrivileges=%v", noNewPrivs), func(t *testing.T) {
			calls := StartCalls(runcTarget(t, noNewPrivs))
			var all, needed []string
			for _, c := range calls {
				all = append(all, c.Name)
				if c.Need != StartTolerated {
					needed = append(needed, c.Name)
				}
				needed = append(needed, c.Fallback...)
			}
			expect := func(what string, seccomp any, want bool) {
				t.Helper()
				tries := 1
				if want {
					tries = 4
				}
				if ok, out := b.starts(t, seccomp, noNewPrivs, tries); ok != want {
					t.Errorf("%s: started %v, want %v: %s", what, ok, want, out)
				}
			}
			expect("the program's calls alone", allowOnly(ours), false)
			expect("all calls", allowOnly(slices.Concat(ours, all)), true)
			expect("without the tolerated ones", allowOnly(slices.Concat(ours, needed)), true)
			for _, c := range calls {
				without := slices.DeleteFunc(slices.Concat(ours, all), func(n string) bool { return n == c.Name })
				switch c.Need {
				case StartRequired:
					expect("without "+c.Name, allowOnly(without), false)
				case StartTolerated:
					without = append(without, c.Fallback...)
					expect("without "+c.Name, allowOnly(without), true)
					for _, f := range c.Fallback {
						neither := slices.DeleteFunc(slices.Clone(without), func(n string) bool { return n == f })
						expect("without "+c.Name+" and "+f, allowOnly(neither), false)
					}
					expect("killed for "+c.Name, kill(c.Name), false)
				}
			}
			if f := slices.IndexFunc(calls, func(c StartCall) bool { return c.Name == "faccessat2" && c.Fallback != nil }); f >= 0 {
				// The accident of startRows: the two user IDs differ if one call gets an error.
				bare := slices.DeleteFunc(slices.Concat(ours, needed), func(n string) bool { return n == "faccessat" })
				expect("without faccessat and the user IDs", allowOnly(bare), false)
				expect("with one user ID", allowOnly(append(slices.Clone(bare), "getuid")), true)
				expect("with both user IDs", allowOnly(append(slices.Clone(bare), "getuid", "geteuid")), false)
			}
			// The twin: a call that is not in the table may be denied and even kill.
			for _, other := range []string{"mkdirat", "ptrace"} {
				expect("killed for "+other, kill(other), true)
			}
		})
	}
}

// What StartCalls says of releases is what it says for each of them; and the installed runc, if it is
// none of those that make a call, starts the container although it would be killed for the call.
func TestStartReleases(t *testing.T) {
	byRelease := func(version string, late bool) []StartCall {
		return StartCalls(Target{Runtime: RuntimeRunc, Version: version, ABI: arch(t, "amd64"), NoNewPrivs: late})
	}
	makes := func(version, name string, late bool) bool {
		return slices.ContainsFunc(byRelease(version, late), func(c StartCall) bool { return c.Name == name })
	}
	for _, late := range []bool{true, false} {
		limited := []string{}
		for _, c := range byRelease("", late) {
			if c.Since == nil {
				if !makes("1.1.5", c.Name, late) && c.Need == StartRequired {
					t.Errorf("%s, %v: not made by 1.1.5", c.Name, late)
				}
				continue
			}
			limited = append(limited, c.Name)
			for _, v := range append(c.Since, "1.5.2") {
				if !makes(v, c.Name, late) {
					t.Errorf("%s, %v: not made by %s", c.Name, late, v)
				}
			}
			if makes("1.1.5", c.Name, late) || slices.Contains(c.Since, "1.2.8") && (makes("1.2.7", c.Name, late) || makes("1.3.2", c.Name, late)) {
				t.Errorf("%s, %v: made by earlier releases", c.Name, late)
			}
		}
		for name, want := range map[string]bool{"statx": true, "openat2": true, "fstat": late, "write": false, "execve": false} {
			if slices.Contains(limited, name) != want {
				t.Errorf("%s, %v: limited to releases: %v", name, late, limited)
			}
		}
		for _, c := range byRelease("1.5.2", late) {
			if c.Since != nil {
				t.Errorf("%s: Since for a given release", c.Name)
			}
		}
	}
	b := newBundle(t)
	installed := StartCalls(runcTarget(t, true))
	for _, c := range byRelease("", true) {
		if c.Since == nil || slices.ContainsFunc(installed, func(i StartCall) bool { return i.Name == c.Name }) {
			continue
		}
		if ok, out := b.starts(t, kill(c.Name), true, 4); !ok {
			t.Errorf("killed for %s, which this release does not make: %s", c.Name, out)
		}
	}
}
