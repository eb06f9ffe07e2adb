package native

import "slices"

// libcFact says what an argument is at a call, where it comes from data that only the C library fills.
// It counts in the library itself alone: in the exported functions, and in what is called by no others.
type libcFact struct {
	functions []string // as the library exports them
	call      string
	arg       int
	values    []uint64 // ascending
	why       string   // files and functions in the source, and what they show
}

// Families of sockets (include/linux/socket.h).
const (
	inet  = 2
	inet6 = 10
)

// libcFacts were read in glibc 2.36 and musl 1.2.3, and tried with them.
var libcFacts = []libcFact{
	{
		functions: []string{"__res_context_send"}, call: "socket", arg: 0, values: []uint64{inet, inet6},
		why: "glibc resolv/res_send.c send_vc: the family is that of a name server, as get_nsaddr gives it; res_init.c res_vinit_1 and " +
			"resolv_conf.c update_from_conf make these, from resolv.conf, as sockaddr_in and sockaddr_in6",
	}, {
		functions: []string{"getaddrinfo"}, call: "socket", arg: 0, values: []uint64{inet, inet6},
		why: "glibc sysdeps/posix/getaddrinfo.c getaddrinfo: the family is that of a result, to sort them, and gaih_inet makes such of " +
			"AF_INET and AF_INET6 alone; musl src/network/getaddrinfo.c tries these two for AI_ADDRCONFIG",
	}, {
		functions: []string{"getaddrinfo", "gethostbyname2_r", "getnameinfo", "res_send"}, call: "socket", arg: 0, values: []uint64{inet, inet6},
		why: "musl src/network/lookup_name.c __lookup_name: the family is that of a result, to sort them; res_msend.c __res_msend_rc: " +
			"that of the name servers, AF_INET6 if one has it; both are made by lookup_ipliteral.c and dns_parse_callback",
	},
}

// libcKnows returns what the table knows of an argument that could not be followed, for a place at
// which a call is made.
func (p *program) libcKnows(f resolved, arg int) Values {
	name, _ := p.arch.NameOf(int32(f.nr))
	for i := range libcFacts {
		if fact := &libcFacts[i]; fact.call == name && fact.arg == arg && p.speaksOf(fact, f.hop) {
			return Values{Known: true, Consts: fact.values}
		}
	}
	return Values{}
}

// speaksOf reports whether the call that ends h is made, by itself or through its wrapper, in a function
// of the libc that a fact is about.
func (p *program) speaksOf(fact *libcFact, h *hop) bool {
	for h.next != nil && h.next.next != nil {
		h = h.next
	}
	m := p.owner(h.fn)
	if !p.isLibc(m) {
		return false
	}
	var about []node
	for i := range m.Symbols {
		if sym := &m.Symbols[i]; exported(sym) && slices.Contains(fact.functions, sym.Name) {
			about = append(about, p.function(m.base+sym.Addr))
		}
	}
	return p.under(h.fn, about, maxUnder)
}

// maxUnder bounds the functions between an exported one and the one that makes the call.
const maxUnder = 4

// under reports whether n is one of some functions, or all its callers are under them.
func (p *program) under(n node, about []node, depth int) bool {
	if slices.Contains(about, n) {
		return true
	}
	if depth == 0 || p.unseen(n) != "" {
		return false
	}
	callers := slices.DeleteFunc(slices.Clone(p.callersOf(n)), func(c node) bool { return c == n })
	return len(callers) > 0 && !slices.ContainsFunc(callers, func(c node) bool { return !p.under(c, about, depth-1) })
}
