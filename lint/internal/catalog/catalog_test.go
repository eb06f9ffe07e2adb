package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// Every name in the catalogue must be a call of some ABI, or the entry can never be used.
func TestNamesAreKnown(t *testing.T) {
	known := func(where, name string) {
		t.Helper()
		if !syscalls.Known(name) {
			t.Errorf("%s: %s is not a system call", where, name)
		}
	}
	for _, d := range Dangers() {
		for _, name := range d.Names {
			known("danger "+d.Key, name)
		}
	}
	for _, e := range Tolerances() {
		known("tolerance", e.Name)
	}
	for _, f := range families {
		for _, name := range f {
			known("family", name)
		}
	}
	for word, names := range wrappers {
		if syscalls.Known(word) {
			t.Errorf("wrapper %s is a system call itself", word)
		}
		for _, name := range names {
			known("wrapper "+word, name)
		}
	}
}

func TestDangersAreOrderedAndSaid(t *testing.T) {
	seen := make(map[string]bool)
	rank := 101
	for _, d := range Dangers() {
		if d.Rank >= rank || d.Rank < 1 {
			t.Errorf("%s: rank %d after %d", d.Key, d.Rank, rank)
		}
		rank = d.Rank
		if d.Key == "" || d.Why == "" || d.Source == "" || strings.HasSuffix(d.Why, ".") {
			t.Errorf("%s: incomplete entry", d.Key)
		}
		for _, c := range d.Caps {
			if !strings.HasPrefix(c, "CAP_") {
				t.Errorf("%s: capability %s", d.Key, c)
			}
		}
		for _, name := range append([]string{d.Key + " (key)"}, d.Names...) {
			if seen[name] {
				t.Errorf("%s: %s twice", d.Key, name)
			}
			seen[name] = true
		}
		if DangerByKey(d.Key).Rank != d.Rank || Rank(d.Names[0]) != d.Rank || DangerOf(d.Names[0]).Key != d.Key {
			t.Errorf("%s: not found by its names", d.Key)
		}
	}
	if Rank("read") != 0 || DangerOf("read") != nil {
		t.Error("read counts as dangerous")
	}
}

func TestCompare(t *testing.T) {
	names := []string{"write", "process_vm_readv", "bpf", "read", "ptrace", "kexec_load"}
	slices.SortFunc(names, Compare)
	want := []string{"kexec_load", "bpf", "ptrace", "process_vm_readv", "read", "write"}
	if !slices.Equal(names, want) {
		t.Errorf("order %v, want %v", names, want)
	}
}

func TestTolerated(t *testing.T) {
	for _, e := range Tolerances() {
		if e.Why == "" || e.Source == "" || len(e.Functions) == 0 {
			t.Errorf("%s: incomplete entry", e.Name)
		}
	}
	cases := []struct {
		name     string
		errno    int
		function string
		want     bool
	}{
		{"prctl", 1, "runtime.setVMAName", true},
		{"prctl", 0, "runtime.setVMAName", false},
		{"prctl", 1, "main.setVMAName", false},
		{"getrandom", 38, "internal/syscall/unix.GetRandom", true},
		{"getrandom", 1, "internal/syscall/unix.GetRandom", false},
		{"waitid", 38, "os.(*Process).pidfdWait.func1", true},
		{"waitid", 1, "os.(*Process).pidfdWait.func1", false},
		{"waitid", 1, "os.checkPidfd", true},
		{"madvise", 1, "runtime.madvise", true},
		{"madvise", 1, "runtime.madviseX", false},
		{"write", 1, "runtime.madvise", false},
		{"rseq", 1, "/lib64/ld-linux-x86-64.so.2", true},
		{"rseq", 38, "/lib/ld-linux-aarch64.so.1", true},
		{"set_robust_list", 38, "/lib64/ld64.so.2", true},
		{"access", 1, "ld.so.1", true},
		{"access", 1, "/lib/ld-musl-x86_64.so.1", false},
		{"rseq", 1, "main.so.2", false},
		{"clone", 1, "syscall.doCheckClonePidfd", true},
		{"clone", 1, "runtime.clone", false},
	}
	for _, c := range cases {
		if got := Tolerated(c.name, c.errno, []string{"main.main", c.function}) != nil; got != c.want {
			t.Errorf("Tolerated(%s, %d, %s) = %v, want %v", c.name, c.errno, c.function, got, c.want)
		}
	}
}

// Who makes a call decides: a library for itself, or the program through its wrapper.
func TestOwnCode(t *testing.T) {
	const libc, musl, loader = "@libc.so.6", "@ld-musl-aarch64.so.1", "@ld-linux-aarch64.so.1"
	for _, c := range []struct {
		name      string
		errno     int
		functions []string
		want      bool
	}{
		{"clone3", enosys, []string{libc}, true},
		{"clone3", enosys, []string{libc, "pthread_create" + libc}, true},
		{"clone3", eperm, []string{libc, "pthread_create" + libc}, false},
		{"clone3", enosys, []string{"syscall" + libc}, false},
		{"clone3", enosys, []string{"syscall" + libc, "main.start"}, false},
		{"clone3", enosys, []string{"syscall" + libc, libc}, true},
		{"clone3", enosys, []string{"@libsandbox.so.1"}, false},
		{"clone3", enosys, []string{"clone3"}, false},
		{"clone3", enosys, []string{"__clone3"}, true},
		{"clone3", enosys, nil, false},
		{"getrandom", enosys, []string{"getrandom" + libc, libc, "malloc" + libc}, true},
		{"getrandom", enosys, []string{libc, "getrandom" + libc}, false},
		{"getrandom", enosys, []string{"getrandom" + libc, "getentropy" + libc}, false},
		{"getrandom", enosys, []string{"getrandom" + libc, "main", libc}, false},
		{"statx", enosys, []string{"statx" + libc}, true},
		{"statx", enosys, []string{"syscall" + libc}, false},
		{"prlimit64", eperm, []string{"getrlimit" + libc, "__libc_early_init" + libc}, true},
		{"prlimit64", eperm, []string{"getrlimit" + libc}, false},
		{"mremap", eperm, []string{"mremap" + musl, musl, "realloc" + musl}, true},
		{"mremap", eperm, []string{"mremap" + musl, "pthread_getattr_np" + musl}, false},
		{"set_robust_list", eperm, []string{loader, loader}, true},
		{"clone3", enosys, []string{loader}, false},
	} {
		if got := Tolerated(c.name, c.errno, c.functions) != nil; got != c.want {
			t.Errorf("Tolerated(%s, %d, %q) = %v", c.name, c.errno, c.functions, got)
		}
	}
}

func TestSiblings(t *testing.T) {
	for _, f := range families {
		for _, name := range f {
			s := Siblings(name)
			if slices.Contains(s, name) || len(s) == 0 {
				t.Errorf("Siblings(%s) = %v", name, s)
			}
			for _, other := range s {
				if !slices.Contains(Siblings(other), name) {
					t.Errorf("%s is a sibling of %s but not the other way", other, name)
				}
			}
		}
	}
	if Siblings("bpf") != nil || KernelNames("read") != nil {
		t.Error("bpf has siblings or read is a wrapper")
	}
	if got := KernelNames("fstatat"); !slices.Contains(got, "newfstatat") {
		t.Errorf("KernelNames(fstatat) = %v", got)
	}
}
