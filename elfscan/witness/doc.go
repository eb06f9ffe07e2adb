// Package witness answers: does what elfscan says about a binary hold when the binary runs?
//
// It holds nothing but tests. Each of them builds real programs, and none of them believes the
// scanner: what the programs do is told by strace, by qemu, by ptrace, or by the running kernel
// that kills a process under a filter.
//
//   - Truth: the programs of testdata/truth, with the syscalls that strace once saw of them under
//     broad workloads. None may be missing from the scan, and the scan may not grow.
//   - Live: the same programs built by older Go releases, traced now.
//   - Conditions: for each condition of the scanner's table one program that meets it, seen to make
//     the calls, and a twin that does not.
//   - Enforcement: programs run a workload under a filter of their not conditional needs alone.
//   - Native: Debian's programs in C and Rust held to traces taken with strace and, for arm64, qemu;
//     programs that do nothing; containers under profiles of the scanned sets (docs/accuracy.md).
//   - Benchmarks: time and memory of a scan.
//
// Terms. A trace is the set of names of the syscalls that a program image made; it is a lower bound
// of what the image can do. A need is found for a trace if its class makes a denial an error, if it
// is the fallback of a vDSO call, or if it is conditional and its condition held in that trace. The
// small set is built with nothing but Go; the big set and older Go releases need the module proxy and
// are judged where PROFCHECK_BIG or CI is set, every pair by every release where PROFCHECK_FULL is.
//
// Binaries are kept in PROFCHECK_BIN_CACHE, by default profcheck-test-bin in the user's cache
// folder, under a key of all that goes into them; the folder can be deleted at any time.
package witness
