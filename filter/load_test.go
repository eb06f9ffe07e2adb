package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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

// measured is how many copies of equal filters a Linux 6.18 kernel took before ENOMEM.
func measured() map[string]struct {
	p      Program
	copies int
} {
	return map[string]struct {
		p      Program
		copies int
	}{
		"one ret":         {Program{Return(Allow)}, 3641},
		"4096 ret":        {repeat(4095, Return(Allow), Return(Allow)), 3},
		"4096 small jeq":  {repeat(4095, Jump(OpJeqK, 1, 0, 0), Return(Allow)), 7},
		"4096 large jeq":  {repeat(4095, Jump(OpJeqK, 1<<31, 0, 0), Return(Allow)), 3},
		"4096 loads":      {repeat(4095, Load(0), Return(Allow)), 7},
		"100 divisions":   {append(repeat(100, Stmt(OpLdxImm, 1)), repeat(100, Stmt(OpDivX, 0), Return(Allow))...), 53},
		"both branches":   {append(repeat(1000, Jump(OpJgtK, 7, 1, 2)), Return(Allow), Return(Allow), Return(Allow)), 16},
		"jset turned":     {append(repeat(1000, Jump(OpJsetX, 0, 0, 1)), Return(Allow), Return(Allow)), 16},
		"jge turned":      {append(repeat(1000, Jump(OpJgeX, 0, 0, 1)), Return(Allow), Return(Allow)), 32},
		"jge turned high": {append(repeat(1000, Jump(OpJgeK, 1<<31, 0, 1)), Return(Allow), Return(Allow)), 16},
	}
}

func TestCopies(t *testing.T) {
	var scenarios [][]step
	names := make([]string, 0)
	for name, m := range measured() {
		if got := m.p.Size().Copies; got != m.copies {
			t.Errorf("%s: %d copies of %d, want %d", name, got, m.p.KernelLen(), m.copies)
		}
		l := Loader{NoNewPrivs: true}
		n := 0
		for l.Attach(m.p, 0) == nil {
			n++
		}
		if n != m.copies {
			t.Errorf("%s: %d attached, want %d", name, n, m.copies)
		}
		scenario := []step{{kind: stepNoNewPrivs}}
		for range m.copies + 2 {
			scenario = append(scenario, attach(m.p, 0))
		}
		scenarios = append(scenarios, scenario)
		names = append(names, name)
	}
	notBlinded(t)
	for i, answers := range askLoader(t, scenarios, true) {
		if n := slices.Index(answers, -enomem); n != len(answers)-2 {
			t.Errorf("%s: the kernel took %d", names[i], n-1)
		}
	}
}

// TestPathRunningKernel finds out KernelLen of random programs exactly: filled up with loads until
// the path is full to the last instruction they are accepted, and with one load more they are not.
func TestPathRunningKernel(t *testing.T) {
	notBlinded(t)
	rng := rand.New(rand.NewPCG(31, 32))
	count := 300
	if os.Getenv("PROFCHECK_FULL") != "" {
		count = 5000
	}
	jump, large := Jump(OpJeqK, 0, 0, 0), Jump(OpJeqK, 1<<31, 0, 0)
	bases := [][]Program{
		slices.Repeat([]Program{repeat(4095, jump, Return(Allow))}, 7),
		slices.Repeat([]Program{{Return(Allow)}}, 3200),
		append(slices.Repeat([]Program{repeat(2047, large, Return(Allow))}, 6), repeat(4095, jump, Return(Allow))),
	}
	for i, base := range bases {
		room := MaxPath
		for _, f := range base {
			room -= f.KernelLen() + PathPenalty
		}
		var programs []Program
		var want []int
		for len(programs) < 2*count {
			p := validProgram(rng, 4+rng.IntN(60))
			fill := room - p.KernelLen()
			if err := p.Verify(); err != nil || fill < 0 || fill+1+len(p) > MaxInsns {
				t.Fatalf("base %d: %v, %d left of %d", i, err, fill, room)
			}
			programs = append(programs, append(repeat(fill, Load(0)), p...), append(repeat(fill+1, Load(0)), p...))
			want = append(want, 0, enomem)
		}
		for j, errno := range askKernel(t, base, programs) {
			if int(errno) != want[j] {
				t.Errorf("base %d, program %d of %d: the kernel says %s, want %s: %v", i, j, programs[j].KernelLen(), ErrnoName(int(errno)), ErrnoName(want[j]), programs[j][room-programs[j].KernelLen():])
			}
			if t.Failed() && j > 50 {
				break
			}
		}
	}
}

