package witness

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// recordEnv asks TestNativeRecord to write the traces for arm64 anew; it names the programs,
// separated by commas, or says "all".
const recordEnv = "PROFCHECK_RECORD"

// arm64Packages are unpacked with all that they depend on.
var arm64Packages = strings.Fields("bash dash tar gzip jq sqlite3 curl git python3 coreutils busybox-static redis-server redis-tools nginx-light memcached lighttpd haproxy")

// arm64Programs are those that are traced: name, package and path without links. rsync is not among
// them: it walks paths from a descriptor of "/", and qemu -L would have to make two roots one there.
var arm64Programs = []nativeTruth{
	{Name: "bash", Package: "bash", Path: "/usr/bin/bash"},
	{Name: "busybox", Package: "busybox-static", Path: "/usr/bin/busybox"},
	{Name: "cp", Package: "coreutils", Path: "/usr/bin/cp"},
	{Name: "curl", Package: "curl", Path: "/usr/bin/curl"},
	{Name: "dash", Package: "dash", Path: "/usr/bin/dash"},
	{Name: "git", Package: "git", Path: "/usr/bin/git"},
	{Name: "gzip", Package: "gzip", Path: "/usr/bin/gzip"},
	{Name: "haproxy", Package: "haproxy", Path: "/usr/sbin/haproxy"},
	{Name: "jq", Package: "jq", Path: "/usr/bin/jq"},
	{Name: "lighttpd", Package: "lighttpd", Path: "/usr/sbin/lighttpd"},
	{Name: "ls", Package: "coreutils", Path: "/usr/bin/ls"},
	{Name: "memcached", Package: "memcached", Path: "/usr/bin/memcached"},
	{Name: "nginx", Package: "nginx", Path: "/usr/sbin/nginx"},
	{Name: "python3.11", Package: "python3.11-minimal", Path: "/usr/bin/python3.11"},
	{Name: "redis-cli", Package: "redis-tools", Path: "/usr/bin/redis-cli"},
	{Name: "redis-server", Package: "redis-tools", Path: "/usr/bin/redis-check-rdb"},
	{Name: "sort", Package: "coreutils", Path: "/usr/bin/sort"},
	{Name: "sqlite3", Package: "sqlite3", Path: "/usr/bin/sqlite3"},
	{Name: "tar", Package: "tar", Path: "/usr/bin/tar"},
}

// debRoot returns a folder with unpacked Debian packages of an architecture, under root, with the
// packages' versions.
func debRoot(t testing.TB, arch string, packages ...string) (root string, versions map[string]string) {
	t.Helper()
	needLinux(t)
	if !networkAllowed() {
		t.Skipf("packages for %s: need a mirror of Debian, set PROFCHECK_BIG=1", arch)
	}
	for _, tool := range []string{"bash", "apt-get", "dpkg-deb", "flock"} {
		needTool(t, tool)
	}
	dir := cached(t, "debroot-"+arch)
	if out, err := exec.Command("../../scripts/debroot.sh", append([]string{arch, dir}, packages...)...).CombinedOutput(); err != nil {
		skip(t, "packages for %s: %v\n%s", arch, err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "packages"))
	if err != nil {
		t.Fatal(err)
	}
	versions = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 {
			versions[f[0]] = f[1]
		}
	}
	return filepath.Join(dir, "root"), versions
}

// qemuRoot runs programs of a root under qemu -strace.
type qemuRoot struct {
	t    testing.TB
	root string
	logs []string
}

// run is a runner: argv[0] is a path in the root. Files that the root has are taken from there,
// all others from the machine.
func (q *qemuRoot) run(argv ...string) *exec.Cmd {
	q.t.Helper()
	log := filepath.Join(q.t.TempDir(), "strace")
	q.logs = append(q.logs, log)
	args := []string{"-strace", "-D", log, "-L", q.root, "-0", argv[0], filepath.Join(q.root, argv[0])}
	cmd := exec.Command(needTool(q.t, "qemu-aarch64-static"), append(args, argv[1:]...)...)
	cmd.Env = nativeEnv
	return cmd
}

