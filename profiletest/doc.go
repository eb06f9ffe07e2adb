// Package profiletest answers: does a seccomp profile still do what was agreed?
//
// In a test of a Go program:
//
//	func TestProfile(t *testing.T) {
//		p := profiletest.Open(t, "seccomp.json")
//		p.Allow("read", "write", "openat")
//		p.Deny("mount", "socket(40)").With("EPERM")
//		p.Deny("rest")
//	}
//
// or, with the expectations in a file, which profcheck test runs as well:
//
//	func TestProfile(t *testing.T) { profiletest.RunFile(t, "seccomp_test.yaml") }
//
// An expectation holds if it holds for every value of every argument that it does not bind, and for
// every instruction pointer. That is proved and not sampled (package simulate); what cannot be proved
// is reported as unknown. Each failure comes with a call that shows it.
//
// # Files
//
// A file of expectations is YAML:
//
//	profile: seccomp.json       # relative to this file; or a built-in; or a compiled filter
//	targets: [docker, crun]     # who enforces it; default: by the profile's format
//	arches: [x86_64, arm64]     # default: all that the profile names
//	caps: SYS_ADMIN             # besides the runtime's default; none or all in its place
//	kernel: 5.10                # default: the newest known
//	expect:
//	  - allow: [read, write, openat]
//	  - deny: mount
//	    with: EPERM
//	  - deny: clone3
//	    with: ENOSYS
//	    arches: [x86_64]
//	  - deny: rest
//
// Every key but profile and expect can be left out. Those of the middle lines can be given for one
// expectation as well, and then count there instead of those above. Where one word is enough it
// needs no list.
//
// The verbs are allow (the call runs: ALLOW, or LOG, which is noted), deny (it does not: ERRNO, TRAP,
// TRACE, KILL_THREAD, KILL_PROCESS) and ask (a listener decides: USER_NOTIF). with narrows them: the
// name of an errno by the generic Linux numbers (EPERM), an action with its data (ERRNO(5000),
// TRACE(7)) or with any (TRAP); of a list one must be the answer. KILL is KILL_THREAD.
//
// A call is one of
//
//	read                          a syscall by its name
//	socket(40, _, 6)              with these arguments; _ is any, as are those not given
//	clone(arg0 & 0x7e020000 == 0) with conditions: ==, !=, <, <=, >, >=, in {1, 5..9}, not in
//	socket(family == 2, type != 3)  by the kernel's name of the parameter, joined by commas
//	59                            a number as the filter sees it; x32's have bit 0x40000000
//	512..547                      each number of a range
//	rest                          the syscalls that no expectation names under the same circumstances
//	unnamed                       the numbers that no syscall has
//	all                           every number of the ABI
//
// Arguments are compared as the filter sees them: as unsigned numbers of 64 bits, or of 32 on an ABI
// with 32-bit registers, where a negative number means the same bits. The kernel's code for a call
// may look at the lower bits alone: a denial that only holds with the upper ones clear is noted, and
// arg0 & 0xffffffff == 40 asks about all of them.
//
// A name is asked about on every architecture of the file or the profile that has it, and there must
// be one; in an expectation with arches of its own each must have it.
//
// # Vector tables
//
// A table has one call and one expected action per row; see ReadVectors and Vectors.
package profiletest
