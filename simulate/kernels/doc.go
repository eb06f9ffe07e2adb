// Package kernels answers: do the kernels of other architectures do what packages filter and simulate
// say?
//
// It holds nothing but tests and the program guest. They boot Debian's own kernels in qemu's full
// system emulation, with guest as the only program, and let it load random filters and make random
// calls: s390x (big-endian), arm64, ppc64le, mipsel, mips64el and armhf, and the 32-bit calls of those
// that have them. Every answer is compared with what this repository computes for the architecture.
//
// Terms. A machine is a kernel with the qemu that it boots on. An ABI of a machine is one that programs
// can use there; the first is the kernel's own, the others are its compat calls. A group is a stack of
// filters with the calls that are made under it, or programs for the loader to judge, or calls in
// strict mode. An outcome is what became of one call or program.
//
//	go test ./simulate/kernels                      two machines, s390x and arm64
//	PROFCHECK_FULL=1 go test -timeout 40m ./simulate/kernels
//	                                                all of them
//	PROFCHECK_FULL=1 go test ./simulate/kernels -run Kernels/mipsel
//	                                                that one
//
// All of them takes ten minutes or so on two cores, for which go test wants -timeout 40m. There each
// kernel boots twice: it interprets filters, and it translates them to machine code. Two do not, for
// reasons that their entries in machine_test.go give.
//
// It takes the packages qemu-system-misc, -arm, -ppc and -mips of Debian. The kernels are kept in
// PROFCHECK_KERNELS, by default profcheck-kernels in the user's cache folder. Missing ones are fetched
// from Debian with apt-get, in folders of their own and without a change to the system, where
// PROFCHECK_KERNELS_FETCH or CI is set; where they are neither there nor fetched the test is skipped.
// What two of the kernels once answered is in testdata and is replayed by every run.
package kernels