// qemuOpen is a path that was opened.
var qemuOpen = regexp.MustCompile(`openat\(\w+,"([^"]+)"`)

// qemuNumber is a call that qemu does not know; it prints the number.
var qemuNumber = regexp.MustCompile(`\b\d+ Unknown syscall (\d+)`)

// read returns the calls and the libraries that were opened in all runs.
func (q *qemuRoot) read() (trace, []string) {
	q.t.Helper()
	arch := syscalls.ByName("aarch64")
	if arch == nil {
		q.t.Fatal("no table for arm64")
	}
	tr, opened := trace{}, map[string]bool{}
	for _, log := range q.logs {
		text, err := os.ReadFile(log)
		if err != nil {
			q.t.Fatal(err)
		}
		tr.add(parseQemu(q.t, arch, text))
		pid, _, _ := strings.Cut(string(text), " ")
		if !strings.Contains(string(text), pid+" exit_group(") && !strings.Contains(string(text[max(0, len(text)-200):]), "--- SIGTERM ") {
			q.t.Errorf("the log of process %s does not tell its end; did the program close or take qemu's descriptor?\n%.500s", pid, text)
		}
		for _, m := range qemuOpen.FindAllSubmatch(text, -1) {
			path, base := string(m[1]), filepath.Base(string(m[1]))
			if !strings.HasSuffix(base, ".so") && !strings.Contains(base, ".so.") || base == "ld.so.cache" || base == "ld.so.preload" {
				continue
			}
			if info, err := os.Stat(filepath.Join(q.root, path)); err == nil && info.Mode().IsRegular() {
				opened[base] = true
			}
		}
	}
	var libs []string
	for name := range opened {
		libs = append(libs, name)
	}
	slices.Sort(libs)
	return tr, libs
}

// parseQemu reads one log of qemu -strace; each call must be one that the architecture has.
func parseQemu(t testing.TB, arch *syscalls.Arch, text []byte) trace {
	t.Helper()
	tr := parse(qemuCall, text)
	for _, m := range qemuNumber.FindAllSubmatch(text, -1) {
		nr, err := strconv.ParseInt(string(m[1]), 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		name, ok := arch.NameOf(int32(nr))
		if !ok {
			t.Errorf("qemu saw number %d, which %s does not have", nr, arch.Name)
			continue
		}
		tr[name]++
	}
	for name := range tr {
		if _, ok := arch.Number(name); !ok {
			t.Errorf("qemu saw %q, which %s does not have", name, arch.Name)
		}
	}
	return tr
}

// TestNativeRecord writes the traces of testdata/native/arm64. What an earlier run saw of the same
// version stays: which of several calls a program makes is a matter of timing at places.
func TestNativeRecord(t *testing.T) {
	asked := os.Getenv(recordEnv)
	if asked == "" {
		return // nothing to test: this is the recorder
	}
	root, versions := debRoot(t, "arm64", arm64Packages...)
	for _, p := range arm64Programs {
		if asked != "all" && !slices.Contains(strings.Split(asked, ","), p.Name) {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			q := &qemuRoot{t: t, root: root}
			if err := nativeWorks[p.Name](t, q.run, p.command()); err != nil {
				t.Fatal(err)
			}
			tr, opened := q.read()
			p.Version = versions[p.Package]
			if old := recorded("arm64", p.Name); old.Version == p.Version {
				tr.add(old.trace())
			}
			p.Syscalls, p.Opened = tr.names(), append([]string{}, opened...)
			text, err := json.MarshalIndent(p, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join("testdata", "native", "arm64"), p.Name+".json", string(text)+"\n")
			t.Logf("%s %s: %d calls", p.Name, p.Version, len(tr))
		})
	}
}
