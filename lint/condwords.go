package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate"
)

// maxWords bounds the values that a condition is told with, maxCondition its length in bytes.
const (
	maxWords     = 8
	maxCondition = 120
)

// depends says for which arguments the filter lets a call run, and what it answers otherwise:
// "allows it only without the flags CLONE_NEWNS and CLONE_NEWUSER, otherwise answers ERRNO(1) EPERM".
func (c *call) depends(d *demand) string {
	answer := answered(d.action)
	regions, err := c.abi.AnswerFor(c.nr, d.args)
	if err == nil {
		if denied, allowed := c.families(regions); len(denied) > 0 && len(allowed) > 0 {
			if len(denied) <= len(allowed) {
				return fmt.Sprintf("answers %s for the %s", answer, nouns("family", "families", denied))
			}
			return fmt.Sprintf("allows it only for the %s, otherwise answers %s", nouns("family", "families", allowed), answer)
		}
		if flags := c.flags(regions); flags != nil {
			return fmt.Sprintf("allows it only without the %s, otherwise answers %s", nouns("flag", "flags", flags), answer)
		}
	}
	return fmt.Sprintf("allows it only %s, otherwise answers %s", c.when(d.when), answer)
}

// nouns names values with what they are.
func nouns(one, several string, values []string) string {
	if len(values) > 1 {
		one = several
	}
	return one + " " + list(values, maxWords)
}

var argument = regexp.MustCompile(`\barg[0-5]\b`)

// when renders conditions with the kernel's names for the arguments. Long ones are only named.
func (c *call) when(conditions string) string {
	params, _ := c.abi.Arch.Params(c.name)
	var used []string
	text := argument.ReplaceAllStringFunc(conditions, func(arg string) string {
		name := arg
		if i, err := strconv.Atoi(arg[len("arg"):]); err == nil && i < len(params) && params[i].Name != "" {
			name = params[i].Name
		}
		if !slices.Contains(used, name) {
			used = append(used, name)
		}
		return name
	})
	if len(text) > maxCondition && used != nil {
		return "for some values of " + list(used, len(used))
	}
	return "when " + text
}

// families sorts the families of sockets by what the filter answers, if that depends on nothing else.
func (c *call) families(regions []simulate.Region) (denied, allowed []string) {
	if c.name != "socket" && c.name != "socketpair" {
		return nil, nil
	}
	for i := range judged(regions) {
		if i != 0 {
			return nil, nil
		}
	}
	for _, f := range families {
		a, ok := answerOf(regions, [6]uint64{f.value})
		switch {
		case !ok:
			return nil, nil
		case runs(a):
			allowed = append(allowed, f.name)
		default:
			denied = append(denied, f.name)
		}
	}
	return denied, allowed
}

// value renders a constant that an argument holds: the families of sockets by name.
func (c *call) value(arg int, v uint64) string {
	if arg == 0 && (c.name == "socket" || c.name == "socketpair") {
		if i := slices.IndexFunc(families, func(f constant) bool { return f.value == v }); i >= 0 {
			return families[i].name
		}
	}
	return fmt.Sprintf("%#x", v)
}

// answerOf returns the answer of the region that a call is in, false if there is none.
func answerOf(regions []simulate.Region, args [6]uint64) (filter.Action, bool) {
	for _, r := range regions {
		if r.Holds(args) {
			return r.Action, true
		}
	}
	return 0, false
}

// flags returns the flags of clone, unshare and setns that the filter does not let pass, if that is
// all that it looks at.
func (c *call) flags(regions []simulate.Region) []string {
	if c.name != "clone" && c.name != "unshare" && c.name != "setns" {
		return nil
	}
	var when []simulate.Cond
	for _, r := range regions {
		if !runs(r.Action) {
			continue
		}
		if when != nil || len(r.When) != 1 {
			return nil
		}
		when = r.When
	}
	if when == nil {
		return nil
	}
	var arg int
	var mask uint64
	if _, err := fmt.Sscanf(when[0].String(), "arg%d & 0x%x == 0", &arg, &mask); err != nil {
		return nil
	}
	if params, ok := c.abi.Arch.Params(c.name); !ok || arg >= len(params) || !strings.Contains(params[arg].Name, "flags") {
		return nil
	}
	var names []string
	for _, f := range cloneFlags {
		if mask&f.value != 0 {
			names = append(names, f.name)
			mask &^= f.value
		}
	}
	if mask != 0 {
		names = append(names, fmt.Sprintf("%#x", mask))
	}
	return names
}

// constant is a name of the kernel's interface.
type constant struct {
	value uint64
	name  string
}

// families of include/linux/socket.h, first those that a reader is most likely to know.
var families = []constant{
	{1, "AF_UNIX"}, {2, "AF_INET"}, {10, "AF_INET6"}, {16, "AF_NETLINK"}, {17, "AF_PACKET"}, {38, "AF_ALG"}, {40, "AF_VSOCK"},
	{31, "AF_BLUETOOTH"}, {32, "AF_IUCV"}, {29, "AF_CAN"}, {44, "AF_XDP"}, {30, "AF_TIPC"}, {15, "AF_KEY"}, {21, "AF_RDS"}, {0, "AF_UNSPEC"},
	{3, "AF_AX25"}, {4, "AF_IPX"}, {5, "AF_APPLETALK"}, {6, "AF_NETROM"}, {7, "AF_BRIDGE"}, {8, "AF_ATMPVC"}, {9, "AF_X25"},
	{11, "AF_ROSE"}, {12, "AF_DECnet"}, {13, "AF_NETBEUI"}, {14, "AF_SECURITY"}, {18, "AF_ASH"}, {19, "AF_ECONET"},
	{20, "AF_ATMSVC"}, {22, "AF_SNA"}, {23, "AF_IRDA"}, {24, "AF_PPPOX"}, {25, "AF_WANPIPE"}, {26, "AF_LLC"}, {27, "AF_IB"},
	{28, "AF_MPLS"}, {33, "AF_RXRPC"}, {34, "AF_ISDN"}, {35, "AF_PHONET"}, {36, "AF_IEEE802154"}, {37, "AF_CAIF"},
	{39, "AF_NFC"}, {41, "AF_KCM"}, {42, "AF_QIPCRTR"}, {43, "AF_SMC"}, {45, "AF_MCTP"},
}

// cloneFlags of include/uapi/linux/sched.h.
var cloneFlags = []constant{
	{0x10000000, "CLONE_NEWUSER"}, {0x20000, "CLONE_NEWNS"}, {0x20000000, "CLONE_NEWPID"}, {0x40000000, "CLONE_NEWNET"},
	{0x8000000, "CLONE_NEWIPC"}, {0x4000000, "CLONE_NEWUTS"}, {0x2000000, "CLONE_NEWCGROUP"},
	{0x100, "CLONE_VM"}, {0x200, "CLONE_FS"}, {0x400, "CLONE_FILES"}, {0x800, "CLONE_SIGHAND"}, {0x2000, "CLONE_PTRACE"},
	{0x4000, "CLONE_VFORK"}, {0x8000, "CLONE_PARENT"}, {0x10000, "CLONE_THREAD"}, {0x40000, "CLONE_SYSVSEM"},
	{0x80000, "CLONE_SETTLS"}, {0x100000, "CLONE_PARENT_SETTID"}, {0x200000, "CLONE_CHILD_CLEARTID"},
	{0x800000, "CLONE_UNTRACED"}, {0x1000000, "CLONE_CHILD_SETTID"}, {0x80000000, "CLONE_IO"},
}
