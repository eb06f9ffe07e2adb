package native

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const asksNames = `
#include <netdb.h>
int main(int c, char **v) {
	struct addrinfo *r;
	for (int i = 1; i < c; i++) getaddrinfo(v[i], "80", 0, &r);
	return 0;
}`

var familyOf = regexp.MustCompile(`\bsocket\((0x[0-9a-f]+|[0-9]+), `)

// tracedFamilies returns the families of the sockets that strace sees a program open while it asks a name
// server, and while it sorts two addresses of a host.
func tracedFamilies(t *testing.T, path, server string) []uint64 {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"resolv.conf": "nameserver " + server + "\noptions timeout:1 attempts:1\n", "hosts": "127.0.0.1 both\n::1 both\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const script = `mount --bind "$0/resolv.conf" /etc/resolv.conf && mount --bind "$0/hosts" /etc/hosts &&
exec strace -f -qq -X raw -e trace=socket -o "$0/log" "$1" a.example both`
	cmd := exec.Command("unshare", "-rm", "sh", "-c", script, dir, path)
	cmd.Env = append(os.Environ(), "RES_OPTIONS=use-vc")
	if out, err := cmd.CombinedOutput(); err != nil {
		lack(t, "needs strace and a mount namespace: "+string(out))
	}
	b, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	var out []uint64
	for _, m := range familyOf.FindAllStringSubmatch(string(b), -1) {
		v, err := strconv.ParseUint(m[1], 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Families that a C library takes from its own data are known, and those that strace sees are among them,
// with name servers of either kind.
func TestFamiliesOfNames(t *testing.T) {
	for libc, flags := range map[string][]string{"glibc": nil, "musl": {"musl"}} {
		t.Run(libc, func(t *testing.T) {
			var path string
			if flags == nil {
				path = compile(t, asksNames)
			} else {
				path = filepath.Join(t.TempDir(), "p")
				cmd := exec.Command("musl-gcc", "-x", "c", "-o", path, "-")
				cmd.Stdin = strings.NewReader(asksNames)
				if out, err := cmd.CombinedOutput(); err != nil {
					lack(t, "musl-gcc: "+string(out))
				}
			}
			r, c := analyse(t, path, Options{})
			if libc == "glibc" && !glibc(c) {
				lack(t, "needs glibc")
			}
			found := foundFlags(t, r, "socket")
			if !found.Known || slices.Contains(found.Consts, 38) { // AF_ALG
				t.Fatalf("found %v", found)
			}
			for server, family := range map[string]uint64{"127.0.0.1": inet, "::1": inet6} {
				seen := tracedFamilies(t, path, server)
				if !slices.Contains(seen, family) {
					t.Errorf("%s: strace saw %v, and not %d: the server is not asked", server, seen, family)
				}
				for _, f := range seen {
					if !slices.Contains(found.Consts, f) {
						t.Errorf("%s: strace saw %v, found %v", server, seen, found.Consts)
					}
				}
			}
		})
	}
}

// The twins: functions of these names in another library, in the program, or a call of the program's own
// behind them are not believed.
func TestFactsOfTheLibcAlone(t *testing.T) {
	const opens = `
#include <stdlib.h>
#include <sys/socket.h>
int family;
__attribute__((noinline, noclone)) static int send_vc(void) { return socket(family, SOCK_STREAM, 0); }
int __res_context_send(void) { family = atoi(getenv("FAMILY") ? getenv("FAMILY") : "38"); return send_vc(); }
`
	const uses = "int __res_context_send(void);\nint main(void) { return __res_context_send() < 0; }"
	lib := compile(t, opens, "-shared", "-fPIC", "-Wl,-soname,libother.so")
	dir := t.TempDir()
	if err := os.Rename(lib, filepath.Join(dir, "libother.so")); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"library": compile(t, uses, "-L"+dir, "-lother", "-Wl,-rpath,"+dir),
		"program": compile(t, opens+uses),
		"caller":  compile(t, asksNames+"\n#include <stdlib.h>\n#include <sys/socket.h>\n__attribute__((constructor)) void f(void) { socket(atoi(getenv(\"FAMILY\")), SOCK_STREAM, 0); }"),
	} {
		r, _ := analyse(t, path, Options{})
		if found := foundFlags(t, r, "socket"); found.Known {
			t.Errorf("%s: %v", name, found)
		}
	}
}
