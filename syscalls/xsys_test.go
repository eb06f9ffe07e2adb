package syscalls

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// xsysDir returns the directory of package unix, in the version that go.mod names.
func xsysDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "golang.org/x/sys/unix").Output()
	if err != nil {
		t.Fatalf("go list golang.org/x/sys/unix: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// constants returns the integer constants of a Go file whose names have a prefix, without it.
func constants(t *testing.T, file, prefix string) map[string]int64 {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int64{}
	for _, d := range parsed.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			name, ok := strings.CutPrefix(v.Names[0].Name, prefix)
			if !ok || len(v.Values) != 1 {
				continue
			}
			if literal, ok := v.Values[0].(*ast.BasicLit); ok {
				if n, exact := constant.Int64Val(constant.MakeFromLiteral(literal.Value, literal.Kind, 0)); exact {
					found[name] = n
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s: no %s constants", file, prefix)
	}
	return found
}

// xsysDifferences lists every difference between the table and golang.org/x/sys/unix v0.49.0, by
// port, with its reason.
var xsysDifferences = []struct{ ports, names, reason string }{
	{"loong64", "memfd_secret", "only there: the kernel's table wires it up for arm64, riscv64 and x86 alone (scripts/syscall.tbl)"},
	{"arm", "breakpoint cacheflush get_tls set_tls usr26 usr32", "only here: arm's private calls are not in the header that x/sys reads"},
	{"arm", "syscall_mask", "only there: a mask, not a call"},
	{"arm64 loong64 riscv64", "arch_specific_syscall", "only there: the start of a range, not a call"},
	{"mips mipsle", "unused18 unused28 unused84 unused150 reserved82 reserved221", "only there: placeholders (syscall_o32.tbl: sys_ni_syscall)"},
	{"mips mipsle", "unused59 unused109", "only there: no name, though they answer as old forms of uname (syscall_o32.tbl: sys_olduname, sys_uname)"},
	{"mips64 mips64le", "reserved177 reserved193", "only there: placeholders (syscall_n64.tbl: sys_ni_syscall)"},
}

// xsysPort returns the name in x/sys's file for an ABI: its GOARCH, and ppc, which has a file for
// gccgo; "" where there is none.
func xsysPort(a *Arch) string {
	if a.Name == "ppc" {
		return "ppc"
	}
	return a.GOARCH
}

// TestNumbersAgainstXSys compares every number of every Go port with golang.org/x/sys/unix, which
// is made from the kernel's headers. A difference must be listed above, and what is listed must be
// there.
func TestNumbersAgainstXSys(t *testing.T) {
	unlisted, compared := map[string]string{}, 0
	for _, a := range Arches() {
		if port := xsysPort(a); port != "" {
			compared += compareXSys(t, a, port, unlisted)
		}
	}
	for _, d := range xsysDifferences {
		for _, port := range strings.Fields(d.ports) {
			for _, name := range strings.Fields(d.names) {
				key := port + " " + name
				if unlisted[key] == "" {
					t.Errorf("%s: listed as a difference (%s), but there is none", key, d.reason)
				}
				delete(unlisted, key)
			}
		}
	}
	for key, what := range unlisted {
		t.Errorf("%s: %s, no reason listed", key, what)
	}
	if compared < 5000 {
		t.Errorf("only %d numbers compared", compared)
	}
	t.Logf("%d numbers compared", compared)
}

// compareXSys fills in the differences of one port and returns how many numbers it compared.
func compareXSys(t *testing.T, a *Arch, port string, differences map[string]string) int {
	theirs := map[string]int64{}
	for name, nr := range constants(t, filepath.Join(xsysDir(t), "zsysnum_linux_"+port+".go"), "SYS_") {
		theirs[strings.ToLower(name)] = nr
	}
	for _, s := range a.Syscalls() {
		if there, ok := theirs[s.Name]; !ok {
			differences[port+" "+s.Name] = "only here"
		} else if there != int64(s.Nr) {
			differences[port+" "+s.Name] = fmt.Sprintf("%d here, %d there", s.Nr, there)
		}
		delete(theirs, s.Name)
	}
	for name := range theirs {
		differences[port+" "+name] = "only there"
	}
	return len(a.Syscalls())
}

// TestTokensAgainstXSys compares every token with the constant made from linux/audit.h.
func TestTokensAgainstXSys(t *testing.T) {
	tokens := constants(t, filepath.Join(xsysDir(t), "zerrors_linux.go"), "AUDIT_ARCH_")
	named := map[string]string{"x86": "I386", "x32": "X86_64", "mips64n32": "MIPS64N32", "mipsel64n32": "MIPSEL64N32",
		"sh": "SHEL", "sheb": "SH"}
	for _, a := range Arches() {
		name := named[a.Name]
		if name == "" {
			name = strings.ToUpper(a.Name)
		}
		if want, ok := tokens[name]; !ok || int64(a.Audit) != want {
			t.Errorf("%s: token %#x, x/sys has AUDIT_ARCH_%s = %#x (%v)", a, a.Audit, name, want, ok)
		}
	}
}
