package isa

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestARM64AgainstObjdump compares to binutils, in Go binaries and, if it is there, in a C library.
func TestARM64AgainstObjdump(t *testing.T) {
	tool, err := exec.LookPath("aarch64-linux-gnu-objdump")
	if err != nil {
		a64missing(t, "no aarch64-linux-gnu-objdump (Debian: binutils-aarch64-linux-gnu)")
	}
	const libc = "/usr/aarch64-linux-gnu/lib/libc.so.6"
	paths := map[string]string{"hello": a64build(t, "hello"), "web": a64build(t, "web")}
	if _, err := os.Stat(libc); err == nil {
		paths["libc"] = libc
	} else if os.Getenv("CI") != "" {
		t.Errorf("no %s (Debian: libc6-dev-arm64-cross)", libc)
	}
	for name, path := range paths {
		t.Run(name, func(t *testing.T) { a64objdump(t, tool, path) })
	}
}

var a64dumpLine = regexp.MustCompile(`^\s*([0-9a-f]+):\t([0-9a-f]{8}) \t(.*)$`)

func a64objdump(t *testing.T, tool, path string) {
	cmd := exec.Command(tool, "-d", "-j", ".text", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	j, total := a64newJudge(t), 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		m := a64dumpLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		total++
		pc, _ := strconv.ParseUint(m[1], 16, 64)
		word, _ := strconv.ParseUint(m[2], 16, 32)
		if strings.HasPrefix(m[3], ".inst") || strings.Contains(m[3], "undefined") || word == 0 {
			j.notThere++
			continue
		}
		j.one(uint32(word), pc, m[3])
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	j.report(total - j.notThere)
}
