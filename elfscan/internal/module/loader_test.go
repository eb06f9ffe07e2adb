package module

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// compile builds a program of testdata with the C compiler of this machine.
func compile(t *testing.T, out string, args ...string) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("needs the loader of Linux on x86-64")
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		missing(t, "%v", err)
	}
	if out, err := exec.Command(gcc, append(args, "-o", out)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestLookupAgainstLoader asks dlsym and dlvsym for every name of some libraries, with each version
// that it has and with one of another name.
func TestLookupAgainstLoader(t *testing.T) {
	ask := filepath.Join(t.TempDir(), "ask")
	compile(t, ask, "testdata/ask.c")
	asked := map[string]bool{}
	for _, program := range []string{ask, "redis-server", "python3"} {
		for _, path := range closure(program) {
			switch name := filepath.Base(path); name {
			case "libc.so.6", "libm.so.6", "libstdc++.so.6", "libcrypto.so.3":
				if !asked[name] {
					asked[name] = true
					askLoader(t, ask, path)
				}
			}
		}
	}
	if !asked["libc.so.6"] {
		t.Error("the loader does not say which C library it takes")
	}
}

func askLoader(t *testing.T, ask, path string) {
	m := open(t, path)
	var in strings.Builder
	var want []string
	put := func(name, version string, i uint32, ok bool) {
		s := &m.Symbols[i]
		if ok && s.Type == elf.STT_GNU_IFUNC || s.Type == elf.STT_TLS || s.Absolute {
			return // the loader gives what these lead to
		}
		if version == "" {
			version = "-"
		}
		fmt.Fprintln(&in, name, version)
		if ok {
			want = append(want, fmt.Sprintf("%s %s %#x", name, version, s.Addr))
		} else {
			want = append(want, fmt.Sprintf("%s %s -", name, version))
		}
	}
	for i := range m.Symbols {
		s := &m.Symbols[i]
		if !s.Defined || s.Name == "" {
			continue
		}
		for _, version := range []string{s.Version, "GLIBC_2.14", "GLIBC_9"} {
			if version != "" {
				i, ok := m.Lookup(s.Name, version)
				put(s.Name, version, i, ok)
			}
		}
		newest, ok := m.LookupNewest(s.Name)
		put(s.Name, "", newest, ok)
	}
	cmd := exec.Command(ask, path)
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	wrong := 0
	answers := strings.Fields(string(out))
	if len(answers) != len(want) {
		t.Fatalf("%s: %d answers to %d questions", path, len(answers), len(want))
	}
	for i, a := range answers {
		if question, _, _ := strings.Cut(want[i], " "); !strings.HasSuffix(want[i], " "+a) && wrong < 5 {
			t.Errorf("%s: %s: here %s, the loader has %s", path, question, want[i], a)
			wrong++
		}
	}
	t.Logf("%s: %d questions", path, len(want))
}

// TestUnversionedReference links a program with a library that has no versions, and runs it with
// one that has two.
func TestUnversionedReference(t *testing.T) {
	dir := t.TempDir()
	plain, library := filepath.Join(dir, "plain.so"), filepath.Join(dir, "libdemo.so.1")
	if err := os.WriteFile(filepath.Join(dir, "plain.c"), []byte("int twice(int x) { return 0; }"), 0o666); err != nil {
		t.Fatal(err)
	}
	compile(t, plain, "-shared", "-fPIC", "-Wl,-soname,libdemo.so.1", filepath.Join(dir, "plain.c"))
	compile(t, filepath.Join(dir, "old"), "testdata/old.c", plain)
	compile(t, library, "-shared", "-fPIC", "-Wl,--version-script=testdata/lib.map,-soname,libdemo.so.1", "testdata/lib.c")
	cmd := exec.Command(filepath.Join(dir, "old"))
	cmd.Env = []string{"LD_LIBRARY_PATH=" + dir}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := strconv.Atoi(strings.TrimSpace(string(out)))
	version := map[int]string{20: "LIB_1", 30: "LIB_2"}[got] // lib.c: 10 + 10, or 2 * 10 + 9 + 1
	m := open(t, library)
	if i, ok := m.Lookup("twice", ""); !ok || m.Symbols[i].Version != version {
		t.Errorf("an unversioned twice is %q here; the loader took %q (%d)", m.Symbols[i].Version, version, got)
	}
}
