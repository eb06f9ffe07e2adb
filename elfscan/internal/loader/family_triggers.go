package loader

import "slices"

// What makes a family's code load, as the functions that libraries export for it. Those that reach
// one of these inside of the library need no name of their own.

// nssFunctions are the functions that look in a database of nsswitch.conf(5).
var nssFunctions = map[string][]string{
	"aliases":    {"getaliasbyname", "getaliasbyname_r", "getaliasent", "getaliasent_r", "setaliasent"},
	"ethers":     {"ether_hostton", "ether_ntohost"},
	"group":      {"getgrent", "getgrent_r", "getgrgid", "getgrgid_r", "getgrnam", "getgrnam_r", "setgrent", "getgrouplist", "initgroups"},
	"gshadow":    {"getsgent", "getsgent_r", "getsgnam", "getsgnam_r", "setsgent"},
	"hosts":      {"gethostbyaddr", "gethostbyaddr_r", "gethostbyname", "gethostbyname_r", "gethostbyname2", "gethostbyname2_r", "gethostent", "gethostent_r", "sethostent", "getaddrinfo", "getaddrinfo_a", "getnameinfo"},
	"initgroups": {"getgrouplist", "initgroups"},
	"netgroup":   {"getnetgrent", "getnetgrent_r", "innetgr", "setnetgrent"},
	"networks":   {"getnetbyaddr", "getnetbyaddr_r", "getnetbyname", "getnetbyname_r", "getnetent", "getnetent_r", "setnetent"},
	"passwd":     {"getpw", "getpwent", "getpwent_r", "getpwnam", "getpwnam_r", "getpwuid", "getpwuid_r", "setpwent"},
	"protocols":  {"getprotobyname", "getprotobyname_r", "getprotobynumber", "getprotobynumber_r", "getprotoent", "getprotoent_r", "setprotoent"},
	"publickey":  {"getpublickey", "getsecretkey", "netname2user"},
	"rpc":        {"getrpcbyname", "getrpcbyname_r", "getrpcbynumber", "getrpcbynumber_r", "getrpcent", "getrpcent_r", "setrpcent"},
	"services":   {"getservbyname", "getservbyname_r", "getservbyport", "getservbyport_r", "getservent", "getservent_r", "setservent", "getaddrinfo", "getaddrinfo_a", "getnameinfo"},
	"shadow":     {"getspent", "getspent_r", "getspnam", "getspnam_r", "setspent"},
}

// lookups are the functions that look in one of some databases. Another database than the C library's
// own is asked for by a name, with functions that are not its own.
func lookups(databases []string) []string {
	out := []string{}
	for _, d := range databases {
		out = append(out, nssFunctions[d]...)
	}
	if len(out) == 0 {
		return []string{"__nss_configure_lookup"} // changes what the databases are
	}
	return out
}

// unwinders are the functions that call __libc_unwind_link_get (glibc 2.34), or the older
// pthread_cancel_init: by themselves, or where a cancelled thread unwinds its stack.
var unwinders = []string{"pthread_cancel", "pthread_exit", "thrd_exit", "backtrace"}

var pamStarters = []string{"pam_start", "pam_start_confdir"}

// The configuration of OpenSSL is read when the library is first used.
var (
	providerLoaders = []string{"OPENSSL_init_crypto", "OSSL_PROVIDER_load", "OSSL_PROVIDER_try_load", "CONF_modules_load"}
	engineLoaders   = []string{"OPENSSL_init_crypto", "ENGINE_by_id", "ENGINE_load_builtin_engines", "CONF_modules_load"}
)

var saslStarters = []string{"sasl_client_init", "sasl_server_init"}

var pythonStarters = []string{"Py_BytesMain", "Py_Initialize", "Py_InitializeEx", "Py_InitializeFromConfig", "Py_Main", "Py_RunMain"}

// Triggers are all names that Family.Triggers can have.
func Triggers() []string {
	out := slices.Concat(unwinders, pamStarters, providerLoaders, engineLoaders, saslStarters, pythonStarters, lookups(nil))
	for _, names := range nssFunctions {
		out = append(out, names...)
	}
	return out
}
