package loader

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const muslLdso = "/lib/ld-musl-x86_64.so.1"

// muslGcc builds with musl-gcc, on the machine itself: there is where its loader is.
func (w *workshop) muslGcc(out, source string, flags ...string) {
	w.t.Helper()
	cmd := exec.Command("musl-gcc", append([]string{"-w", "-x", "c", "-", "-x", "none", "-o", w.path(out), "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined"}, flags...)...)
	cmd.Stdin = strings.NewReader(source)
	if text, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("musl-gcc %s: %v\n%s", flags, err, text)
	}
}

func TestMusl(t *testing.T) {
	tool(t, "musl-gcc")
	if _, err := os.Stat(muslLdso); err != nil {
		absentHere(t, "no loader of musl: %v", err)
	}
	w := &workshop{t, t.TempDir()}
	x, y := w.path("/x"), w.path("/y")
	for _, dir := range []string{x, y} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.muslGcc("/x/libb.so", "int b(){return 1;}", "-shared", "-fPIC", "-Wl,-soname,libb.so")
	w.muslGcc("/x/liba.so", "int b(); int f(){return 1;} int a(){return b()+f();}", "-shared", "-fPIC", "-Wl,-soname,liba.so", w.path("/x/libb.so"))
	const main = "int a(); int f(){return -1;} int main(){return a();}"
	// DT_RUNPATH serves the needs of libraries, too: ld.so would not find libb.so.
	w.muslGcc("/runpath", main, w.path("/x/liba.so"), "-rdynamic", "-Wl,--enable-new-dtags", "-Wl,-rpath,"+x)
	w.muslGcc("/origin", main, w.path("/x/liba.so"), "-rdynamic", "-Wl,-rpath,$ORIGIN/no:${ORIGIN}/x")
	w.muslGcc("/platform", main, w.path("/x/liba.so"), "-Wl,-rpath,$PLATFORM:"+x) // no such variable: the path is ignored
	w.muslGcc("/libm", "double sin(double); int main(int c, char **v){return sin(c)>2;}", "-lm", "-lpthread")
	r := ownRoot(t)
	for _, program := range []string{"/runpath", "/origin", "/platform", "/libm"} {
		c := load(t, r, w.path(program))
		out, err := exec.Command(muslLdso, "--list", w.path(program)).CombinedOutput()
		var want []string
		for line := range strings.Lines(string(out)) {
			m := listed.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
			if m == nil {
				continue
			}
			if _, inside, err := r.Resolve(m[2]); err == nil && !slices.Contains(want, inside) {
				want = append(want, inside)
			}
		}
		got := paths(c)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", program, got, want)
		}
		if (err == nil) != (len(c.Missing) == 0) {
			t.Errorf("%s: the loader: %v %s; missing %v", program, err, out, c.Missing)
		}
		if run := exec.Command(w.path(program)).Run(); (run == nil) != (err == nil) {
			t.Errorf("%s: runs: %v", program, run)
		}
	}
	// The program's f comes first for the library, and the libraries of libc's own names are libc.
	c := load(t, r, w.path("/runpath"))
	if to, _ := bindsTo(t, c, w.path("/x/liba.so"), "f"); to != w.path("/runpath") {
		t.Errorf("f is bound to %q", to)
	}
	c = load(t, r, w.path("/libm"))
	if mod, _, ok := c.LookupName("sin"); !ok || !c.Modules[mod].Interp || len(c.Modules) != 2 {
		t.Errorf("sin is in module %d of %q", mod, paths(c))
	}
}

func TestMuslSearchPath(t *testing.T) {
	dir := t.TempDir()
	w := &workshop{t, dir}
	r := func() *Root { return w.root() }
	if m := newMusl(r(), muslLdso); m.system != muslDefault {
		t.Errorf("without a file: %q", m.system)
	}
	w.write("/etc/ld-musl-x86_64.path", []byte("/one\n/two:/three\n"))
	w.write("/opt/etc/ld-musl-x86_64.path", nil)
	if m := newMusl(r(), muslLdso); m.system != "/one\n/two:/three\n" {
		t.Errorf("by the file: %q", m.system)
	}
	if m := newMusl(r(), "/opt/lib/ld-musl-x86_64.so.1"); m.system != "" {
		t.Errorf("by the file of another prefix: %q", m.system)
	}
	for name, want := range map[string]bool{
		"libc.so": true, "libc.musl-x86_64.so.1": true, "libm.so.6": true, "libpthread.so.0": true,
		"libcrypt.so.1": false, "libmd.so": false, "libresolv.so": false, "xlibc.so": false,
	} {
		if (*musl)(nil).own(name) != want {
			t.Errorf("%s is the loader itself: want %v", name, want)
		}
	}
}
