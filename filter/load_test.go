package filter

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// A step is one call of a scenario.
type step struct {
	kind  uint8
	flags uint32
	p     Program
}

const (
	stepAttach     = iota
	stepNoNewPrivs // prctl(PR_SET_NO_NEW_PRIVS)
	stepDropCaps   // all capabilities
	stepStrict     // seccomp(SECCOMP_SET_MODE_STRICT), never without a filter: the thread would be stuck
	stepClose      // the listener's file descriptor
)

func attach(p Program, flags uint32) step { return step{stepAttach, flags, p} }

func encodeScenarios(scenarios [][]step) []byte {
	var b []byte
	for _, s := range scenarios {
		b = binary.NativeEndian.AppendUint32(b, uint32(len(s)))
		for _, st := range s {
			b = append(b, st.kind)
			b = binary.NativeEndian.AppendUint32(b, st.flags)
			b = append(b, encodePrograms([]Program{st.p})...)
		}
	}
	return b
}

func decodeScenarios(b []byte) [][]step {
	var scenarios [][]step
	number := func() uint32 {
		n := binary.NativeEndian.Uint32(b)
		b = b[4:]
		return n
	}
	for len(b) > 0 {
		s := make([]step, number())
		for i := range s {
			s[i].kind = b[0]
			b = b[1:]
			s[i].flags = number()
			size := number() * InsnSize
			s[i].p, _ = Decode(b[:size], binary.NativeEndian)
			b = b[size:]
		}
		scenarios = append(scenarios, s)
	}
	return scenarios
}

// expect returns what the model says of a step, as askLoader has it, with 0 for every success and
// 1 for the id of a thread.
func (l *Loader) expect(s step) int32 {
	var err error
	switch s.kind {
	case stepAttach:
		err = l.Attach(s.p, s.flags)
	case stepNoNewPrivs:
		l.NoNewPrivs = true
	case stepDropCaps:
		l.SysAdmin = false
	case stepStrict:
		err = l.AttachStrict()
	case stepClose:
		if !l.Listener {
			return -9 // EBADF, the child's own
		}
		l.Listener = false
	}
	var verr *VerifyError
	if !errors.As(err, &verr) {
		return 0
	}
	if verr.Errno == 0 {
		return 1
	}
	return -int32(verr.Errno)
}

// notBlinded skips where the kernel blinds constants: what it counts is no matter of the program alone
// then.
func notBlinded(t *testing.T) {
	t.Helper()
	setting, err := os.ReadFile("/proc/sys/net/core/bpf_jit_harden")
	if err != nil || strings.TrimSpace(string(setting)) == "0" {
		return // the file is for root alone to read: the tests will tell
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("net.core.bpf_jit_harden is %s", setting)
	}
	t.Skipf("net.core.bpf_jit_harden is %s", setting)
}

// compareLoader plays the scenarios on the kernel and on the model, and returns how often the model
// answered what.
func compareLoader(t *testing.T, scenarios [][]step, diverged bool) map[int32]int {
	t.Helper()
	seen := make(map[int32]int)
	admin, privs := hasSysAdmin(t), hasNoNewPrivs(t)
	answers := askLoader(t, scenarios, diverged)
	for i, s := range scenarios {
		l := &Loader{SysAdmin: admin, NoNewPrivs: privs, Diverged: diverged}
		for j, st := range s {
			got, want := answers[i][j], l.expect(st)
			if st.kind == stepAttach && got > 0 {
				got = 1
				if st.flags&FlagNewListener != 0 {
					got = 0 // a file descriptor
				}
			}
			seen[want]++
			if got != want {
				t.Errorf("scenario %d, step %d (kind %d, %d instructions, flags %s): the kernel says %d, the model %d",
					i, j, st.kind, len(st.p), FlagNames(st.flags), got, want)
			}
		}
	}
	return seen
}

