package loader

import (
	"debug/elf"
	"os/exec"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// bindsTo says which module defines a symbol for another one, by the last elements of paths.
func bindsTo(t *testing.T, c *Closure, from, name string, kinds ...module.RelocKind) (to string, def *module.Symbol) {
	t.Helper()
	for i, m := range c.Modules {
		if m.Path != from {
			continue
		}
		for _, rel := range m.Relocs {
			if s := &m.Symbols[rel.Symbol]; rel.Symbol != 0 && s.Name == name && (len(kinds) == 0 || rel.Kind == kinds[0]) {
				mod, def, ok := c.LookupReloc(rel.Kind, s, i)
				if !ok {
					return "", nil
				}
				return c.Modules[mod].Path, def
			}
		}
	}
	t.Errorf("%s has no relocation by %s", from, name)
	return "", nil
}

// agrees lets the loader bind a program of the workshop on the machine itself; its search paths
// must be absolute there.
func (w *workshop) agrees(program string) *Closure {
	w.t.Helper()
	r := ownRoot(w.t)
	compareBindings(w.t, r, ldso, w.path(program))
	return load(w.t, r, w.path(program))
}

const outsideRpath = " -Wl,--disable-new-dtags -Wl,-rpath="

func TestScopeAndSymbolic(t *testing.T) {
	w := newWorkshop(t)
	rpath := outsideRpath + w.path("/x")
	const both = "int f(){return 1;} int g(){return f();}"
	w.lib("/x/libplain.so", both, "")
	w.lib("/x/libsymbolic.so", "int f(){return 2;} int h(){return f();}", "-Wl,-Bsymbolic -Wl,-z,nodynamic-undefined-weak")
	w.lib("/x/libprotected.so", `__attribute__((visibility("protected"))) int f(){return 3;} int (*k())(){return f;}`, "")
	w.gcc("/prog", "int g(); int h(); int k(); int f(){return 0;} int main(){return f()+g()+h()+k();}",
		"-rdynamic @/x/libplain.so @/x/libsymbolic.so @/x/libprotected.so"+rpath)
	c := w.agrees("/prog")
	if to, _ := bindsTo(t, c, w.path("/x/libplain.so"), "f"); to != w.path("/prog") {
		t.Errorf("a library's call of its own function is bound to %q, want the program's", to)
	}
	// DT_SYMBOLIC and protected symbols: the linker leaves no relocation by name; the symbol itself
	// and a hand-made reference show the scope.
	for i, m := range c.Modules {
		if m.Soname == "libprotected.so" {
			at := slices.IndexFunc(m.Symbols, func(s module.Symbol) bool { return s.Name == "f" })
			if mod, _, ok := c.Lookup(&m.Symbols[at], i); !ok || mod != i {
				t.Errorf("a protected function is bound to module %d, want %d", mod, i)
			}
		}
		if m.Soname != "libsymbolic.so" {
			continue
		}
		ref := &module.Symbol{Name: "f", Bind: elf.STB_GLOBAL}
		if mod, _, ok := c.Lookup(ref, i); !ok || mod != i {
			t.Errorf("from a library with DT_SYMBOLIC f is bound to module %d, want %d", mod, i)
		}
		if mod, _, ok := c.Lookup(ref, 1); !ok || mod != 0 {
			t.Errorf("from a library without DT_SYMBOLIC f is bound to module %d, want 0", mod)
		}
	}
}

func TestVersionsOfSymbols(t *testing.T) {
	w := newWorkshop(t)
	rpath := outsideRpath + w.path("/x")
	w.write("/map", []byte("V1 {}; V2 {} V1; V3 {} V2;"))
	const three = `__asm__(".symver f1,f@V1"); __asm__(".symver f2,f@V2"); __asm__(".symver f3,f@@V3");
		int f1(){return 1;} int f2(){return 2;} int f3(){return 3;}`
	w.lib("/x/libv.so", three, "-Wl,--version-script=@/map")
	w.lib("/plain/libv.so", "int f(){return 9;}", "") // to link without versions
	const main = "int f(); int main(){return f();}"
	w.gcc("/newest", main, "@/x/libv.so"+rpath)
	w.gcc("/oldest", main, "@/plain/libv.so"+rpath)
	w.gcc("/second", `__asm__(".symver f,f@V2"); `+main, "@/x/libv.so"+rpath)
	for program, want := range map[string]string{"/newest": "V3", "/oldest": "V1", "/second": "V2"} {
		c := w.agrees(program)
		_, def := bindsTo(t, c, w.path(program), "f")
		code := map[string]int{"V1": 1, "V2": 2, "V3": 3}[want]
		if def == nil || def.Version != want {
			t.Errorf("%s: f is %+v, want of %s", program, def, want)
		}
		// The program itself tells which one it got.
		err := exec.Command(w.path(program)).Run()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != code {
			t.Errorf("%s: %v, want exit code %d", program, err, code)
		}
		if len(c.Missing) > 0 {
			t.Errorf("%s: missing %v", program, c.Missing)
		}
	}
	// dlsym means the default version.
	c := load(t, ownRoot(t), w.path("/newest"))
	if _, def, ok := c.LookupName("f"); !ok || def.Version != "V3" {
		t.Errorf("f by name is %+v", def)
	}
	// A library that has lost the version: the loader refuses to start, and we say so.
	w.write("/map", []byte("V1 {};"))
	w.lib("/x/libv.so", `__asm__(".symver f1,f@@V1"); int f1(){return 1;}`, "-Wl,--version-script=@/map")
	c = load(t, ownRoot(t), w.path("/newest"))
	if len(c.Missing) != 1 || c.Missing[0].Name != "libv.so (V3)" {
		t.Errorf("missing %+v, want the version V3 of libv.so", c.Missing)
	}
	if err := exec.Command(w.path("/newest")).Run(); err == nil {
		t.Error("the program starts without the version that it requires")
	}
	// Without any versions the library is good for all.
	w.copy("/plain/libv.so", "/x/libv.so", nil)
	if c := w.agrees("/newest"); len(c.Missing) != 0 {
		t.Errorf("missing %+v though the library has no versions", c.Missing)
	}
}

func TestCopiesAndCanonicalEntries(t *testing.T) {
	w := newWorkshop(t)
	rpath := outsideRpath + w.path("/x")
	w.lib("/x/libd.so", "int data=7; int get(){return data;} int f(){return 1;} int (*addr())(){return f;}", "")
	w.gcc("/prog", "extern int data; int get(); int f(); int (*addr())(); int main(){return data==7&&get()==7&&addr()==f?0:1;}",
		"-no-pie -fno-pie @/x/libd.so"+rpath)
	c := w.agrees("/prog")
	lib, prog := w.path("/x/libd.so"), w.path("/prog")
	if to, _ := bindsTo(t, c, lib, "data"); to != prog {
		t.Errorf("the library's reference to a copied object is bound to %q", to)
	}
	if to, _ := bindsTo(t, c, prog, "data", module.RelocCopy); to != lib {
		t.Errorf("the original of a copy is in %q", to)
	}
	if to, def := bindsTo(t, c, lib, "f"); to != prog || def == nil || def.Defined {
		t.Errorf("the address of a function is in %q: %+v, want the program's canonical entry", to, def)
	}
	for i, m := range c.Modules {
		if m.Path != lib {
			continue
		}
		ref := &module.Symbol{Name: "f", Bind: elf.STB_GLOBAL}
		if mod, def, ok := c.Lookup(ref, i); !ok || mod != i || !def.Defined {
			t.Errorf("a call of f is bound to module %d, %+v", mod, def)
		}
	}
	if err := exec.Command(prog).Run(); err != nil {
		t.Errorf("the program sees other bindings: %v", err)
	}
}

func TestHiddenAndWeak(t *testing.T) {
	w := newWorkshop(t)
	rpath := outsideRpath + w.path("/x")
	w.lib("/x/libh.so", `__attribute__((visibility("hidden"))) int f(){return 1;} int g(){return f();}`, "")
	w.gcc("/prog", "extern int f() __attribute__((weak)); int g(); int main(){return f?1:g()-1;}", "@/x/libh.so"+rpath)
	c := w.agrees("/prog")
	if to, def := bindsTo(t, c, w.path("/prog"), "f"); def != nil {
		t.Errorf("a weak reference to what is hidden is bound to %s", to)
	}
	if err := exec.Command(w.path("/prog")).Run(); err != nil {
		t.Error(err)
	}
	if _, def, ok := c.LookupName("memcpy"); !ok || def.Type != elf.STT_GNU_IFUNC {
		t.Errorf("memcpy is %+v, want an indirect function", def)
	}
}

// What dlopen maps, where it finds it, and which symbols its libraries see.
func TestOpen(t *testing.T) {
	w := newWorkshop(t)
	w.lib("/x/libdep.so", "int f(){return 1;} int d(){return f();}", "")
	w.lib("/x/plug.so", "int d(); int f(); int entry(){return d()+10*f();}", "@/x/libdep.so -Wl,-rpath,/x")
	w.lib("/y/other.so", "int f(){return 2;} int o(){return f();}", "")
	w.gcc("/prog", "int main(){return 0;}", "-Wl,--disable-new-dtags -Wl,-rpath,/x")
	w.gcc("/global", "int f(){return 3;} int main(){return 0;}", "-rdynamic -Wl,--disable-new-dtags -Wl,-rpath,/x")
	r := w.root()
	for program, want := range map[string]string{"/prog": "/x/libdep.so", "/global": "/global"} {
		c := load(t, r, program)
		before := len(c.Modules)
		added, err := r.Open(c, "plug.so", nil)
		if err != nil || len(added) != 2 || c.Modules[added[0]].Path != "/x/plug.so" || c.Modules[added[1]].Path != "/x/libdep.so" {
			t.Fatalf("plug.so gives %v, %v: %q", added, err, paths(c))
		}
		for i, m := range c.Modules {
			if m.Opened != (i >= before) {
				t.Errorf("%s: opened is %v", m.Path, m.Opened)
			}
		}
		if to, _ := bindsTo(t, c, "/x/plug.so", "f"); to != want {
			t.Errorf("%s: f of plug.so is bound to %q, want %s", program, to, want)
		}
		again, err := r.Open(c, "/x/plug.so", nil)
		if err != nil || len(again) != 1 || again[0] != added[0] {
			t.Errorf("opened again it is %v, %v", again, err)
		}
		if got, err := r.Open(c, "/y/other.so", nil); err != nil || len(got) != 1 {
			t.Errorf("/y/other.so: %v, %v", got, err)
		}
		if to, _ := bindsTo(t, c, "/y/other.so", "f"); program == "/prog" && to != "/y/other.so" {
			t.Errorf("f of other.so is bound to %q: its own comes before that of another dlopen", to)
		}
		if got, err := r.Open(c, "libnone.so", nil); err != nil || got != nil || len(c.Missing) != 1 || c.Missing[0].Name != "libnone.so" {
			t.Errorf("libnone.so: %v, %v, missing %v", got, err, c.Missing)
		}
	}
}
