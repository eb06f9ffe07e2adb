package syscalls

import "testing"

func TestFirstKernel(t *testing.T) {
	for name, want := range map[string]string{
		"read": "1.0", "openat": "2.6", "getrandom": "3.17", "openat2": "5.6", "close_range": "5.9", "statx": "4.11",
		"faccessat2": "5.8", "clone3": "5.3", "memfd_secret": "5.14", "futex_waitv": "5.16", "cachestat": "6.5",
		"fchmodat2": "6.6", "mseal": "6.10", "setxattrat": "6.13", "listns": "6.19", "rseq_slice_yield": "7.0",
		"clock_gettime64": "5.1", "getxattr": "2.4", "pread64": "2.2", "io_uring_setup": "5.1", "rseq": "4.18",
		"uprobe": "unknown", "afs_syscall": "unknown", "no_such_call": "unknown", "": "unknown",
	} {
		k, ok := FirstKernel(name)
		if k.String() != want || ok != (want != "unknown") {
			t.Errorf("FirstKernel(%q) = %s, %v, want %s", name, k, ok, want)
		}
	}
	known := 0
	for _, name := range Names() {
		k, ok := FirstKernel(name)
		if NewestKernel().Less(k) || ok != (k != Kernel{}) {
			t.Errorf("%s: %s, newer than the table", name, k)
		}
		if ok {
			known++
		}
	}
	if known < 450 {
		t.Errorf("only %d first kernels known", known)
	}
	if NewestKernel() != (Kernel{7, 1}) {
		t.Errorf("the table's kernel is %s", NewestKernel())
	}
}

func TestRemovedIn(t *testing.T) {
	for name, want := range map[string]string{
		"_sysctl": "5.5", "nfsservctl": "3.1", "bdflush": "5.15", "create_module": "2.6", "query_module": "2.6",
		"read": "unknown", "uselib": "unknown", "afs_syscall": "unknown", "no_such_call": "unknown", "": "unknown",
	} {
		k, ok := RemovedIn(name)
		if k.String() != want || ok != (want != "unknown") {
			t.Errorf("RemovedIn(%q) = %s, %v, want %s", name, k, ok, want)
		}
	}
	for name := range removed {
		gone, _ := RemovedIn(name)
		if first, ok := FirstKernel(name); !ok || !first.Less(gone) || NewestKernel().Less(gone) || !Known(name) {
			t.Errorf("%s: since %s, removed in %s", name, first, gone)
		}
	}
}

func TestParseKernel(t *testing.T) {
	for text, want := range map[string]Kernel{
		"5.9": {5, 9}, "v6.1": {6, 1}, "2.6.39": {2, 6}, "6.1.0-18-amd64": {6, 1}, "6.12-rc5": {6, 12}, "7.1+": {7, 1},
	} {
		if got, err := ParseKernel(text); err != nil || got != want {
			t.Errorf("ParseKernel(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "6", "6.", ".1", "six.one", "-1.0", "0.0", "6.1 ", "6,1", "999.1", "6.999", "6. 1", "unknown"} {
		if got, err := ParseKernel(text); err == nil || got != (Kernel{}) {
			t.Errorf("ParseKernel(%q) = %v, %v, want an error", text, got, err)
		}
	}
	for _, name := range Names() {
		if k, ok := FirstKernel(name); ok {
			if back, err := ParseKernel(k.String()); err != nil || back != k {
				t.Errorf("%v does not come back: %v, %v", k, back, err)
			}
		}
	}
}

func TestLess(t *testing.T) {
	order := []Kernel{{}, {1, 0}, {2, 2}, {2, 6}, {4, 20}, {5, 0}, {5, 10}, {6, 9}, {6, 10}, {7, 1}}
	for i, a := range order {
		for j, b := range order {
			if a.Less(b) != (i < j) {
				t.Errorf("%s less than %s: %v", a, b, a.Less(b))
			}
		}
	}
}
