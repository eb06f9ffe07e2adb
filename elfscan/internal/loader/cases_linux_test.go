package loader

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

const ldso = "/lib64/ld-linux-x86-64.so.2"

// workshop builds programs and libraries in a directory that is a root: it has the machine's own
// loader and C library, where Debian has them.
type workshop struct {
	t   *testing.T
	dir string
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	if os.Getuid() != 0 {
		absentHere(t, "chroot needs root")
	}
	if _, err := os.Stat(ldso); err != nil {
		absentHere(t, "no glibc loader for x86-64: %v", err)
	}
	tool(t, "gcc")
	w := &workshop{t, t.TempDir()}
	r := ownRoot(t)
	for _, lib := range []string{"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6"} {
		data, err := r.ReadFile("/lib/x86_64-linux-gnu/" + lib)
		if err != nil {
			absentHere(t, "%v", err)
		}
		w.write("/usr/lib/x86_64-linux-gnu/"+lib, data)
	}
	w.link("/usr/lib", "/lib") // an absolute link, as some images have it
	w.link("lib", "/usr/lib64")
	w.link("usr/lib64", "/lib64")
	w.link("x86_64-linux-gnu/ld-linux-x86-64.so.2", "/usr/lib/ld-linux-x86-64.so.2")
	return w
}

// path is the place of a path of the root on this machine. It must not lead over the absolute link
// /lib, which is the machine's own from here.
func (w *workshop) path(p string) string {
	if strings.HasPrefix(p, "/lib/") {
		w.t.Fatalf("%s would be a file of the machine", p)
	}
	return filepath.Join(w.dir, p)
}

func (w *workshop) write(at string, data []byte) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(at)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(at), data, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workshop) link(target, at string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(at)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Symlink(target, w.path(at)); err != nil {
		w.t.Fatal(err)
	}
}

// gcc builds a file of the root from one line of C. Words that start with "@" are paths in the root.
func (w *workshop) gcc(out, source, flags string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(out)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	args := []string{"-O1", "-w", "-x", "c", "-", "-x", "none", "-o", w.path(out), "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined"}
	for f := range strings.FieldsSeq(flags) {
		if at, ok := strings.CutPrefix(f, "@"); ok {
			f = w.path(at)
		}
		args = append(args, strings.ReplaceAll(f, "=@", "="+w.dir))
	}
	cmd := exec.Command("gcc", args...)
	cmd.Stdin = strings.NewReader(source + "\n")
	if text, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("gcc %s: %v\n%s", args, err, text)
	}
}

// lib builds a library with a soname of its file name.
func (w *workshop) lib(out, source, flags string) {
	w.t.Helper()
	w.gcc(out, source, "-shared -fPIC -Wl,-soname,"+filepath.Base(out)+" "+flags)
}

func (w *workshop) copy(from, to string, patch func([]byte)) {
	w.t.Helper()
	data, err := os.ReadFile(w.path(from))
	if err != nil {
		w.t.Fatal(err)
	}
	if patch != nil {
		patch(data)
	}
	w.write(to, data)
}

