package witness

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/syscalls"
)

// killedStatus is runc's exit status for a container whose program a filter has killed.
const killedStatus = 128 + int(sigsys)

// containerCount tells containers of this process apart.
var containerCount atomic.Int32

// contained returns the runner that runs programs in containers of a root under a profile, nil for
// none. The containers have the network and the folder for temporary files of the machine.
func contained(t testing.TB, r *nativeRoot, seccomp any) runner {
	t.Helper()
	state := t.TempDir()
	return func(argv ...string) *exec.Cmd {
		t.Helper()
		name := fmt.Sprintf("profcheck-native-%d-%d", os.Getpid(), containerCount.Add(1))
		bundle := t.TempDir()
		text, err := json.Marshal(nativeContainer(r.dir, argv, seccomp))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, bundle, "config.json", string(text))
		t.Cleanup(func() {
			if _, err := os.Stat(filepath.Join(state, name)); err == nil {
				// Left behind by a command that was killed itself.
				if out, err := exec.Command("runc", "--root", state, "delete", "--force", name).CombinedOutput(); err != nil {
					t.Errorf("runc delete %s: %v %s", name, err, out)
				}
			}
		})
		return exec.Command("runc", "--root", state, "run", "--bundle", bundle, name)
	}
}

// nativeContainer is the configuration of a container.
func nativeContainer(root string, argv []string, seccomp any) map[string]any {
	caps := profile.DockerCaps()
	return map[string]any{
		"ociVersion": "1.0.2",
		"root":       map[string]any{"path": root},
		"process": map[string]any{
			"args": argv, "cwd": "/", "env": nativeEnv, "noNewPrivileges": true,
			"user":         map[string]any{"uid": 0, "gid": 0},
			"capabilities": map[string]any{"bounding": caps, "effective": caps, "permitted": caps},
		},
		"mounts": []map[string]any{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"nosuid", "mode=755"}},
			{"destination": os.TempDir(), "type": "bind", "source": os.TempDir(), "options": []string{"rbind", "rw"}},
		},
		"linux": map[string]any{
			"seccomp":    seccomp,
			"namespaces": []map[string]string{{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}},
		},
	}
}

// onlyThese is a profile that kills at every call but these. runc answers numbers above the largest
// that a profile names with ENOSYS, whatever the default: a rule for a late call that never applies
// makes it kill there, too.
func onlyThese(names []string) any {
	return map[string]any{
		"defaultAction": "SCMP_ACT_KILL_PROCESS",
		"architectures": []string{"SCMP_ARCH_X86_64"},
		"syscalls": []map[string]any{
			{"names": names, "action": "SCMP_ACT_ALLOW"},
			{"names": []string{"set_mempolicy_home_node"}, "action": "SCMP_ACT_ALLOW",
				"args": []map[string]any{{"index": 3, "value": uint64(0x70726f6663686563), "op": "SCMP_CMP_EQ"}}},
		},
	}
}

// runtimeCalls are those that runc makes itself between loading the filter and starting the
// program, with what it falls back to.
func runtimeCalls(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command(needTool(t, "runc"), "--version").Output()
	m := regexp.MustCompile(`version (\d+\.\d+\.\d+)`).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("runc --version: %v %q", err, out)
	}
	var names []string
	for _, c := range profile.StartCalls(profile.Target{Runtime: profile.RuntimeRunc, Version: string(m[1]), ABI: syscalls.ByName("x86_64"), NoNewPrivs: true}) {
		names = append(append(names, c.Name), c.Fallback...)
	}
	if !slices.Contains(names, "execve") {
		t.Fatalf("runc starts programs by %v", names)
	}
	return names
}

// needContainers skips where runc cannot start a container at all.
func needContainers(t testing.TB) {
	t.Helper()
	needLinux(t)
	needTool(t, "runc")
	if os.Getuid() != 0 {
		skip(t, "containers need root")
	}
	r := newNativeRoot(t, libraries(t, "/usr/bin/true")...)
	if out, err := finish(contained(t, r, nil)("/usr/bin/true"), 0); err != nil {
		skip(t, "runc cannot start a container here, without any profile: %v %s", err, out)
	}
}

// libraries returns a program and what the loader maps for it, as the loader itself tells.
func libraries(t testing.TB, program string) []string {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = []string{"LD_TRACE_LOADED_OBJECTS=1"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: the loader lists no libraries: %v", program, err)
	}
	files := []string{program}
	for _, m := range regexp.MustCompile(`(?m)(/\S+) \(0x`).FindAllSubmatch(out, -1) {
		files = append(files, string(m[1]))
	}
	return files
}

// killed reports whether a workload failed because a filter killed a process: the container's
// program, or a child of it that it wrote about.
func killed(err error) bool {
	var end *endError
	return errors.As(err, &end) && end.cmd.ProcessState.ExitCode() == killedStatus ||
		err != nil && (strings.Contains(err.Error(), fmt.Sprintf("signal %d", int(sigsys))) || strings.Contains(err.Error(), "Bad system call"))
}
