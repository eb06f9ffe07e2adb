package elfscan

import (
	"strings"
	"testing"
)

// The path to a place whose number is not known leads by the one who takes the address of the function
// that is given it, not by one that passes a constant, even if that is the shorter way.
func TestDoubtPath(t *testing.T) {
	const top = `
#include <unistd.h>
#include <sys/syscall.h>
long (*volatile p)(long, ...);
__attribute__((noinline)) void innocent(void) { syscall(SYS_getpid); }
__attribute__((noinline)) long last(int c) { return p(c); }
`
	for name, taker := range map[string]string{
		"code": "__attribute__((noinline)) void guilty(void) { p = syscall; }",
		"data": "struct { long x; long (*f)(long, ...); } volatile d = {1, syscall};\n__attribute__((noinline)) void guilty(void) { p = d.f; }",
	} {
		for _, flags := range [][]string{{"-no-pie"}, {"-pie", "-fPIE"}, {"-static"}} {
			r, err := Scan(gcc(t, "p", top+taker+"\nint main(int c, char **v) { innocent(); guilty(); return last(c); }", flags...))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Unresolved) != 1 {
				t.Fatalf("%s, %v: unresolved %+v", name, flags, r.Unresolved)
			}
			u, way := r.Unresolved[0], ""
			for _, f := range r.Unresolved[0].Path {
				way += f.Function + " " + string(f.Edge) + ", "
			}
			if u.Function != "syscall" || !strings.Contains(way, "guilty ") || strings.Contains(way, "guilty call") || strings.Contains(way, "innocent") {
				t.Errorf("%s, %v: %s: by %s", name, flags, u.Function, way)
			}
		}
	}
}
