package isa

import (
	"bufio"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// line is one instruction as objdump shows it.
type line struct {
	addr uint64
	code []byte
	text string
	// what objdump adds: for RIP-relative operands "ADDRESS <symbol>"
	comment string
}

// objdump disassembles file, calling each for every line; args choose what of it.
func objdump(t *testing.T, each func(line), args ...string) {
	t.Helper()
	path, err := exec.LookPath("objdump")
	if err != nil {
		skipOrFail(t, "objdump is not installed")
	}
	cmd := exec.Command(path, append([]string{"-w", "-M", "intel64"}, args...)...)
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
		f := strings.SplitN(sc.Text(), "\t", 3)
		if len(f) < 2 {
			continue
		}
		addr, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(f[0]), ":"), 16, 64)
		if err != nil {
			continue
		}
		code, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(f[1]), " ", ""))
		if err != nil {
			continue
		}
		l := line{addr: addr, code: code}
		if len(f) == 3 {
			l.text, l.comment, _ = strings.Cut(f[2], "#")
			l.text = strings.TrimSpace(l.text)
		}
		each(l)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// skipOrFail skips a test that lacks a tool; where CI is set it must not be lacking.
func skipOrFail(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// binaries returns large x86-64 programs and libraries of this machine.
func binaries(t testing.TB) []string {
	t.Helper()
	var found []string
	try := func(path string) {
		f, err := elf.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		real, err := filepath.EvalSymlinks(path)
		if err == nil && f.Machine == elf.EM_X86_64 && !slices.Contains(found, real) {
			found = append(found, real)
		}
	}
	try(goCommand())
	try("/usr/bin/gdb")
	for _, pattern := range []string{
		"/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libcrypto.so.*",
		"/usr/lib/gcc/x86_64-linux-gnu/*/cc1", "/usr/lib/x86_64-linux-gnu/libLLVM-*.so.1",
		"/usr/lib/x86_64-linux-gnu/libgcrypt.so.20", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
		"/usr/bin/rg", "/usr/lib/cargo/bin/fd", // Rust
		"/usr/lib64/libc.so.6", "/usr/lib64/libcrypto.so.*",
	} {
		names, _ := filepath.Glob(pattern)
		for _, n := range names {
			try(n)
		}
	}
	for _, n := range filepath.SplitList(os.Getenv("PROFCHECK_BINARIES")) {
		try(n)
	}
	return found
}

func goCommand() string { return filepath.Join(build.Default.GOROOT, "bin", "go") }

// TestAMD64LengthsAgainstObjdump compares the length of every instruction that objdump shows in
// programs of this machine. By default only the first part of each is read; PROFCHECK_FULL=1 reads
// all of it.
func TestAMD64LengthsAgainstObjdump(t *testing.T) {
	if _, err := exec.LookPath("objdump"); err != nil {
		skipOrFail(t, "objdump is not installed")
	}
	files := binaries(t)
	if len(files) == 0 {
		skipOrFail(t, "no x86-64 binary on this machine")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { compareLengths(t, file) })
	}
}

const partSize = 2 << 20 // bytes of .text compared in a normal run

func compareLengths(t *testing.T, file string) {
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := f.Section(".text")
	if text == nil {
		t.Fatal("no .text")
	}
	stop := text.Addr + text.Size
	if os.Getenv("PROFCHECK_FULL") == "" {
		stop = text.Addr + min(text.Size, partSize)
	}
	args := []string{"-d", "-j", ".text", fmt.Sprintf("--stop-address=%#x", stop)}
	total, bad, quirks := 0, 0, map[string]int{}
	objdump(t, func(l line) {
		if l.addr+maxInsn > stop && stop < text.Addr+text.Size {
			return // may be cut short
		}
		total++
		n, _, _, _ := parse(append(l.code[:len(l.code):len(l.code)], 0x90, 0x90))
		if n == len(l.code) {
			return
		}
		if q := quirk(l, n); q != "" {
			quirks[q]++
			return
		}
		if bad++; bad <= 20 {
			t.Errorf("%#x: %x has length %d, objdump says %d: %s", l.addr, l.code, n, len(l.code), l.text)
		}
	}, append(args, file)...)
	t.Logf("%d instructions, %d differ, besides quirks of objdump %v", total, bad, quirks)
	if total < 1000 {
		t.Errorf("objdump showed only %d instructions", total)
	}
}
