package kernels

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// kernel returns the file of the machine's kernel, which it fetches if it may.
func (m *machine) kernel(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("PROFCHECK_KERNELS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "profcheck-kernels")
	}
	dir = filepath.Join(dir, m.Name)
	if image := newest(dir); image != "" {
		return image
	}
	if os.Getenv("CI") == "" && os.Getenv("PROFCHECK_KERNELS_FETCH") == "" {
		t.Skipf("no kernel in %s; PROFCHECK_KERNELS_FETCH=1 has it fetched from Debian", dir)
	}
	if err := m.fetch(dir); err != nil {
		missing(t, "the kernel for %s: %v", m.Name, err)
	}
	return newest(dir)
}

// newest returns the kernel in a folder, "" if there is none.
func newest(dir string) string {
	images, _ := filepath.Glob(filepath.Join(dir, "vmlinu*"))
	if len(images) == 0 {
		return ""
	}
	return images[len(images)-1]
}

// fetch takes the kernel of Debian's package for the architecture. Apt gets folders of its own, so
// that neither root's rights nor a change of the system's architectures is needed.
func (m *machine) fetch(dir string) error {
	tmp, err := os.MkdirTemp("", "profcheck-kernels")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, d := range []string{"state/lists/partial", "cache/archives/partial", "out"} {
		if err := os.MkdirAll(filepath.Join(tmp, d), 0o755); err != nil {
			return err
		}
	}
	config := fmt.Sprintf(`Dir::State %q; Dir::State::status %q; Dir::Cache %q;
		APT::Architecture %q; APT::Architectures { %[4]q; };
		APT::Sandbox::User ""; Acquire::Languages "none"; Acquire::Retries "3";`,
		filepath.Join(tmp, "state"), filepath.Join(tmp, "status"), filepath.Join(tmp, "cache"), m.Name)
	if err := os.WriteFile(filepath.Join(tmp, "apt.conf"), []byte(config), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "status"), nil, 0o644); err != nil {
		return err
	}
	run := func(name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = tmp
		cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(tmp, "apt.conf"), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, tail(string(out), 5))
		}
		return string(out), err
	}
	// One index that does not arrive, of another repository or in the middle of a mirror's update, is
	// no harm if the package is found.
	_, updateErr := run("apt-get", "update")
	depends, err := run("apt-cache", "depends", m.Package)
	name := regexp.MustCompile(`Depends: (linux-image-\S+)`).FindStringSubmatch(depends)
	if err != nil || name == nil {
		return fmt.Errorf("package %s is not found: %w, %w", m.Package, err, updateErr)
	}
	if _, err := run("apt-get", "download", name[1]); err != nil {
		return err
	}
	debs, _ := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if len(debs) != 1 {
		return fmt.Errorf("%s: downloaded %q", name[1], debs)
	}
	if _, err := run("dpkg-deb", "-x", debs[0], "out"); err != nil {
		return err
	}
	image := newest(filepath.Join(tmp, "out", "boot"))
	if image == "" {
		return fmt.Errorf("%s: no kernel in it", name[1])
	}
	return install(image, dir)
}

// install copies a file into a folder so that it is there whole or not at all.
func install(file, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, ".new-"+filepath.Base(file))
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, filepath.Base(file)))
}

// tail returns the last lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
