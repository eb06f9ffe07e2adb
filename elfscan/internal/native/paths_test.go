package native

import "testing"

// A path begins where the kernel or the loader begins, not at a function of the libc that the loader
// happens to look up by its name.
func TestPathsBegin(t *testing.T) {
	const source = "#include <stdio.h>\n#include <stdlib.h>\n__attribute__((constructor)) static void c(void) { puts(\"c\"); }\nint main(int n, char **v) { free(realloc(malloc(n), 9)); puts(\"x\"); return 0; }"
	for name, flags := range map[string][]string{"dynamic": nil, "static": {"-static"}, "stripped": {"-s"}} {
		path := compile(t, source, flags...)
		res, c := analyse(t, path, Options{})
		entries := 0
		for _, n := range res.Needs {
			for _, s := range n.Sites {
				first := s.Path[0]
				if first.Role == NoRole {
					t.Errorf("%s: %s begins %s", name, n.Name, pathString(c.Modules, s.Path))
				}
				if first.Module == 0 && first.Role == Entry {
					entries++
				}
			}
		}
		if entries == 0 {
			t.Errorf("%s: no path begins at the entry", name)
		}
	}
}

// Constructors and destructors are what the file lists as such.
func TestRoles(t *testing.T) {
	const source = `
#include <sys/mount.h>
#include <sys/swap.h>
__attribute__((constructor)) static void c(void) { swapon("a", 0); }
__attribute__((destructor)) static void d(void) { swapoff("a"); }
int main(void) { return mount("a", "b", "c", 0, 0); }`
	res, _ := analyse(t, compile(t, source), Options{})
	for name, want := range map[string]Role{"swapon": Constructor, "swapoff": Destructor, "mount": Entry} {
		n := needOf(res, name)
		if n == nil || n.Sites[0].Path[0].Role != want || n.Sites[0].Path[0].Module != 0 {
			t.Errorf("%s: %+v", name, n)
		}
	}
}
