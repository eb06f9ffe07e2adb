package witness

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
)

// skip skips the test for the named reason, or fails it where CI is set: there everything is
// expected to be at hand.
func skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// needTool returns the path of a command.
func needTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skip(t, "%s is not installed", name)
	}
	return path
}

// networkAllowed reports whether fetching from the module proxy was asked for.
func networkAllowed() bool {
	return os.Getenv("PROFCHECK_BIG") != "" || os.Getenv("CI") != ""
}

// needNetwork skips what is fetched from the module proxy unless that was asked for.
func needNetwork(t testing.TB, what string) {
	t.Helper()
	if !networkAllowed() {
		t.Skipf("%s: needs the module proxy, set PROFCHECK_BIG=1", what)
	}
}

// needLinux skips what runs amd64 programs where they do not run.
func needLinux(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		skip(t, "the traced programs run on linux/amd64, this is %s/%s", runtime.GOOS, runtime.GOARCH)
	}
}
