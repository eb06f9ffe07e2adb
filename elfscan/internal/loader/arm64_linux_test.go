package loader

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// arm64Roots are roots with Debian's C library for arm64: the cross libraries, and a root with whole
// programs, if PROFCHECK_ARM64_ROOT names one or scripts/debroot.sh made one before.
func arm64Roots() []string {
	roots := []string{"/usr/aarch64-linux-gnu"}
	if dir := os.Getenv("PROFCHECK_ARM64_ROOT"); dir != "" {
		roots = append(roots, dir)
	}
	if cache, err := os.UserCacheDir(); err == nil && len(roots) == 1 {
		dir := filepath.Join(cache, "profcheck-test-bin", "debroot-arm64", "root")
		if _, err := os.Stat(dir); err == nil {
			roots = append(roots, dir)
		}
	}
	return roots
}

// The closures of arm64 files are what their loader lists under qemu.
func TestArm64Closures(t *testing.T) {
	qemu := tool(t, "qemu-aarch64-static")
	const interp = "/lib/ld-linux-aarch64.so.1"
	compared := 0
	for _, dir := range arm64Roots() {
		if _, err := os.Stat(filepath.Join(dir, interp)); err != nil {
			absentHere(t, "no C library for arm64: %v", err)
		}
		r, err := NewRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range []string{"lib/*.so.*", "usr/bin/*", "usr/sbin/*"} {
			for _, at := range r.glob("/" + pattern) {
				host, inside, err := r.Resolve(at)
				if err != nil || filepath.Base(inside) != filepath.Base(at) {
					continue
				}
				data, err := os.ReadFile(host)
				if h, reason := headerOf(data); err != nil || reason != "" || h.machine != elf.EM_AARCH64 || strings.HasPrefix(inside, interp) {
					continue
				}
				if strings.HasPrefix(at, "/usr") && interpreterOf(host) == "" {
					continue
				}
				cmd := exec.Command(qemu, "-L", dir, filepath.Join(dir, interp), inside)
				list := listedBy(cmd)
				for i := range list {
					list[i] = strings.TrimPrefix(list[i], dir) // the loader was started by this path
				}
				compareList(t, r, inside, list)
				compared++
			}
		}
	}
	if compared < 5 {
		t.Errorf("%d files compared", compared)
	}
	t.Logf("%d files", compared)
}