// TestFlagsRunningKernel tries all combinations of flags, known and not, on threads in all states
// that the loader looks at.
func TestFlagsRunningKernel(t *testing.T) {
	notBlinded(t)
	good, bad := Program{Return(Allow)}, Program{Stmt(OpDivK, 0), Return(Allow)}
	full := repeat(4095, Return(Allow), Return(Allow))
	privs, drop := step{kind: stepNoNewPrivs}, step{kind: stepDropCaps}
	var flags []uint32
	for f := range uint32(128) {
		flags = append(flags, f)
	}
	for bit := 7; bit < 32; bit++ {
		flags = append(flags, 1<<bit, 1<<bit|FlagTSync, 1<<bit|FlagNewListener)
	}
	var scenarios [][]step
	for _, f := range flags {
		last := []Program{good, bad, {}, repeat(4097, Return(Allow)), full}
		for _, p := range last {
			scenarios = append(scenarios,
				[]step{privs, attach(p, f)},
				[]step{drop, attach(p, f)},
				[]step{privs, attach(good, FlagNewListener), attach(p, f)},
				[]step{privs, attach(good, FlagNewListener), {kind: stepClose}, attach(p, f)},
			)
		}
		// The path is nearly full, so that ENOMEM meets EBUSY and ESRCH.
		scenarios = append(scenarios, []step{privs, attach(full, FlagNewListener), attach(full, 0), attach(full, 0), attach(full, f)})
	}
	seen := compareLoader(t, scenarios, true)
	t.Logf("%d scenarios, answers %v", len(scenarios), seen)
	for _, want := range []int32{0, 1, -einval, -eacces, -ebusy, -enomem, -esrch} {
		if want == -eacces && hasNoNewPrivs(t) {
			continue // inherited, and there is no way back
		}
		if seen[want] == 0 {
			t.Errorf("nothing was answered with %d", want)
		}
	}
}

// TestLoaderRunningKernel plays random scenarios.
func TestLoaderRunningKernel(t *testing.T) {
	notBlinded(t)
	rng := rand.New(rand.NewPCG(21, 22))
	admin, privs := hasSysAdmin(t), hasNoNewPrivs(t)
	var scenarios [][]step
	for range 2000 {
		var s []step
		l := &Loader{SysAdmin: admin, NoNewPrivs: privs, Diverged: true}
		for range 1 + rng.IntN(12) {
			st := randomStep(rng)
			if st.kind == stepStrict && len(l.Filters) == 0 {
				continue
			}
			l.expect(st)
			s = append(s, st)
		}
		scenarios = append(scenarios, s)
	}
	seen := compareLoader(t, scenarios, true)
	t.Logf("answers %v", seen)

	// Without a diverging thread TSYNC succeeds, and all threads have what this one has.
	var alone []step
	for i := range 200 {
		alone = append(alone, attach(Program{Return(Allow)}, uint32(i%64)))
		if i%20 == 0 {
			alone = append(alone, step{kind: stepNoNewPrivs}, step{kind: stepClose})
		}
	}
	seen = compareLoader(t, [][]step{alone}, false)
	if seen[0] < 50 || seen[-esrch] != 0 {
		t.Errorf("answers %v", seen)
	}
}

// randomStep returns a call that often succeeds.
func randomStep(rng *rand.Rand) step {
	switch rng.IntN(12) {
	case 0, 1:
		return step{kind: stepNoNewPrivs}
	case 2:
		return step{kind: stepClose}
	case 3:
		return step{kind: stepStrict}
	case 4:
		if rng.IntN(3) == 0 {
			return step{kind: stepDropCaps}
		}
	}
	st := step{flags: uint32(rng.IntN(64)), p: mutated(rng)}
	st.flags &= uint32(rng.IntN(64))
	if rng.IntN(3) > 0 {
		st.flags &^= FlagTSync | FlagWaitKillableRecv
	}
	switch {
	case rng.IntN(12) == 0:
		st.p = repeat(4095, Return(Allow), Return(Allow))
	case st.p.Verify() == nil:
		// What is attached judges the thread's further calls, and so it must allow them.
		st.p = repeat(len(st.p), Stmt(OpLdImm, rng.Uint32()), Return(Allow))
	}
	return st
}