func (w *workshop) remove(at string) {
	w.t.Helper()
	if err := os.Remove(w.path(at)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workshop) root() *Root {
	w.t.Helper()
	r, err := NewRoot(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// listed is what the root's own loader says after chroot(2).
func (w *workshop) listed(program string) []string {
	w.t.Helper()
	return listedBy(w.command(ldso, program))
}

// command runs in the root, after chroot(2).
func (w *workshop) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = "/", cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: w.dir}
	return cmd
}

// check compares the closure with the loader's, and both with what the case is about: where a
// library is found, "" for nowhere.
func (w *workshop) check(program string, want map[string]string) *Closure {
	w.t.Helper()
	r := w.root()
	list := w.listed(program)
	compareList(w.t, r, program, list)
	c := load(w.t, r, program)
	got := paths(c)
	for name, at := range want {
		if at == "" {
			if !slices.Contains(list, name+": not found") {
				w.t.Errorf("%s: the loader finds %s, it was not to: %q", program, name, list)
			}
			continue
		}
		if !slices.Contains(got, at) {
			w.t.Errorf("%s: no %s in %q, missing %v", program, at, got, c.Missing)
		}
	}
	return c
}

func TestRpathAndRunpath(t *testing.T) {
	w := newWorkshop(t)
	w.lib("/x/libb.so", "int b(){return 1;}", "")
	w.lib("/x/liba.so", "int b(); int a(){return b();}", "@/x/libb.so")
	w.lib("/y/liba.so", "int b(); int a(){return b();}", "@/x/libb.so -Wl,-rpath,/nowhere -Wl,--enable-new-dtags")
	const main = "int a(); int main(){return a();}"
	// The needs of a library are found by the DT_RPATH of the program, not by its DT_RUNPATH, and
	// not if the library has a DT_RUNPATH itself.
	w.gcc("/rpath", main, "@/x/liba.so -Wl,-rpath,/x -Wl,--disable-new-dtags")
	w.gcc("/runpath", main, "@/x/liba.so -Wl,-rpath,/x -Wl,--enable-new-dtags")
	w.gcc("/both", main, "@/y/liba.so -Wl,-rpath,/y:/x -Wl,--disable-new-dtags")
	w.check("/rpath", map[string]string{"liba.so": "/x/liba.so", "libb.so": "/x/libb.so"})
	w.check("/runpath", map[string]string{"liba.so": "/x/liba.so", "libb.so": ""})
	w.check("/both", map[string]string{"liba.so": "/y/liba.so", "libb.so": ""})
}

func TestVariablesInPaths(t *testing.T) {
	w := newWorkshop(t)
	const main = "int a(); int main(){return a();}"
	for _, dir := range []string{"/app/lib", "/p/lib/x86_64-linux-gnu", "/q/x86_64z", "/q/x86_64-", "/s"} {
		w.lib(dir+"/liba.so", "int a(){return 1;}", "")
	}
	w.link("../app/bin/origin", "/bin/by-link")
	for program, c := range map[string]struct{ rpath, at string }{
		"/app/bin/origin": {"$ORIGIN/../lib", "/app/lib/liba.so"},
		"/app/bin/braces": {"${ORIGIN}/../lib", "/app/lib/liba.so"},
		"/app/bin/lib":    {"/p/$LIB", "/p/lib/x86_64-linux-gnu/liba.so"},
		"/app/bin/plat":   {"/q/${PLATFORM}z", "/q/x86_64z/liba.so"},
		"/app/bin/letter": {"/q/$PLATFORMz", ""},
		"/app/bin/digit":  {"/q/$PLATFORM9", ""},
		"/app/bin/minus":  {"/q/$PLATFORM-", "/q/x86_64-/liba.so"},
		"/app/bin/other":  {"/q/$PLATFOR", ""},
		"/app/bin/open":   {"${ORIGIN/../lib", ""},
		"/app/bin/long":   {"/no:/no/$ORIGIN:/s", "/s/liba.so"},
	} {
		w.gcc(program, main, "@/app/lib/liba.so -Wl,-rpath,"+c.rpath)
		w.check(program, map[string]string{"liba.so": c.at})
	}
	// $ORIGIN of the program is without links, as /proc/self/exe is. There is no /proc in the root.
	r := ownRoot(t)
	compareList(t, r, w.path("/bin/by-link"), listedBy(exec.Command(w.path("/bin/by-link"))))
	if got := paths(load(t, r, w.path("/bin/by-link"))); !slices.Contains(got, w.path("/app/lib/liba.so")) {
		t.Errorf("$ORIGIN by a link: %q", got)
	}
}

func TestCandidates(t *testing.T) {
	w := newWorkshop(t)
	w.lib("/good/liba.so", "int a(){return 1;}", "")
	w.copy("/good/liba.so", "/class/liba.so", func(b []byte) { b[4] = 1 })
	w.copy("/good/liba.so", "/machine/liba.so", func(b []byte) { b[18] = 183 })
	w.write("/text/liba.so", []byte(strings.Repeat("no library\n", 20)))
	w.write("/short/liba.so", []byte("x"))
	if err := os.MkdirAll(w.path("/dir/liba.so"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.link("nothing", "/dangling/liba.so")
	const main = "int a(); int main(){return a();}"
	for dir, at := range map[string]string{
		"class": "/good/liba.so", "machine": "/good/liba.so", "dangling": "/good/liba.so", // passed over
		"text": "", "short": "", "dir": "", // an error
	} {
		w.gcc("/"+dir+"-prog", main, "@/good/liba.so -Wl,-rpath,/"+dir+":/good")
		if at != "" {
			w.check("/"+dir+"-prog", map[string]string{"liba.so": at})
			continue
		}
		// The loader gives up here, and says so; it has no list.
		out, err := w.command(ldso, "--list", "/"+dir+"-prog").CombinedOutput()
		c := load(t, w.root(), "/"+dir+"-prog")
		if err == nil || len(c.Missing) != 1 || c.Missing[0].Name != "liba.so" {
			t.Errorf("%s: %v, missing %v; the loader: %v %s", dir, paths(c), c.Missing, err, out)
			continue
		}
		_, reason, _ := strings.Cut(c.Missing[0].Reason, ": ")
		if !strings.Contains(string(out), reason) {
			t.Errorf("%s: %v; the loader: %s", dir, c.Missing, out)
		}
	}
	w.gcc("/none", main, "@/good/liba.so -Wl,-rpath,/class")
	c := w.check("/none", map[string]string{"liba.so": ""})
	if len(c.Missing) != 1 || !strings.Contains(c.Missing[0].Reason, "wrong ELF class") {
		t.Errorf("no word of the candidate that was passed over: %v", c.Missing)
	}
}

func TestNamesAndFiles(t *testing.T) {
	w := newWorkshop(t)
	// One file under two names, neither of them a soname; a path as a name; a name by soname.
	w.gcc("/x/libone.so", "int a(){return 1;}", "-shared -fPIC")
	w.gcc("/x/libtwo.so", "int c(){return 1;}", "-shared -fPIC")
	w.gcc("/x/libfull.so", "int f(){return 1;}", "-shared -fPIC -Wl,-soname,/x/libfull.so")
	w.gcc("/prog", "int a(); int c(); int f(); int main(){return a()+c()+f();}", "-L"+w.path("/x")+" -lone -ltwo -lfull -Wl,-rpath,/x")
	w.remove("/x/libtwo.so")
	w.link("/x/libone.so", "/x/libtwo.so")
	c := w.check("/prog", map[string]string{"libone.so": "/x/libone.so", "libfull.so": "/x/libfull.so"})
	if len(c.Modules) != 5 {
		t.Errorf("modules %q, want the program, two libraries, libc and its loader", paths(c))
	}
	if one := c.Modules[1]; !slices.Equal(one.Names, []string{"libone.so", "libtwo.so"}) {
		t.Errorf("names %q", one.Names)
	}
}

func TestCycleAndNoLibraries(t *testing.T) {
	w := newWorkshop(t)
	w.lib("/x/libb.so", "int b(){return 1;}", "")
	w.lib("/x/liba.so", "int b(); int a(){return b();}", "@/x/libb.so -Wl,-rpath,/x")
	w.lib("/x/libb.so", "int a(); int b(){return a();}", "@/x/liba.so -Wl,-rpath,/x")
	w.gcc("/prog", "int a(); int main(){return a();}", "@/x/liba.so -Wl,-rpath,/x")
	w.check("/prog", map[string]string{"liba.so": "/x/liba.so", "libb.so": "/x/libb.so"})
	w.gcc("/bare", "void _start(){for(;;);}", "-nostdlib -pie -fPIE -Wl,-dynamic-linker,"+ldso)
	if got := paths(load(t, w.root(), "/bare")); !slices.Equal(got, []string{"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"}) {
		t.Errorf("a program that needs nothing has %q", got)
	}
	w.gcc("/static", "int main(){return 0;}", "-static")
	if c := load(t, w.root(), "/static"); len(c.Modules) != 1 || len(c.Missing) != 0 {
		t.Errorf("a static program: %q, missing %v", paths(c), c.Missing)
	}
}

func TestNoDefaultLibraries(t *testing.T) {
	w := newWorkshop(t)
	tool(t, "ldconfig")
	w.lib("/opt/lib/liba.so", "int a(){return 1;}", "")
	w.write("/etc/ld.so.conf", []byte("include /etc/ld.so.conf.d/*.conf\n"))
	w.write("/etc/ld.so.conf.d/opt.conf", []byte("# ours\n/opt/lib\n"))
	const main = "int a(); int main(){return a();}"
	w.gcc("/with", main, "@/opt/lib/liba.so")
	w.gcc("/without", main, "@/opt/lib/liba.so -Wl,-z,nodefaultlib")
	// Without a cache the loader does not find it; we do, and say on what ground.
	c := load(t, w.root(), "/with")
	if len(c.Notes) != 1 || !slices.Contains(paths(c), "/opt/lib/liba.so") || !slices.Contains(w.listed("/with"), "liba.so: not found") {
		t.Errorf("without a cache: %q, notes %q, the loader %q", paths(c), c.Notes, w.listed("/with"))
	}
	w.ldconfig()
	w.check("/with", map[string]string{"liba.so": "/opt/lib/liba.so", "libc.so.6": "/usr/lib/x86_64-linux-gnu/libc.so.6"})
	// The flag leaves the system directories out, also where the cache names them.
	w.check("/without", map[string]string{"liba.so": "/opt/lib/liba.so", "libc.so.6": ""})
}

func (w *workshop) ldconfig() {
	w.t.Helper()
	if out, err := exec.Command("ldconfig", "-r", w.dir).CombinedOutput(); err != nil {
		w.t.Fatalf("ldconfig: %v %s", err, out)
	}
}

// A machine's loader takes the best file for its processor; ours has them all.
func TestVariants(t *testing.T) {
	w := newWorkshop(t)
	tool(t, "ldconfig")
	w.write("/etc/ld.so.conf", []byte("/opt/lib\n"))
	w.lib("/opt/lib/liba.so", "int a(){return 1;}", "")
	w.lib("/x/libb.so", "int b(){return 1;}", "")
	w.lib("/x/libextra.so", "int e(){return 1;}", "")
	w.gcc("/prog", "int a(); int b(); int main(){return a()+b();}", "@/opt/lib/liba.so @/x/libb.so -Wl,-rpath,/x")
	for _, level := range []string{"v2", "v3", "v4"} {
		w.lib("/opt/lib/glibc-hwcaps/x86-64-"+level+"/liba.so", "int a(){return 2;}", "")
		w.lib("/x/glibc-hwcaps/x86-64-"+level+"/libb.so", "int b(){return 2;} int "+level+"(){}", "@/x/libextra.so -Wl,-rpath,/x")
	}
	for _, how := range []string{"directories", "cache"} {
		if how == "cache" {
			w.ldconfig()
		}
		c := load(t, w.root(), "/prog")
		if len(c.Missing) != 0 {
			t.Errorf("%s: missing %v", how, c.Missing)
		}
		byPath := map[string]int{}
		for i, m := range c.Modules {
			byPath[m.Path] = i
		}
		for _, p := range w.listed("/prog") {
			if p == "liba.so: not found" && how == "directories" {
				continue // it is in ld.so.conf only
			}
			_, inside, err := w.root().Resolve(p)
			i, ok := byPath[inside]
			if err != nil || !ok {
				t.Errorf("%s: the loader has %s, ours %q", how, p, paths(c))
			}
			if strings.Contains(p, "hwcaps") && c.Modules[i].VariantOf < 0 {
				t.Errorf("%s: %s is no variant", how, p)
			}
		}
		for name, sym := range map[string]string{"/opt/lib/liba.so": "a", "/x/libb.so": "b"} {
			i, ok := byPath[name]
			if !ok || len(c.Modules[i].Variants) != 3 {
				t.Errorf("%s: %s and its variants: %v %+v", how, name, ok, c.Modules[i].Variants)
				continue
			}
			mod, def, ok := c.LookupName(sym)
			if !ok || mod != i || len(c.Others(mod, def)) != 3 {
				t.Errorf("%s: %s is bound to module %d, and %v", how, sym, mod, c.Others(mod, def))
			}
			for _, v := range c.Modules[i].Variants {
				if mod, _, ok := c.Lookup(&module.Symbol{Name: sym, Bind: elf.STB_GLOBAL}, v); !ok || mod != v {
					t.Errorf("%s: from a variant, %s is bound to module %d, want its own, %d", how, sym, mod, v)
				}
			}
		}
	}
}

// Until glibc 2.36 there are older subdirectories, some of them for all machines.
func TestOldSubdirectories(t *testing.T) {
	w := newWorkshop(t)
	const main = "int a(); int b(); int main(){return a()+b();}"
	for _, lib := range []string{"a", "b"} {
		w.lib("/x/lib"+lib+".so", "int "+lib+"(){return 1;}", "")
	}
	w.lib("/x/tls/x86_64/liba.so", "int a(){return 1;}", "")
	w.lib("/x/tls/liba.so", "int a(){return 1;}", "")
	w.lib("/x/x86_64/libb.so", "int b(){return 1;}", "")
	w.gcc("/prog", main, "@/x/liba.so @/x/libb.so -Wl,-rpath,/x")
	help, err := w.command(ldso, "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a": "/x/liba.so", "b": "/x/libb.so"}
	if strings.Contains(string(help), "Legacy HWCAP subdirectories") {
		want = map[string]string{"a": "/x/tls/x86_64/liba.so", "b": "/x/x86_64/libb.so"}
	}
	w.check("/prog", want)
}
