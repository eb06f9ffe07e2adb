package profile

// The runtimes that read a file in Docker's way, those that read it as an OCI section, and those that
// make the filter.
const (
	dockerWay = "docker kernel"
	podmanWay = "podman crio"
	ociWay    = "containerd spo runc crun gvisor"
	scmpWay   = "runc crun" // by libseccomp
)

var (
	read    = does(HandlingRead, "")
	ignores = does(HandlingIgnored, "")
)

// reads and makes are features of the two sorts.
func reads(name, title string) Feature { return Feature{name, title, true} }
func makes(name, title string) Feature { return Feature{name, title, false} }

var matrix = []matrixRow{
	reads("archMap", "a list of architectures for each host").row(deeds{
		dockerWay: does(HandlingRead, "the entry of the host's architecture is taken; a big-endian 32-bit MIPS host has none"),
		podmanWay: does(HandlingRead, "on x86_64, aarch64, s390x and 64-bit MIPS hosts; on others it is ignored"),
		ociWay:    does(HandlingIgnored, "the filter covers what architectures lists, and the host's own"),
	}).as("architectures"),
	reads("includes.caps", "a rule for containers with capabilities").row(deeds{
		dockerWay: does(HandlingRead, "all must be in the bounding set, spelt CAP_..."),
		podmanWay: does(HandlingRead, "all must be in the bounding set, spelt CAP_..."),
		ociWay:    does(HandlingIgnored, "the rule counts for every container"),
	}),
	reads("includes.arches", "a rule for some hosts").row(deeds{
		dockerWay: does(HandlingRead, "in Docker's words: amd64, arm64, x86, ppc64le"),
		podmanWay: does(HandlingRead, "in the words of libseccomp-golang: amd64, arm64, x86, loong64"),
		ociWay:    does(HandlingIgnored, "the rule counts on every host"),
	}),
	reads("includes.minKernel", "a rule for kernels from a version on").row(deeds{
		dockerWay: read,
		podmanWay: does(HandlingIgnored, "the rule counts on every kernel"),
		ociWay:    does(HandlingIgnored, "the rule counts on every kernel"),
	}),
	reads("excludes.caps", "a rule for containers without capabilities").row(deeds{
		dockerWay: does(HandlingRead, "one in the bounding set is enough to leave the rule out"),
		podmanWay: does(HandlingRead, "one in the bounding set is enough to leave the rule out"),
		ociWay:    does(HandlingIgnored, "the rule counts for every container"),
	}),
	reads("excludes.arches", "a rule for all but some hosts").row(deeds{
		dockerWay: read,
		podmanWay: read,
		ociWay:    does(HandlingIgnored, "the rule counts on every host"),
	}),
	reads("excludes.minKernel", "a rule for kernels before a version").row(deeds{
		dockerWay: read,
		podmanWay: does(HandlingIgnored, "the rule counts on every kernel"),
		ociWay:    does(HandlingIgnored, "the rule counts on every kernel"),
	}),
	reads("name", "the one name of a rule, in Docker's old form").row(deeds{
		dockerWay:                     read,
		podmanWay:                     read,
		"containerd runc crun gvisor": does(HandlingIgnored, "the rule names no syscall and has no effect"),
		"spo":                         does(HandlingRefused, "the resource wants names"),
	}),
	reads("comment", "a remark on a rule").row(deeds{
		dockerWay: does(HandlingIgnored, "it reaches no filter"),
		podmanWay: does(HandlingIgnored, "it reaches no filter"),
		ociWay:    ignores,
	}),
	reads("errno", "the errno of a rule as a word").row(deeds{
		podmanWay: does(HandlingRead, "it comes before errnoRet; EINTR and some others are not in their table and refused"),
		dockerWay: does(HandlingIgnored, "errnoRet counts, or EPERM"),
		ociWay:    does(HandlingIgnored, "errnoRet counts, or EPERM"),
	}).as("errnoRet"),
	reads("defaultErrno", "the errno of the default action as a word").row(deeds{
		podmanWay: does(HandlingRead, "it comes before defaultErrnoRet"),
		dockerWay: does(HandlingIgnored, "defaultErrnoRet counts, or EPERM"),
		ociWay:    does(HandlingIgnored, "defaultErrnoRet counts, or EPERM"),
	}).as("defaultErrnoRet"),
	reads("flags: []", "an empty list of flags").row(deeds{
		"runc crun":                         does(HandlingRead, "SPEC_ALLOW is not added"),
		"docker podman crio containerd spo": does(HandlingIgnored, "the section that they write has no empty list, so SPEC_ALLOW is added as without the field"),
		"gvisor":                            ignores,
		"kernel":                            read,
	}),
	makes("architectures", "the architectures that the filter covers").row(deeds{
		scmpWay:  does(HandlingRead, "the host's own is covered besides"),
		"gvisor": does(HandlingIgnored, "the filter covers the host's own alone"),
		"kernel": read,
	}),
	makes("defaultErrnoRet", "the errno of the default action").row(deeds{
		"spo":    does(HandlingIgnored, "the resource has no such field: the errno is EPERM"),
		scmpWay:  read,
		"gvisor": does(HandlingIgnored, "the errno is EPERM"),
		"kernel": read,
	}),
	makes("errnoRet", "the errno of a rule").row(deeds{
		scmpWay:  read,
		"gvisor": does(HandlingIgnored, "the errno is EPERM"),
		"kernel": read,
	}),
	makes("errnoRet: 0", "the errno 0: the call is skipped and reports success").row(deeds{
		"spo":    does(HandlingIgnored, "the resource cannot tell it from an absent one: the errno is EPERM"),
		scmpWay:  read,
		"gvisor": does(HandlingIgnored, "the errno is EPERM"),
		"kernel": read,
	}),
	makes("errnoRet without errno", "an errno for an action that carries none").row(deeds{
		"runc":   ignores,
		"crun":   does(HandlingRefused, "an errno for an action without one"),
		"gvisor": ignores,
		"kernel": ignores,
	}),
	makes("flags", "flags of seccomp(2)").row(deeds{
		scmpWay:  read,
		"gvisor": does(HandlingIgnored, "it makes no such call"),
		"kernel": read,
	}),
	makes("no flags", "the field flags is absent").row(deeds{
		"runc":   does(HandlingSpecial, "from 1.2.0 on SPEC_ALLOW is added: no protection from speculation"),
		"crun":   does(HandlingSpecial, "SPEC_ALLOW is added: no protection from speculation"),
		"gvisor": read,
		"kernel": read,
	}),
	makes("SCMP_ARCH_NATIVE", "the host's architecture by that name").row(deeds{
		"runc":   does(HandlingRefused, "it is not in runc's table"),
		"crun":   does(HandlingRefused, "it is no name of libseccomp's"),
		"gvisor": does(HandlingIgnored, "the filter covers the host's own alone"),
		"kernel": read,
	}),
	makes("SCMP_ARCH_SH", "one of the architectures that runc's table lacks: M68K, PARISC, SH").row(deeds{
		"spo":    does(HandlingRefused, "the resource has SCMP_ARCH_PARISC and not M68K and SH"),
		"runc":   does(HandlingRefused, "it is not in runc's table"),
		"crun":   read,
		"gvisor": does(HandlingIgnored, "the filter covers the host's own alone"),
		"kernel": read,
	}),
	makes("an argument twice", "two conditions of a rule on the same argument").row(deeds{
		scmpWay:  does(HandlingSpecial, "each condition of the rule becomes a rule of its own: one is enough"),
		"gvisor": does(HandlingSpecial, "each condition of the rule becomes a rule of its own: one is enough"),
		"kernel": does(HandlingRead, "all must hold"),
	}),
	makes("more than six args", "a rule with seven conditions or more").row(deeds{
		"spo":    does(HandlingRefused, "the resource has at most six"),
		"runc":   does(HandlingSpecial, "an argument comes twice, so each condition becomes a rule of its own"),
		"crun":   does(HandlingSpecial, "an argument comes twice, so each condition becomes a rule of its own; up to 1.29.1 the seventh and later are dropped first"),
		"gvisor": does(HandlingSpecial, "an argument comes twice, so each condition becomes a rule of its own"),
		"kernel": does(HandlingRead, "all must hold"),
	}),
	makes("unknown name", "a name that is no syscall").row(deeds{
		"runc":   does(HandlingIgnored, "it is left out; the log says so at debug level only"),
		"crun":   does(HandlingIgnored, "it is left out with a warning"),
		"gvisor": ignores,
		"kernel": ignores,
	}),
	makes("action of the default", "a rule whose action is the default action").row(deeds{
		scmpWay:  does(HandlingIgnored, "it is left out, and another rule on the call wins over it"),
		"gvisor": read,
		"kernel": read,
	}),
	makes("condition beside none", "a condition on a call that has a rule without conditions, too").row(deeds{
		scmpWay:  does(HandlingSpecial, "the rule with the condition is dropped, in either order"),
		"gvisor": does(HandlingRead, "the first in the file that matches decides"),
		"kernel": does(HandlingSpecial, "the rule with the condition is dropped, in either order, as libseccomp does it"),
	}),
	makes("valueTwo", "a second value for another comparison than MASKED_EQ").row(deeds{
		scmpWay:  ignores,
		"gvisor": ignores,
		"kernel": ignores,
	}),
	makes("masked datum", "a MASKED_EQ whose datum has bits outside of its mask").row(deeds{
		scmpWay:  does(HandlingSpecial, "the bits outside of the mask are cut off"),
		"gvisor": does(HandlingRead, "it never holds"),
		"kernel": does(HandlingSpecial, "the bits outside of the mask are cut off, as libseccomp does it"),
	}),
	makes("number above all", "a call above the largest number that the profile names").row(deeds{
		"runc":   does(HandlingSpecial, "it gets ENOSYS instead of the default action, unless that is ALLOW, LOG or TRACE"),
		"crun":   read,
		"gvisor": read,
		"kernel": read,
	}),
	makes("socket on x86", "a call that is also a case of socketcall or ipc").row(deeds{
		scmpWay:  does(HandlingSpecial, "a rule on socketcall or ipc is added with the condition on argument 0 replaced"),
		"gvisor": read,
		"kernel": read,
	}),
	makes("listenerPath", "the socket that a NOTIFY's descriptor is sent to").row(deeds{
		scmpWay:  read,
		"gvisor": does(HandlingIgnored, "it has no NOTIFY"),
		"kernel": read,
	}),
	makes("listenerMetadata", "a word that goes to the socket with the descriptor").row(deeds{
		scmpWay:  read,
		"gvisor": does(HandlingIgnored, "it has no NOTIFY"),
		"kernel": read,
	}),
	makes("NOTIFY without listenerPath", "SCMP_ACT_NOTIFY, and no socket to send its descriptor to").row(deeds{
		"runc":   does(HandlingRefused, "the container does not start"),
		"crun":   does(HandlingRead, "without a listener the kernel answers such a call with ENOSYS"),
		"gvisor": does(HandlingRefused, "it does not know the action"),
		"kernel": read,
	}),
	makes("NOTIFY by default", "SCMP_ACT_NOTIFY as the default action").row(deeds{
		"runc":   does(HandlingRefused, "runc itself could not go on"),
		"crun":   read,
		"gvisor": does(HandlingRefused, "it does not know the action"),
		"kernel": read,
	}),
	makes("NOTIFY for write", "SCMP_ACT_NOTIFY for write, with a listenerPath").row(deeds{
		"runc":   does(HandlingRefused, "runc itself needs write to hand over the descriptor"),
		"crun":   read,
		"gvisor": does(HandlingRefused, "it does not know the action"),
		"kernel": read,
	}),
	makes("LOG or KILL_PROCESS", "SCMP_ACT_LOG, SCMP_ACT_KILL_PROCESS and SCMP_ACT_KILL_THREAD").row(deeds{
		scmpWay:  read,
		"gvisor": does(HandlingRefused, "it does not know the action"),
		"kernel": read,
	}),
	makes("empty profile", "neither a default action nor rules").row(deeds{
		"docker podman crio": does(HandlingSpecial, "it turns seccomp off"),
		"spo":                does(HandlingRefused, "the resource wants a default action"),
		"runc":               does(HandlingSpecial, "it turns seccomp off"),
		"crun":               does(HandlingRefused, "no default action"),
		"gvisor":             does(HandlingRefused, "no default action"),
		"kernel":             does(HandlingSpecial, "it turns seccomp off"),
	}),
}