// TestLoaderReasons is one refusal of each kind with its text.
func TestLoaderReasons(t *testing.T) {
	good := Program{Return(Allow)}
	full := repeat(4095, Return(Allow), Return(Allow))
	for _, tt := range []struct {
		l     Loader
		p     Program
		flags uint32
		want  string
	}{
		{Loader{}, good, 0, "filter: neither no_new_privs nor CAP_SYS_ADMIN in the own user namespace: EACCES by kernel/seccomp.c seccomp_prepare_filter"},
		{Loader{}, good, 64, "filter: unknown flags 0x40: EINVAL by kernel/seccomp.c seccomp_set_mode_filter"},
		{Loader{}, Program{}, 0, "filter: no instructions: EINVAL by kernel/seccomp.c seccomp_prepare_filter"},
		{Loader{NoNewPrivs: true}, good, 9, "filter: flags TSYNC and NEW_LISTENER need TSYNC_ESRCH, as both return a number: EINVAL by kernel/seccomp.c seccomp_set_mode_filter"},
		{Loader{SysAdmin: true}, good, 32, "filter: flag WAIT_KILLABLE_RECV needs NEW_LISTENER: EINVAL by kernel/seccomp.c seccomp_set_mode_filter"},
		{Loader{SysAdmin: true, Strict: true}, good, 0, "filter: the thread is in strict mode: EINVAL by kernel/seccomp.c seccomp_may_assign_mode"},
		{Loader{SysAdmin: true, Listener: true, Filters: []Program{good}}, good, 8, "filter: an attached filter has a listener: EBUSY by kernel/seccomp.c has_duplicate_listener"},
		{Loader{SysAdmin: true, Filters: []Program{full, full, full}}, full, 0, "filter: 8195 eBPF instructions and 24597 of the 3 attached filters, more than 32768 together: ENOMEM by kernel/seccomp.c seccomp_attach_filter"},
		{Loader{SysAdmin: true, Diverged: true}, good, 17, "filter: another thread has filters that this one has not: ESRCH by kernel/seccomp.c seccomp_can_sync_threads"},
		{Loader{SysAdmin: true, Diverged: true}, good, 1, "filter: another thread has filters that this one has not: the id of that thread by kernel/seccomp.c seccomp_can_sync_threads"},
		{Loader{SysAdmin: true, Diverged: true}, Program{Load(1)}, 1, "filter: instruction 0: the last instruction is no ret: EINVAL by net/core/filter.c bpf_check_classic"},
	} {
		before := len(tt.l.Filters)
		if err := tt.l.Attach(tt.p, tt.flags); err == nil || err.Error() != tt.want || len(tt.l.Filters) != before {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	l := Loader{}
	if err := l.AttachStrict(); err != nil || !l.Strict {
		t.Error(err)
	}
	l = Loader{Filters: []Program{good}}
	if err := l.AttachStrict(); err == nil || l.Strict || !strings.Contains(err.Error(), "filter mode: EINVAL") {
		t.Error(err)
	}
	for flags, want := range map[uint32]string{0: "0", 1: "TSYNC", 63: "TSYNC|LOG|SPEC_ALLOW|NEW_LISTENER|TSYNC_ESRCH|WAIT_KILLABLE_RECV", 0x8000000a: "LOG|NEW_LISTENER|0x80000000", 64: "0x40"} {
		if got := FlagNames(flags); got != want {
			t.Errorf("%#x is %s, want %s", flags, got, want)
		}
		if back, err := ParseFlags(want); err != nil || back != flags {
			t.Errorf("%s is %#x, %v", want, back, err)
		}
	}
	if got, err := ParseFlags("SECCOMP_FILTER_FLAG_LOG, tsync|0x80"); err != nil || got != 0x83 {
		t.Errorf("%#x, %v", got, err)
	}
	for text, want := range map[string]string{
		"LOGG": `unknown flag "LOGG", is it LOG?`, "SYNC|x-y": "is it TSYNC?", "0x100000000": `unknown flag "0x100000000", there are TSYNC, LOG`,
	} {
		if _, err := ParseFlags(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
