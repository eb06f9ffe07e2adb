// Package profile answers: what does this seccomp profile mean, as a given runtime enforces it?
//
// Terms:
//   - A Profile is a file as written: rules with names, an action and conditions on arguments, each
//     with its line and column. Parse reads it; nothing is dropped, what no reader understands is
//     kept as a Problem.
//   - A format is the schema of the file: "docker" (the moby JSON with archMap, includes and
//     excludes), "podman" (the same with errnos as words), "oci" (linux.seccomp of the OCI runtime
//     specification, alone or in a config.json), "spo" (SeccompProfile of the Security Profiles
//     Operator, in YAML or JSON); Formats lists them. Each has one file format_NAME.go with what
//     recognises and reads it, and a folder of goldens. Write writes them.
//   - A part is one profile of a file with several: Read gives all of them, FILE#PART names one.
//   - A tree is JSON or YAML as one and the same decoder walks it.
//   - A base is the profile with which the operator joins another one's rules.
//   - A Target is who enforces it: the runtime, the ABI of the program, the host's architecture,
//     the container's capabilities and the kernel. The same file means different things to
//     different targets. A runtime is one program that reads the file, Docker, Podman, CRI-O or
//     containerd, and one that makes the filter, runc, crun or gVisor; or the latter alone, given
//     an OCI section.
//   - Resolve gives what that target would enforce: a Resolved. Its Meaning is evaluated directly
//     from the rules and is the reference, Meant is the same as data, and Compile makes a BPF
//     program with the same meaning: a search tree, or on request a list, or with some calls first.
//   - The bad-arch action is what a filter does with calls of an ABI that it does not know.
//   - The stub is what runc puts in front of a filter: numbers above the largest one that the
//     profile names get ENOSYS instead of the default action.
//   - A multiplexer is a call, socketcall or ipc, that carries a family of others on old ABIs.
//
// Sources of the facts: the runtimes as of runc 1.5 (libcontainer/specconv, libcontainer/seccomp),
// crun 1.29 (src/libcrun/seccomp.c) and gVisor of 2026-09 (runsc/specutils/seccomp, pkg/seccomp),
// the readers as of github.com/moby/profiles/seccomp v0.3.0, go.podman.io/common/pkg/seccomp of
// 2026-04 and containerd's contrib/seccomp; the filters of runc 1.1 and crun 1.8 as loaded,
// libseccomp 2.5.4 and 2.6.1 as measured, and kernel/seccomp.c.
package profile
