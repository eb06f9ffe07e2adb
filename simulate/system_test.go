package simulate

import (
	"strings"
	"testing"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

func TestEffect(t *testing.T) {
	old := func(major, minor int) System { return System{Kernel: syscalls.Kernel{Major: major, Minor: minor}} }
	watched := System{Tracer: true, Listener: true, LogFlag: true}
	for _, tt := range []struct {
		s    System
		a    filter.Action
		want Effect
	}{
		{System{}, filter.Allow, Effect{Runs, -1, false, "", "the call runs"}},
		{watched, filter.Allow, Effect{Runs, -1, false, "", "the call runs"}},
		{System{}, filter.Log, Effect{Runs, -1, true, "", "the call runs and is logged"}},
		{System{}, filter.ErrnoAction(1), Effect{Fails, 1, false, "", "the call does not run and fails with EPERM: the filter says so"}},
		{watched, filter.ErrnoAction(1), Effect{Fails, 1, true, "", "the call does not run and fails with EPERM: the filter says so"}},
		{System{}, filter.ErrnoAction(0), Effect{Fails, 0, false, "", "the call does not run and returns 0"}},
		{System{}, filter.ErrnoAction(5000), Effect{Fails, 4095, false, "", "the call does not run and fails with errno 4095: the filter says so"}},
		{System{}, filter.Trap | 7, Effect{Signal, -1, false, "SIGSYS", "the call does not run, the thread gets SIGSYS with si_errno 7"}},
		{System{}, filter.Trace | 7, Effect{Fails, 38, false, "", "the call does not run and fails with ENOSYS: there is no tracer"}},
		{watched, filter.Trace | 7, Effect{Asks, -1, true, "", "a tracer decides, event message 7"}},
		{System{Listener: true}, filter.Trace, Effect{Fails, 38, false, "", "the call does not run and fails with ENOSYS: there is no tracer"}},
		{System{}, filter.UserNotif, Effect{Fails, 38, false, "", "the call does not run and fails with ENOSYS: there is no listener"}},
		{System{Tracer: true}, filter.UserNotif, Effect{Fails, 38, false, "", "the call does not run and fails with ENOSYS: there is no listener"}},
		{watched, filter.UserNotif, Effect{Asks, -1, true, "", "the holder of the listener decides"}},
		{System{}, filter.KillThread, Effect{KillsThread, -1, true, "SIGSYS", "the thread is killed by SIGSYS"}},
		{System{}, filter.KillProcess, Effect{KillsProcess, -1, true, "SIGSYS", "the process is killed by SIGSYS"}},
		{System{}, 0x00060001, Effect{KillsProcess, -1, true, "SIGSYS", "the kernel does not know the action 0x00060001: the process is killed by SIGSYS"}},
		{old(5, 9), 0x00060001, Effect{KillsThread, -1, true, "SIGSYS", "the kernel does not know the action 0x00060001: the thread is killed by SIGSYS"}},
		{old(4, 20), filter.UserNotif, Effect{KillsThread, -1, true, "SIGSYS", "the kernel does not know the action 0x7fc00000: the thread is killed by SIGSYS"}},
		{old(5, 0), filter.UserNotif, Effect{Fails, 38, false, "", "the call does not run and fails with ENOSYS: there is no listener"}},
		{old(4, 13), filter.Log, Effect{KillsThread, -1, true, "SIGSYS", "the kernel does not know the action 0x7ffc0000: the thread is killed by SIGSYS"}},
		{old(4, 14), filter.Log, Effect{Runs, -1, true, "", "the call runs and is logged"}},
	} {
		if got := tt.s.Effect(tt.a); got != tt.want {
			t.Errorf("%+v %v:\n%+v, want\n%+v", tt.s, tt.a, got, tt.want)
		}
	}
	if Asks.String() != "asks" || EffectKind(99).String() != "EffectKind(99)" {
		t.Errorf("names %v, %v", Asks, EffectKind(99))
	}
}

func TestExempt(t *testing.T) {
	for _, tt := range []struct {
		arch   string
		nr     int32
		kernel syscalls.Kernel
		want   bool
	}{
		{"x86_64", 335, syscalls.Kernel{}, true},
		{"x86_64", 336, syscalls.Kernel{}, true},
		{"x86_64", 335, syscalls.Kernel{Major: 6, Minor: 14}, true},
		{"x86_64", 335, syscalls.Kernel{Major: 6, Minor: 13}, false},
		{"x86_64", 336, syscalls.Kernel{Major: 6, Minor: 18}, true},
		{"x86_64", 336, syscalls.Kernel{Major: 6, Minor: 17}, false},
		{"x86_64", 334, syscalls.Kernel{}, false},
		{"x86_64", 337, syscalls.Kernel{}, false},
		{"x32", 0x40000000 + 335, syscalls.Kernel{}, false},
		{"x86", 335, syscalls.Kernel{}, false}, // rt_tgsigqueueinfo
		{"aarch64", 335, syscalls.Kernel{}, false},
	} {
		reason, got := System{Kernel: tt.kernel}.Exempt(syscalls.ByName(tt.arch), tt.nr)
		if got != tt.want || got != strings.Contains(reason, "probe is the kernel's own call") {
			t.Errorf("%s %d on %v: %v, %q", tt.arch, tt.nr, tt.kernel, got, reason)
		}
	}
}

// TestStrict goes through all ABIs, as their asm/seccomp.h have it.
func TestStrict(t *testing.T) {
	want := map[string][]int32{
		"x86_64": {0, 1, 15, 60}, "x86": {1, 3, 4, 119}, "x32": nil,
		"arm": {1, 3, 4, 173}, "aarch64": {63, 64, 93, 139}, "riscv64": {63, 64, 93, 139}, "loongarch64": {63, 64, 93, 139},
		"s390": {1, 3, 4, 119}, "s390x": {1, 3, 4, 119}, "ppc": {1, 3, 4, 119}, "ppc64": {1, 3, 4, 172}, "ppc64le": {1, 3, 4, 172},
		"mips": {4001, 4003, 4004, 4193}, "mipsel": {4001, 4003, 4004, 4193},
		"mips64": {5000, 5001, 5058, 5211}, "mipsel64": {5000, 5001, 5058, 5211},
		"mips64n32": {6000, 6001, 6058, 6211}, "mipsel64n32": {6000, 6001, 6058, 6211},
		"parisc": {1, 3, 4, 173}, "parisc64": {1, 3, 4, 173}, "m68k": {1, 3, 4, 173}, "sh": {1, 3, 4, 173}, "sheb": {1, 3, 4, 173},
	}
	for _, a := range syscalls.Arches() {
		var got []int32
		for _, c := range a.Syscalls() {
			if Strict(a, c.Nr) {
				got = append(got, c.Nr)
			}
		}
		list, ok := want[a.Name]
		if !ok || len(got) != len(list) {
			t.Errorf("%s: %v, want %v", a, got, list)
			continue
		}
		for i := range list {
			if got[i] != list[i] {
				t.Errorf("%s: %v, want %v", a, got, list)
			}
		}
		if Strict(a, -1) {
			t.Errorf("%s: -1", a)
		}
	}
}
