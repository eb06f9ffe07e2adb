package config

// Template is a file that decides nothing, with all settings explained. A line that begins with # and one
// blank is a comment; one that begins with # and no blank or two is a setting without it.
const Template = `# Settings of profcheck for this folder and all below it. profcheck config shows what is in force.
# Flags win over this file. Paths are relative to its folder: * is any text without a slash, ** any folders.
version: 1

# The profiles that lint judges if none is named.
#profiles:
#  - deploy/seccomp/*.json

# The least severity that makes exit code 1: error (the default), warning, info, never.
#fail-on: warning

# Who enforces the profiles, and where: as --target, --arch, --cap and --kernel. lint judges for each target.
#targets: [docker, runc]
#arches: [x86_64, aarch64]
#caps: [NET_ADMIN]
#kernel: "5.10"

# Checks by identifier or name (profcheck rules lists them): off, on, or the severity of all their findings.
#checks:
#  PC612: off
#  default-allow: error

# What holds for some paths only, over what holds for all. The last one that fits wins.
#paths:
#  - match: deploy/legacy/
#    targets: [crun]
#    checks:
#      PC107: info

# Findings that do not count. check and reason are needed; path, syscall and arch narrow an ignore down, each a
# word or a list. After its last day, in UTC, an ignore suppresses nothing any more.
#ignores:
#  - check: PC714
#    path: deploy/seccomp/tracer.json
#    syscall: bpf
#    arch: x86_64
#    reason: the tracer loads its programs itself
#    expires: 2027-01-31
`
