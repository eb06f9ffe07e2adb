package code

import (
	"bufio"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// line is one instruction as objdump shows it.
type line struct {
	addr uint64
	text string
}

// disassemble calls each for every instruction of the executable sections of a file.
func disassemble(t *testing.T, path string, machine elf.Machine, each func(line)) {
	t.Helper()
	tool := "objdump"
	if machine == elf.EM_AARCH64 {
		tool = "aarch64-linux-gnu-objdump"
	}
	need(t, tool)
	cmd := exec.Command(tool, "-d", "-w", "--no-show-raw-insn", path)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(out)
	for sc.Scan() {
		addr, text, ok := strings.Cut(sc.Text(), ":\t")
		if a, err := strconv.ParseUint(strings.TrimSpace(addr), 16, 64); ok && err == nil {
			each(line{a, text})
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// need skips a test that lacks a tool; where CI is set it must not be lacking.
func need(t testing.TB, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// syscall reports whether the instruction enters the kernel.
func (l line) syscall() bool {
	op, args, _ := strings.Cut(l.text, " ")
	return op == "syscall" || op == "sysenter" || op == "svc" || op == "int" && strings.TrimSpace(args) == "$0x80" ||
		strings.HasPrefix(l.text, "svc\t")
}

// padding reports whether the instruction fills space.
func (l line) padding() bool {
	for _, p := range []string{"nop", "xchg   %ax,%ax", "int3", "add    %al,(%rax)", "udf"} {
		if strings.Contains(l.text, p) {
			return true
		}
	}
	return strings.TrimSpace(l.text) == "data16" || strings.HasPrefix(l.text, ".inst\t0x00000000")
}

// machineFiles are programs and libraries of this machine.
func machineFiles(t testing.TB) []string {
	var found []string
	for _, pattern := range []string{
		"/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
		"/usr/lib/x86_64-linux-gnu/libgcrypt.so.20", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
		"/lib64/ld-linux-x86-64.so.2", "/usr/lib/cargo/bin/fd", "/usr/bin/rg", "/usr/bin/redis-server",
		"/usr/lib/ld-musl-x86_64.so.1", "/usr/aarch64-linux-gnu/lib/libc.so.6",
		"/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1", "/usr/aarch64-linux-gnu/lib/libm.so.6",
	} {
		if _, err := os.Stat(pattern); err == nil {
			found = append(found, pattern)
		}
	}
	return append(found, filepath.SplitList(os.Getenv("PROFCHECK_BINARIES"))...)
}

// TestSyscallsAgainstObjdump checks on programs of this machine that every instruction that enters
// the kernel is found, and that objdump shows one at every place that is reported. objdump also
// disassembles tables; what lies in no function must either be such a table, or be padding, which is
// judged by whether a run of it decodes: with an instruction that no program has, or none at all.
func TestSyscallsAgainstObjdump(t *testing.T) {
	files := machineFiles(t)
	if len(files) == 0 {
		t.Skip("none of the programs is on this machine")
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			m := open(t, path)
			f := Extract(m)
			checkFacts(t, f)
			if again, err := Decode(Encode(f)); err != nil || !reflect.DeepEqual(again, f) {
				t.Errorf("the encoding gives something else, %v", err)
			}
			ours := map[uint64]bool{}
			for _, r := range f.Refs {
				if r.Kind == Syscall || r.Kind == Compat {
					ours[r.At] = true
				}
			}
			found, tables := 0, 0
			outside := 0
			disassemble(t, path, m.Machine, func(l line) {
				in := f.holds(l.addr)
				if !in && !l.padding() {
					outside++
				}
				if !l.syscall() {
					return
				}
				switch {
				case ours[l.addr]:
					found++
				case !in:
					tables++
				default:
					t.Errorf("%#x: %s is not reported", l.addr, l.text)
				}
				delete(ours, l.addr)
			})
			for at := range ours {
				t.Errorf("%#x: objdump shows no system call", at)
			}
			t.Logf("%d functions, %d references, %d objects, %d system calls, %d instructions outside of functions, %d of them system calls",
				len(f.Funcs), len(f.Refs), len(f.Objects), found, outside, tables)
			if limit, ok := tablesInText[filepath.Base(path)]; ok && tables > limit || !ok && tables > 0 {
				t.Errorf("%d system calls lie outside of functions", tables)
			}
		})
	}
}

// tablesInText bounds, for libraries with constants in their code, how many pairs of bytes in these
// look like system calls: 0F 05 in the tables of ecp_nistz256 and of Keccak.
var tablesInText = map[string]int{"libcrypto.so.3": 8, "libgcrypt.so.20": 8}

// holds reports whether a function holds addr.
func (f *Facts) holds(addr uint64) bool {
	i, ok := slices.BinarySearchFunc(f.Funcs, addr, func(fn Func, a uint64) int {
		switch {
		case fn.End <= a:
			return -1
		case fn.Start > a:
			return 1
		}
		return 0
	})
	return ok && i >= 0
}
