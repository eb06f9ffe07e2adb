// Package profile answers: what does this seccomp profile mean, as a given runtime enforces it?
//
// Terms:
//   - A Profile is a file as written: rules with names, an action and conditions on arguments, each
//     with its line and column. Parse reads it; nothing is dropped, what no reader understands is
//     kept as a Problem.
//   - A format is the schema of the file: "docker" (the moby JSON with archMap, includes and
//     excludes) or "oci" (linux.seccomp of the OCI runtime specification, alone or in a
//     config.json).
//   - A Target is who enforces it: the runtime, the ABI of the program, the host's architecture,
//     the container's capabilities and the kernel. The same file means different things to
//     different targets.
//   - Resolve gives what that target would enforce: a Resolved. Its Meaning is evaluated directly
//     from the rules and is the reference; Compile makes a BPF program with the same meaning.
//   - The bad-arch action is what a filter does with calls of an ABI that it does not know.
//   - The stub is what runc puts in front of a filter: numbers above the largest one that the
//     profile names get ENOSYS instead of the default action.
//   - A multiplexer is a call, socketcall or ipc, that carries a family of others on old ABIs.
//
// Sources of the facts: the runtimes as of runc 1.5 (libcontainer/specconv, libcontainer/seccomp)
// and github.com/moby/profiles/seccomp v0.3.0, libseccomp 2.5.4 and 2.6.1 as measured, and
// kernel/seccomp.c.
package profile
