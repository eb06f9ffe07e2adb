package profile

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// enosys returns what the stub's ENOSYS is. runc takes the number of the host it was built for
// (libcontainer/seccomp/patchbpf), and MIPS numbers its errors its own way.
func enosys(host *syscalls.Arch) filter.Action {
	if strings.HasPrefix(host.GOARCH, "mips") {
		return filter.ErrnoAction(89)
	}
	return filter.ErrnoAction(38)
}

// notify refuses what runc refuses of NOTIFY: as the default action; for write, which runc needs to
// hand over the listener's descriptor; and without a listenerPath to hand it to (libcontainer
// InitSeccomp, process_linux.go).
func (r *resolver) notify(rules []*Rule) error {
	var first *Rule
	for _, rule := range rules {
		if rule.Action != "SCMP_ACT_NOTIFY" {
			continue
		}
		if first == nil {
			first = rule
		}
		for _, n := range rule.Names {
			if n.Text == "write" {
				return r.loadError(NotifyWrite, n.Pos, fmt.Sprintf("syscalls[%d]", rule.Index), "SCMP_ACT_NOTIFY for write, which runc itself needs")
			}
		}
	}
	if r.p.DefaultAction == "SCMP_ACT_NOTIFY" {
		return r.loadError(NotifyDefault, r.p.DefaultActionPos, "", "SCMP_ACT_NOTIFY as the default action")
	}
	if first != nil && r.p.ListenerPath == "" {
		return r.loadError(NotifyListener, first.ActionPos, fmt.Sprintf("syscalls[%d]", first.Index), "SCMP_ACT_NOTIFY without a listenerPath")
	}
	return nil
}

// oldFlags refuses any flags for the releases of runc before flagsFrom, which do not know the field
// ("seccomp flags are not yet supported by runc": observed with 1.1.5).
func (r *resolver) oldFlags() error {
	v, _ := parseVersion(r.Target.Version) // complete has checked it
	if len(r.p.Flags) == 0 || !v.less(flagsFrom) {
		return nil
	}
	return r.loadError(FlagsUnknown, r.p.Flags[0].Pos, "flags", "flags, which runc knows from 1.2.0 on")
}

// stubFrom and stubBackport are the releases of runc from which the stub also covers the host's
// architecture when the profile does not list it (CHANGELOG, #4219 and #4391).
var (
	stubFrom     = version{1, 2, 0}
	stubBackport = version{1, 1, 15}
)

// stub fills in Stub: for each ABI the largest number that any rule names, those included that are
// left out because they say the same as the default. A default of ALLOW, LOG or TRACE has no stub,
// nor has an ABI whose largest number is 0 or which has none of the names (libcontainer/seccomp/
// patchbpf findLastSyscalls). Names that a multiplexer carries do not count where libseccomp gives
// them pseudo numbers.
func (r *resolver) stub(rules []*Rule) {
	switch r.Default.Base() {
	case filter.Allow, filter.Log, filter.Trace:
		return
	}
	v, _ := parseVersion(r.Target.Version) // complete has checked it
	hostToo := !v.less(stubFrom) || !v.less(stubBackport) && v.less(version{1, 2})
	r.Stub = map[string]int32{}
	for _, a := range r.Arches {
		if a == r.Target.Host && !hostToo && !r.listed[a] {
			continue
		}
		largest := int32(0)
		for _, rule := range rules {
			for _, n := range rule.Names {
				nr, ok := a.Number(n.Text)
				if call, _ := multiplexer(a, n.Text); ok && call == "" && nr > largest {
					largest = nr
				}
			}
		}
		if largest != 0 {
			r.Stub[a.Name] = largest
		}
	}
}

// x32Bit tells x32's numbers from those of x86_64 (__X32_SYSCALL_BIT).
const x32Bit = 0x40000000

// setupMultiplexer lists the ABIs on which a call whose number the kernel does not know arrives at
// the filter as number 0, so that the stub answers 0 as well (runc #3474).
var setupMultiplexer = []string{"s390", "s390x"}

// stubbed reports whether the stub answers a number. It compares unsigned, so -1 is above all
// numbers, except where bit 30 of it sends it past the stub of x86_64.
func (r *Resolved) stubbed(token uint32, nr int32) bool {
	for _, a := range r.Arches {
		last, ok := r.Stub[a.Name]
		if !ok || a.Audit != token || sharesToken(a) && (a.Base == x32Bit) != (nr&x32Bit != 0) {
			continue
		}
		if uint32(nr) > uint32(last) || nr == 0 && slices.Contains(setupMultiplexer, a.Name) {
			return true
		}
	}
	return false
}

// sharesToken reports whether another ABI has the same token: x86_64 and x32.
func sharesToken(a *syscalls.Arch) bool { return twins[a] }

var twins = func() map[*syscalls.Arch]bool {
	twins := map[*syscalls.Arch]bool{}
	for _, a := range syscalls.Arches() {
		for _, b := range syscalls.Arches() {
			if a != b && a.Audit == b.Audit {
				twins[a] = true
			}
		}
	}
	return twins
}()

// covered reports whether the filter answers for a token and number, or leaves them to the bad-arch
// action. With only one of x86_64 and x32 the numbers of the other are left out by libseccomp; -1,
// which tracers set to skip a call, counts as x86_64's own.
func (r *Resolved) covered(token uint32, nr int32) bool {
	native, x32 := false, false
	for _, a := range r.Arches {
		switch {
		case a.Audit != token:
		case !sharesToken(a):
			return true
		case a.Base == x32Bit:
			x32 = true
		default:
			native = true
		}
	}
	if r.tokenOnly {
		return native || x32
	}
	above := uint32(nr) >= x32Bit
	return native && (!above || nr == -1) || x32 && above
}

// cuts returns where decide may change its mind about the numbers of a token, besides the calls:
// the first number of each new stretch.
func (r *Resolved) cuts(token uint32) []uint32 {
	cuts := []uint32{0, 1, x32Bit, 2 * x32Bit, 3 * x32Bit, math.MaxUint32}
	for _, a := range r.Arches {
		if last, ok := r.Stub[a.Name]; ok && a.Audit == token {
			cuts = append(cuts, uint32(last)+1)
		}
	}
	return cuts
}
