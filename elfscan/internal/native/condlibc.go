package native

import (
	"slices"
	"strings"
)

// resolvers are the functions that ask for the names of hosts and networks.
var resolvers = []string{"getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname2", "gethostbyname_r", "gethostbyname2_r",
	"gethostbyaddr", "gethostbyaddr_r", "gethostent", "gethostent_r", "getnetbyname", "getnetbyname_r", "getnetbyaddr", "getnetbyaddr_r",
	"getnetent", "getnetent_r", "sethostent", "setnetent", "getaddrinfo_a", "rcmd", "rcmd_af", "rexec", "rexec_af", "ruserok", "ruserok_af", "iruserok", "iruserok_af"}

// dnsFunctions are those of nss_dns as libc exports them for itself.
var dnsFunctions = []string{"_nss_dns_getcanonname_r", "_nss_dns_gethostbyname_r", "_nss_dns_gethostbyname2_r", "_nss_dns_gethostbyname3_r",
	"_nss_dns_gethostbyname4_r", "_nss_dns_gethostbyaddr_r", "_nss_dns_gethostbyaddr2_r", "_nss_dns_getnetbyname_r", "_nss_dns_getnetbyaddr_r"}

// namesLookedUp finds where libc forms the addresses of the functions of nss_dns, for its table.
func (p *program) namesLookedUp(*resolver) ([]node, []uint64) {
	if p.anyReached(resolvers...) {
		return nil, nil
	}
	var at []uint64
	for _, n := range p.entriesOf(dnsFunctions...) {
		for _, in := range p.in(n) {
			if in.kind == edgeCall {
				return nil, nil
			}
			for _, e := range p.out(in.from) {
				if e.to == n {
					at = append(at, e.at)
				}
			}
		}
	}
	return nil, at
}

// rpcRegistrars register a service.
var rpcRegistrars = []string{"svc_register", "registerrpc"}

func (p *program) rpcServices(*resolver) ([]node, []uint64) {
	if p.anyReached(rpcRegistrars...) {
		return nil, nil
	}
	var at []uint64
	for _, n := range p.entriesOf("svc_unregister") {
		libc := p.owner(n)
		at = append(at, p.callsTo(n, func(c node) bool { return p.owner(c) == libc && !p.exportedAt(libc, c) })...)
	}
	return nil, at
}

// tildeFlags are GLOB_TILDE and GLOB_TILDE_CHECK (glob.h).
const tildeFlags = 1<<12 | 1<<14

var globs = []string{"glob", "glob64"}

// globTilde finds the calls by which glob asks for users, if all flags that it gets are known and
// none asks for it.
func (p *program) globTilde(*resolver) ([]node, []uint64) {
	users := p.entriesOf("getlogin_r", "getpwnam_r", "getpwnam")
	var at []uint64
	for _, n := range p.entriesOf(globs...) {
		if !p.tree.reached(n) {
			continue
		}
		flags, ok := p.argument(n, 1)
		if !ok || slices.ContainsFunc(flags, func(v uint64) bool { return v&tildeFlags != 0 }) {
			return nil, nil
		}
		for _, u := range users {
			at = append(at, p.callsTo(u, func(c node) bool { return c == n })...)
		}
	}
	return nil, at
}

func (p *program) relativeCatalogues(*resolver) ([]node, []uint64) {
	for _, n := range p.entriesOf("bindtextdomain") {
		if !p.tree.reached(n) {
			continue
		}
		dirs, ok := p.argument(n, 1)
		if !ok {
			return nil, nil
		}
		for _, d := range dirs {
			if s, _ := p.textAt(d); d != 0 && !strings.HasPrefix(s, "/") {
				return nil, nil
			}
		}
	}
	translators := p.entriesOf("dcgettext", "dgettext", "dcngettext", "dngettext")
	var at []uint64
	for _, n := range p.entriesOf("getcwd") {
		at = append(at, p.callsTo(n, func(c node) bool {
			return p.owner(c) == p.owner(n) && !p.exportedAt(p.owner(c), c) && slices.ContainsFunc(p.callersOf(c), func(d node) bool { return slices.Contains(translators, d) })
		})...)
	}
	return nil, at
}

// identities ask who the process is.
var identities = []string{"getuid", "geteuid", "getgid", "getegid", "group_member"}

func (p *program) oldAccess(r *resolver) ([]node, []uint64) {
	var at []uint64
	access := p.entriesOf("faccessat")
	for _, name := range identities {
		for _, n := range p.entriesOf(name) {
			at = append(at, p.callsTo(n, func(c node) bool { return slices.Contains(access, c) })...)
		}
		nr, ok := p.arch.Number(name)
		for _, f := range r.claims {
			if ok && f.nr == uint64(nr) && slices.Contains(access, f.known.fn) {
				at = append(at, f.known.at)
			}
		}
	}
	return nil, at
}

func (p *program) noRandom(*resolver) ([]node, []uint64) {
	crypto := p.entriesOf("RAND_poll")
	if len(crypto) == 0 {
		return nil, nil
	}
	m := p.owner(crypto[0])
	if !strings.HasPrefix(m.Soname, "libcrypto.so.") {
		return nil, nil
	}
	var nodes []node
	for _, n := range p.entriesOf("shmget") {
		for _, c := range p.callersOf(n) {
			if p.owner(c) == m && !p.exportedAt(m, c) {
				nodes = append(nodes, c)
			}
		}
	}
	return nodes, nil
}

// converterPath finds the function of the libc that asks for the working directory and splits paths
// at their colons.
func (p *program) converterPath(*resolver) ([]node, []uint64) {
	splitters := p.entriesOf("strtok_r", "__strtok_r")
	var at []uint64
	for _, n := range p.entriesOf("getcwd") {
		if !p.isLibc(p.owner(n)) {
			continue
		}
		at = append(at, p.callsTo(n, func(c node) bool {
			return p.owner(c) == p.owner(n) && !p.exportedAt(p.owner(c), c) && p.callsOne(c, splitters)
		})...)
	}
	return nil, at
}

// hugeAdvice is MADV_HUGEPAGE.
const hugeAdvice = 14

// hugePages finds the functions of the libc that read about huge pages, and the calls by which it
// asks for them.
func (p *program) hugePages(*resolver) ([]node, []uint64) {
	advisers := p.entriesOf("madvise")
	if len(advisers) == 0 {
		return nil, nil
	}
	var nodes []node
	var at []uint64
	libc := p.owner(advisers[0])
	if !p.isLibc(libc) {
		return nil, nil
	}
	for i := range libc.facts.Funcs {
		n := libc.fn0 + node(i)
		if p.tree.reached(n) && p.formsText(n, "/sys/kernel/mm/") && !p.exportedAt(libc, n) {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil, nil // a libc without the tunable
	}
	for _, c := range p.callersOf(advisers[0]) {
		if p.owner(c) != libc {
			continue
		}
		sum := p.summary(c)
		for i := range sum.Calls {
			call := &sum.Calls[i]
			if v, ok := p.vs.IsConst(call.Regs[p.conv.Params[2]]); ok && len(v) == 1 && v[0] == hugeAdvice && p.leads(call, advisers[0]) {
				at = append(at, call.At)
			}
		}
	}
	return nodes, at
}
