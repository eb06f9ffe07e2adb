// Package syscalls answers one question: what does a syscall number mean on each Linux ABI?
//
// It is data: the 23 ABIs that libseccomp knows, their syscall numbers and names, the first kernel
// of each call where a source gives it, and the parameters of each call. Nothing is taken from the
// machine that it runs on.
//
// Terms:
//
//   - ABI: one convention of making syscalls, with its own numbers: x86_64, x86 and x32 are three
//     ABIs of one kernel. An Arch describes one ABI.
//   - Token: the AUDIT_ARCH value that the kernel puts in seccomp_data.arch
//     (include/uapi/linux/audit.h). x32 shares the token of x86_64.
//   - Number: what the kernel puts in seccomp_data.nr. It includes the base.
//   - Base: what an ABI adds to the numbers of its table: 0x40000000 for x32 (a single bit), 4000,
//     5000 and 6000 for the three MIPS ABIs, 0 elsewhere. Arm's private calls (cacheflush, set_tls)
//     are absolute numbers from 0xf0000 on, without any base.
//   - Multiplexer: one syscall that stands for many: socketcall for the socket calls, ipc for the
//     System V ones. Where a multiplexer exists the same work can be asked for under two numbers.
//   - Host: the ABI whose 64-bit kernel also serves this one.
//   - Name: libseccomp's name of a call, the one that profiles use. It is nearly always the name in
//     the kernel's tables; where several ABIs call the same thing differently libseccomp keeps the
//     name of the ABI (newfstatat on x86_64 and aarch64, fstatat64 on x86).
//
// All tables are generated from table/syscalls.txt, whose head names the origin of each fact.
package syscalls

//go:generate go run ./internal/gen