// validProgram returns a random program of n instructions or a few more that loads, with every
// code that seccomp allows.
func validProgram(rng *rand.Rand, n int) Program {
	codes := Opcodes()
	p := Program{}
	for i := range uint32(MemWords) {
		p = append(p, Stmt(OpSt, i))
	}
	for len(p) < n+MemWords {
		left := n + MemWords - len(p)
		in := Insn{Code: codes[rng.IntN(len(codes))], K: rng.Uint32() >> (rng.IntN(2) * 30)}
		switch shapes[in.Code].form {
		case formWord:
			in.K = uint32(rng.IntN(16) * 4)
		case formMem:
			in.K %= MemWords
		case formJump:
			in.K %= uint32(left)
		case formBranchK, formBranchX:
			in.Jt, in.Jf = uint8(rng.IntN(min(left, 3))), uint8(rng.IntN(min(left, 3)))
		}
		switch in.Code {
		case OpLshK, OpRshK:
			in.K %= 32
		case OpDivK:
			in.K = max(in.K, 1)
		}
		p = append(p, in)
	}
	return append(p, Return(Allow))
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		p    Program
		want SizeInfo
	}{
		{Program{}, SizeInfo{0, 0, 3, 0, 4681}},
		{Program{Return(Allow)}, SizeInfo{1, 8, 5, 1, 3641}},
		{Program{Load(0), Jump(OpJeqK, 1, 2, 0), Load(4), Stmt(OpTax, 0), Stmt(OpRetA, 0)}, SizeInfo{5, 40, 8, 5, 2731}},
		{Program{Load(0), Jump(OpJeqK, 1, 2, 1), Load(4), Stmt(OpTax, 0), Stmt(OpRetA, 0)}, SizeInfo{5, 40, 9, 4, 2520}},
		{Program{Stmt(OpJa, 1), Return(Allow), Return(Allow)}, SizeInfo{3, 24, 8, 2, 2731}},
		{Program{Stmt(OpJa, 0xffffffff), Jump(OpJsetX, 0, 255, 255)}, SizeInfo{2, 16, 6, 1, 3277}},
	} {
		if got := tt.p.Size(); got != tt.want {
			t.Errorf("%v: got %+v, want %+v", tt.p, got, tt.want)
		}
	}
	// Every way through small programs, one after the other.
	rng := rand.New(rand.NewPCG(61, 62))
	for range 500 {
		p := validProgram(rng, 10)
		if got, want := p.Size().LongestPath, p.walk(0); got != want {
			t.Fatalf("longest path %d, want %d: %v", got, want, p)
		}
	}
	// A long program whose ways are too many to walk.
	p := append(repeat(4000, Jump(OpJeqX, 0, 1, 0)), Return(Allow), Return(Allow))
	if got := p.Size().LongestPath; got != 4001 {
		t.Error(fmt.Sprint("longest path ", got))
	}
}

// walk returns the length of the longest way from an instruction of a program that loads.
func (p Program) walk(pc int) int {
	in := p[pc]
	switch {
	case in.Code&classMask == ClassRet:
		return 1
	case in.Code == OpJa:
		return 1 + p.walk(pc+1+int(in.K))
	case in.Code&classMask == ClassJmp:
		return 1 + max(p.walk(pc+1+int(in.Jt)), p.walk(pc+1+int(in.Jf)))
	}
	return 1 + p.walk(pc+1)
}
