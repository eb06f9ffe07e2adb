package loader

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func family(list []Family, name string) *Family {
	i := slices.IndexFunc(list, func(f Family) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

func TestNsswitch(t *testing.T) {
	got := parseNsswitch("# c\npasswd:files\tsystemd\nhosts: files [!UNAVAIL=return success = continue]dns [x] myhostname # dns\nno colon\n")
	want := []database{{"passwd", []string{"files", "systemd"}}, {"hosts", []string{"files", "dns", "myhostname"}}}
	if !slices.EqualFunc(got, want, func(a, b database) bool { return a.name == b.name && slices.Equal(a.services, b.services) }) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The files that a lookup of an unknown user opens are in the closure or in an NSS family.
func TestNssAsOpened(t *testing.T) {
	strace, getent := tool(t, "strace"), tool(t, "getent")
	cmd := exec.Command(strace, "-f", "-e", "trace=openat", getent, "passwd", "no-such-user-here")
	cmd.Env = cleanEnv()
	out, _ := cmd.CombinedOutput() // getent says by its exit code that there is no such user
	r := ownRoot(t)
	p, err := r.Program(getent)
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, r, p.Path)
	known := paths(c)
	for _, f := range r.Families(c) {
		known = append(known, f.Files...)
	}
	opened := regexp.MustCompile(`"([^"]+\.so[^"]*)".* = \d+`).FindAllStringSubmatch(string(out), -1)
	if len(opened) == 0 {
		absentHere(t, "strace shows no opened library: %s", out)
	}
	extra := map[string]bool{} // what the modules need themselves
	for _, f := range r.Families(c) {
		if strings.HasPrefix(f.Name, "nss ") {
			with := load(t, r, p.Path)
			for _, file := range f.Files {
				if _, err := r.Open(with, file, nil); err != nil {
					t.Fatal(err)
				}
			}
			for _, at := range paths(with) {
				extra[at] = true
			}
		}
	}
	for _, m := range opened {
		_, inside, err := r.Resolve(m[1])
		if err == nil && !strings.Contains(m[1], "ld.so") && !slices.Contains(known, inside) && !extra[inside] {
			t.Errorf("getent opened %s, which is neither in the closure nor in a family", m[1])
		}
	}
}

// Objects that the programs of the truth were seen to map and that are not in their closures are of
// a family, or needed by a file of one.
func TestFamiliesCoverTruth(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/truth/c/*.json")
	if len(files) == 0 {
		absentHere(t, "no shared/truth")
	}
	r := ownRoot(t)
	programs := 0
	for _, at := range files {
		data, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		var truth struct {
			Path   string
			Opened []string
		}
		if err := json.Unmarshal(data, &truth); err != nil {
			t.Fatal(err)
		}
		if !r.exists(truth.Path) {
			continue
		}
		programs++
		c := load(t, r, truth.Path)
		for _, f := range r.Families(c) {
			for _, file := range f.Files {
				if _, err := r.Open(c, file, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		have := map[string]bool{}
		for _, m := range c.Modules {
			for _, name := range append([]string{m.Path, m.spelled}, m.Names...) {
				have[filepath.Base(name)] = true
			}
		}
		for _, o := range truth.Opened {
			if strings.HasPrefix(o, "ld.so.") || have[o] {
				continue
			}
			name, _, _ := strings.Cut(o, ".so")
			if !have[name+".so"] && !slices.ContainsFunc(c.Modules, func(m *Loaded) bool { return strings.HasPrefix(filepath.Base(m.Path), name+".so") }) {
				t.Errorf("%s: was seen to open %s, which no rule names", truth.Path, o)
			}
		}
	}
	if programs == 0 {
		absentHere(t, "none of the programs of shared/truth is here")
	}
	t.Logf("%d programs", programs)
}

func TestServerFamilies(t *testing.T) {
	w := newWorkshop(t)
	w.gcc("/usr/sbin/nginx", `const char *v="--prefix=/usr/share/nginx --conf-path=/etc/nginx/nginx.conf --modules-path=/usr/lib/nginx/modules "; int main(){return v[0];}`, "")
	w.write("/etc/nginx/nginx.conf", []byte("user www; # load_module /no.so;\ninclude on/*.conf;\nevents { load_module /inner.so; }\nload_module '/abs/b.so';\n"))
	w.write("/etc/nginx/on/a.conf", []byte("load_module modules/a.so;\ninclude on/*.conf;\n")) // includes itself
	w.link("../../lib/nginx/modules", "/usr/share/nginx/modules")
	for _, at := range []string{"/usr/lib/nginx/modules/a.so", "/usr/lib/nginx/modules/c.so", "/abs/b.so", "/no.so", "/inner.so"} {
		w.lib(at, "int x;", "")
	}
	r := w.root()
	list := r.Families(load(t, r, "/usr/sbin/nginx"))
	if f := family(list, "nginx modules"); f == nil || !f.Named || !slices.Equal(f.Files, []string{"/usr/lib/nginx/modules/a.so", "/abs/b.so"}) {
		t.Errorf("nginx: %+v", list)
	}
	if f := family(list, "nginx modules, others"); f == nil || f.Named || !slices.Equal(f.Files, []string{"/usr/lib/nginx/modules/c.so"}) {
		t.Errorf("nginx: %+v", list)
	}
	w.copy("/usr/sbin/nginx", "/usr/sbin/other", nil)
	if list := r.Families(load(t, r, "/usr/sbin/other")); family(list, "nginx modules") != nil || family(list, "pam") != nil {
		t.Errorf("a program that is no server: %+v", list)
	}
	w.gcc("/usr/sbin/apache2", "int main(){return 0;}", "")
	w.write("/etc/apache2/apache2.conf", []byte("IncludeOptional mods-enabled/*.load\n"))
	w.write("/etc/apache2/mods-enabled/x.load", []byte("<IfModule !x>\n LoadModule x_module /usr/lib/apache2/modules/mod_x.so\n</IfModule>\n"))
	w.lib("/usr/lib/apache2/modules/mod_x.so", "int x;", "")
	w.lib("/usr/lib/apache2/modules/mod_y.so", "int x;", "")
	list = r.Families(load(t, r, "/usr/sbin/apache2"))
	if f := family(list, "apache modules"); f == nil || !slices.Equal(f.Files, []string{"/usr/lib/apache2/modules/mod_x.so"}) {
		t.Errorf("apache: %+v", list)
	}
	w.lib("/usr/lib/x86_64-linux-gnu/libpam.so.0", "int pam;", "")
	w.lib("/usr/lib/x86_64-linux-gnu/security/pam_x.so", "int x;", "")
	w.lib("/usr/lib/x86_64-linux-gnu/security/pam_y.so", "int x;", "")
	w.write("/etc/pam.d/login", []byte("@include common\nauth [success=1 default=ignore] pam_x.so nullok\n# auth required pam_y.so\nauth include pam_y.so\n"))
	w.gcc("/login", "int main(){return 0;}", "@/usr/lib/x86_64-linux-gnu/libpam.so.0")
	list = r.Families(load(t, r, "/login"))
	if f := family(list, "pam"); f == nil || !slices.Equal(f.Files, []string{"/usr/lib/x86_64-linux-gnu/security/pam_x.so"}) {
		t.Errorf("pam: %+v", list)
	}
}
