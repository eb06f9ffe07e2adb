package elfscan

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// What greet is seen to call in the small root, run in every way that it can be, is what the scan
// finds, no less and no more.
func TestSmallRootInFact(t *testing.T) {
	absent := func(format string, args ...any) {
		t.Helper()
		if os.Getenv("CI") != "" {
			t.Fatalf(format, args...)
		}
		t.Skipf(format, args...)
	}
	if runtime.GOARCH != "amd64" {
		t.Skipf("the programs are for amd64, and this is %s", runtime.GOARCH)
	}
	for _, tool := range []string{"strace", "chroot"} {
		if _, err := exec.LookPath(tool); err != nil {
			absent("%v", err)
		}
	}
	if os.Getuid() != 0 {
		absent("only root may change its root directory")
	}
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(smallRoot)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	run := func(args ...string) {
		t.Helper()
		log := filepath.Join(t.TempDir(), "log")
		cmd := exec.Command("strace", append([]string{"-f", "-o", log, "chroot", root, "/bin/greet"}, args...)...)
		out, err := cmd.CombinedOutput()
		data, logErr := os.ReadFile(log)
		_, after, ok := strings.Cut(string(data), `execve("/bin/greet"`)
		if logErr != nil || !ok {
			absent("strace: %v %s", err, out)
		}
		for _, m := range regexp.MustCompile(`(?m)^\d+ +([a-z0-9_]+)\(`).FindAllStringSubmatch(after, -1) {
			seen[m[1]] = true
		}
	}
	run()
	run("-s")
	run("/lib/greet/extra.so")
	if err := os.Remove(filepath.Join(root, "etc", "greeting")); err != nil {
		t.Fatal(err)
	}
	run()
	r, err := Options{Root: smallRoot, Plugins: []string{"/lib/greet"}}.Scan("greet")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range r.Needs {
		if !seen[n.Name] {
			t.Errorf("%s is in the scan and was not seen", n.Name)
		}
		delete(seen, n.Name)
	}
	var missed []string
	for name := range seen {
		missed = append(missed, name)
	}
	slices.Sort(missed)
	if len(missed) > 0 {
		t.Errorf("not in the scan: %s", strings.Join(missed, " "))
	}
}
