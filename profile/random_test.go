package profile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// A shape says what random profiles look like.
type shape struct {
	ops     []Op
	actions []string
	defects []string // default actions
	rules   int      // most rules
	calls   []string // names to choose from
	sameOne bool     // all conditions of a call on one argument
}

var allActions = []string{
	`"SCMP_ACT_ALLOW"`, `"SCMP_ACT_ERRNO"`, `"SCMP_ACT_ERRNO","errnoRet":0`, `"SCMP_ACT_ERRNO","errnoRet":38`,
	`"SCMP_ACT_KILL"`, `"SCMP_ACT_KILL_PROCESS"`, `"SCMP_ACT_LOG"`, `"SCMP_ACT_TRAP"`, `"SCMP_ACT_TRACE","errnoRet":7`,
}

var allDefaults = []string{
	`"SCMP_ACT_ALLOW"`, `"SCMP_ACT_LOG"`, `"SCMP_ACT_ERRNO"`, `"SCMP_ACT_ERRNO","defaultErrnoRet":38`, `"SCMP_ACT_KILL_PROCESS"`,
}

// someCalls are calls of every kind: direct, multiplexed, of some ABIs only, with private numbers,
// unknown.
var someCalls = []string{
	"read", "write", "open", "openat", "clone", "socket", "connect", "send", "accept", "accept4", "socketcall", "ipc", "semop",
	"shmat", "msgget", "mmap2", "stat64", "personality", "ioctl", "futex_time64", "set_tls", "arch_prctl", "mseal", "s390_sthyi",
	"nosuchcall", "x32nothing", "readv", "execve", "exit_group", "_llseek",
}

var interesting = []uint64{
	0, 1, 2, 5, 0x7f, 0x80, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x100000000, 0x100000001, 0x1_0000_0005,
	0x7fffffff_ffffffff, 0x80000000_00000000, 0xffffffff_00000000, math.MaxUint64 - 1, math.MaxUint64,
}

func pick[T any](rnd *rand.Rand, list []T) T { return list[rnd.IntN(len(list))] }

func randomArg(rnd *rand.Rand, s shape, index int) string {
	value := func() uint64 {
		if rnd.IntN(3) == 0 {
			return rnd.Uint64() >> rnd.IntN(64)
		}
		return pick(rnd, interesting)
	}
	op := pick(rnd, s.ops)
	a := fmt.Sprintf(`{"index":%d,"op":%q,"value":%d`, index, op, value())
	if op == MaskedEqual {
		a += fmt.Sprintf(`,"valueTwo":%d`, value())
	}
	return a + "}"
}

// randomProfile writes a profile in the OCI format.
func randomProfile(rnd *rand.Rand, s shape, arches []*syscalls.Arch) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"defaultAction":%s,"architectures":[`, pick(rnd, s.defects))
	for i, a := range arches {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q", a.OCI)
	}
	b.WriteString(`],"syscalls":[`)
	for i := range 1 + rnd.IntN(s.rules) {
		if i > 0 {
			b.WriteByte(',')
		}
		var names, args []string
		for range 1 + rnd.IntN(3) {
			names = append(names, fmt.Sprintf("%q", pick(rnd, s.calls)))
		}
		for range rnd.IntN(4) {
			index := rnd.IntN(6)
			if s.sameOne {
				index = 0
			} else if rnd.IntN(2) == 0 {
				index = rnd.IntN(2)
			}
			args = append(args, randomArg(rnd, s, index))
		}
		fmt.Fprintf(&b, `{"names":[%s],"args":[%s],"action":%s}`, strings.Join(names, ","), strings.Join(args, ","), pick(rnd, s.actions))
	}
	b.WriteString("]}")
	return b.String()
}

// randomArches chooses ABIs of one byte order that runc knows, or any.
func randomArches(rnd *rand.Rand, runc bool) []*syscalls.Arch {
	all := syscalls.Arches()
	first := pick(rnd, all)
	for runc && contains(notInRunc, first.Name) {
		first = pick(rnd, all)
	}
	list := []*syscalls.Arch{first}
	for range rnd.IntN(4) {
		a := pick(rnd, all)
		if a.BigEndian == first.BigEndian && (!runc || !contains(notInRunc, a.Name)) {
			list = append(list, a)
		}
	}
	return list
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
