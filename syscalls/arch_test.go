package syscalls

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestRoundTrip: on every ABI name and number are inverse to each other, the list is ascending and
// complete, and numbers that it does not have are refused.
func TestRoundTrip(t *testing.T) {
	for _, a := range Arches() {
		list := a.Syscalls()
		if len(list) < 300 {
			t.Errorf("%s: only %d calls", a, len(list))
		}
		has := map[string]bool{}
		for i, s := range list {
			if i > 0 && list[i-1].Nr >= s.Nr {
				t.Errorf("%s: %s %d after %s %d", a, s.Name, s.Nr, list[i-1].Name, list[i-1].Nr)
			}
			if nr, ok := a.Number(s.Name); !ok || nr != s.Nr {
				t.Errorf("%s: Number(%s) = %d, %v, want %d", a, s.Name, nr, ok, s.Nr)
			}
			if name, ok := a.NameOf(s.Nr); !ok || name != s.Name {
				t.Errorf("%s: NameOf(%d) = %s, %v, want %s", a, s.Nr, name, ok, s.Name)
			}
			if s.Nr < a.Base || !Known(s.Name) {
				t.Errorf("%s: %s %d: below the base or unknown", a, s.Name, s.Nr)
			}
			has[s.Name] = true
		}
		for _, name := range Names() {
			if _, ok := a.Number(name); ok != has[name] {
				t.Errorf("%s: Number(%s) is %v, in the list: %v", a, name, ok, has[name])
			}
		}
		numbers := 0
		for nr := int32(-4); nr < 1200; nr++ {
			for _, base := range []int32{0, 4000, 5000, 6000, 0xf0000, 0x40000000} {
				if _, ok := a.NameOf(base + nr); ok && (base == 0 || nr >= 0) {
					numbers++
				}
			}
		}
		if numbers < len(list) {
			t.Errorf("%s: %d numbers found around the bases, %d in the list", a, numbers, len(list))
		}
		for _, nr := range []int32{-1, -2147483648, 2147483647, a.Base - 1, a.Base + 999} {
			if name, ok := a.NameOf(nr); ok {
				t.Errorf("%s: NameOf(%d) = %s", a, nr, name)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		arch, name string
		nr         int32 // -1: the ABI lacks the call
	}{
		{"x86_64", "read", 0}, {"x86_64", "openat", 257}, {"x86_64", "socketcall", -1},
		{"x86", "read", 3}, {"x86", "socketcall", 102}, {"x86", "accept", -1},
		{"x32", "read", 0x40000000}, {"x32", "execve", 0x40000000 + 520}, {"x32", "uselib", -1},
		{"arm", "set_tls", 0xf0005}, {"arm", "cacheflush", 0xf0002}, {"arm", "openat", 322},
		{"aarch64", "openat", 56}, {"aarch64", "open", -1}, {"riscv64", "riscv_hwprobe", 258},
		{"mips", "exit", 4001}, {"mipsel", "openat", 4288}, {"mips64", "read", 5000},
		{"mipsel64", "openat", 5247}, {"mips64n32", "read", 6000}, {"mipsel64n32", "openat", 6251},
		{"ppc64le", "openat", 286}, {"s390x", "openat", 288}, {"s390", "socketcall", 102},
		{"sheb", "exit", 1}, {"m68k", "atomic_barrier", 336}, {"x86_64", "no_such_call", -1},
		{"x86_64", "", -1}, {"parisc64", "accept", 35},
	} {
		nr, ok := ByName(c.arch).Number(c.name)
		if !ok {
			nr = -1
		}
		if nr != c.nr {
			t.Errorf("%s: %s is %d, want %d", c.arch, c.name, nr, c.nr)
		}
	}
}

// TestDescriptors checks what a descriptor says against the table and against the token, whose bits
// carry order, width and convention (include/uapi/linux/audit.h).
func TestDescriptors(t *testing.T) {
	if n := len(Arches()); n != 23 {
		t.Errorf("%d architectures", n)
	}
	unique := map[string]string{}
	for _, a := range Arches() {
		for _, w := range a.words() {
			w = strings.ToLower(w)
			if unique[w] != "" && unique[w] != a.Name {
				t.Errorf("%s and %s are both called %s", a, unique[w], w)
			}
			unique[w] = a.Name
		}
		if want := "SCMP_ARCH_" + strings.ToUpper(a.Name); a.OCI != want {
			t.Errorf("%s: OCI name %s, want %s", a, a.OCI, want)
		}
		if little := a.Audit&0x40000000 != 0; little == a.BigEndian {
			t.Errorf("%s: token %#x, big-endian %v", a, a.Audit, a.BigEndian)
		}
		if wide := a.Audit&0x80000000 != 0; wide != (a.Bits == 64) {
			t.Errorf("%s: token %#x, %d bits", a, a.Audit, a.Bits)
		}
		narrow := a.Name == "x32" || a.Audit&0x20000000 != 0
		if narrow != (a.Bits != a.PointerBits) {
			t.Errorf("%s: registers of %d bits, pointers of %d", a, a.Bits, a.PointerBits)
		}
		if _, has := a.Number("socketcall"); has != a.Socketcall {
			t.Errorf("%s: Socketcall is %v", a, a.Socketcall)
		}
		if _, has := a.Number("ipc"); has != a.IPC {
			t.Errorf("%s: IPC is %v", a, a.IPC)
		}
		host := ByName(a.Host)
		if host == nil || host.Host != host.Name || host.BigEndian != a.BigEndian {
			t.Errorf("%s: host %q", a, a.Host)
		} else if host.Bits != 64 && host != a {
			t.Errorf("%s: host %s has %d bits", a, host, host.Bits)
		}
		if (a.Order().Uint16([]byte{0, 1}) == 1) != a.BigEndian {
			t.Errorf("%s: order %v", a, a.Order())
		}
	}
}

func TestByAudit(t *testing.T) {
	for _, a := range Arches() {
		for _, s := range a.Syscalls() {
			if got := ByAudit(a.Audit, s.Nr); got != a {
				t.Fatalf("ByAudit(%#x, %d) = %v, want %s", a.Audit, s.Nr, got, a)
			}
		}
	}
	for _, c := range []struct {
		token uint32
		nr    int32
		want  string
	}{
		{0xc000003e, -1, "x86_64"}, {0xc000003e, -2, "x32"}, {0xc000003e, 0x3fffffff, "x86_64"},
		{0xc000003e, 0x40000000 + 9999, "x32"}, {0x40000003, 0x40000000, "x86"}, {0, 0, ""}, {0xc0000032, 3, ""},
	} {
		got := ""
		if a := ByAudit(c.token, c.nr); a != nil {
			got = a.Name
		}
		if got != c.want {
			t.Errorf("ByAudit(%#x, %d) = %q, want %q", c.token, c.nr, got, c.want)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, a := range Arches() {
		for _, w := range a.words() {
			for _, form := range []string{w, strings.ToUpper(w), strings.ToLower(w)} {
				if got, err := Lookup(form); err != nil || got != a {
					t.Errorf("Lookup(%q) = %v, %v, want %s", form, got, err, a)
				}
			}
		}
	}
	for word, name := range map[string]string{
		"amd64": "x86_64", "i386": "x86", "386": "x86", "arm64": "aarch64", "mipsle": "mipsel", "ppc64el": "ppc64le",
		"mips64le": "mipsel64", "loong64": "loongarch64", "SCMP_ARCH_S390X": "s390x", "armhf": "arm", "hppa": "parisc",
	} {
		if a, err := Lookup(word); err != nil || a.Name != name {
			t.Errorf("Lookup(%q) = %v, %v, want %s", word, a, err, name)
		}
	}
	for word, nearest := range map[string]string{
		"amd46": "amd64", "x86_46": "x86_64", "aarch46": "aarch64", "SCMP_ARCH_X86_46": "SCMP_ARCH_X86_64",
		"vax": "", "": "", "sparc64": "", "alpha": "", strings.Repeat("x86", 1000): "",
	} {
		a, err := Lookup(word)
		var unknown *UnknownArchError
		if a != nil || !errors.As(err, &unknown) {
			t.Errorf("Lookup(%q) = %v, %v", word, a, err)
			continue
		}
		if unknown.Nearest != nearest {
			t.Errorf("Lookup(%q): nearest %q, want %q", word, unknown.Nearest, nearest)
		}
		if nearest != "" && !strings.Contains(err.Error(), nearest) {
			t.Errorf("Lookup(%q): message %q lacks %q", word, err, nearest)
		}
	}
	if ByName("amd64") != nil || ByName("") != nil || ByName("X86_64") != nil {
		t.Error("ByName takes more than a Name")
	}
}

func TestListsAreCopies(t *testing.T) {
	Arches()[0], Names()[0] = nil, "changed"
	if Arches()[0] == nil || !slices.IsSorted(Names()) {
		t.Error("a caller can change the package's tables")
	}
}
