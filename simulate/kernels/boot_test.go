package kernels

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// bootLimit is how long a machine may run. On an idle computer all take less than a tenth of it.
const bootLimit = 4 * time.Minute

// A file of the initramfs.
type file struct {
	name string
	data []byte
	mode uint32
}

// initramfs puts files into an archive of cpio's format newc, as the kernel unpacks it
// (Documentation/driver-api/early-userspace/buffer-format.rst).
func initramfs(files []file) []byte {
	var b bytes.Buffer
	add := func(ino int, f file) {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
			ino, f.mode, 0, 0, 1, 0, len(f.data), 0, 0, 0, 0, len(f.name)+1, 0)
		b.WriteString(f.name + "\x00")
		b.Write(make([]byte, -b.Len()&3))
		b.Write(f.data)
		b.Write(make([]byte, -b.Len()&3))
	}
	for i, f := range files {
		add(i+1, f)
	}
	add(0, file{name: "TRAILER!!!"})
	return b.Bytes()
}

// boot runs the machine with these files, of which /init is one, until it switches itself off, and
// returns what it printed.
func (m *machine) boot(t *testing.T, kernel string, jit bool, files []file) string {
	t.Helper()
	initrd := filepath.Join(t.TempDir(), "initrd")
	if err := os.WriteFile(initrd, initramfs(files), 0o644); err != nil {
		t.Fatal(err)
	}
	limit := bootLimit
	if deadline, ok := t.Deadline(); ok {
		limit = min(limit, time.Until(deadline)-5*time.Second) // to say which machine it was
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := append(m.QEMU[1:len(m.QEMU):len(m.QEMU)],
		"-kernel", kernel, "-initrd", initrd, "-nic", "none", "-vga", "none", "-nographic", "-no-reboot",
		// Without kpti and other mitigations, for the emulation is slow at switching address spaces.
		"-append", "console="+m.Console+" panic=-1 quiet loglevel=1 audit=0 mitigations=off kpti=off nokaslr "+
			map[bool]string{false: "sysctl.net.core.bpf_jit_enable=0", true: "sysctl.net.core.bpf_jit_enable=1"}[jit]+" rdinit=/init")
	cmd := exec.CommandContext(ctx, m.QEMU[0], args...)
	cmd.WaitDelay = 5 * time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	console := strings.ReplaceAll(out.String(), "\r", "")
	if ctx.Err() != nil {
		t.Fatalf("%s did not come to an end in %v; its last lines:\n%s\n%s", m.Name, limit, tail(console, 20), tail(errs.String(), 5))
	}
	if err != nil {
		t.Fatalf("%s: %v: %s\n%s", m.QEMU[0], err, tail(errs.String(), 5), tail(console, 20))
	}
	return console
}

// A report is what guest printed.
type report struct {
	Kernel  string // machine, release, version
	Answers [][]byte
}

// read takes guest's report out of what is on the console, among firmware's and the kernel's lines.
func read(console string) (report, error) {
	var r report
	done := false
	var packed []byte
	var length, size int
	var sum uint32
	for _, line := range strings.Split(console, "\n") {
		line = strings.TrimSpace(line)
		if i := strings.Index(line, "guest: "); i >= 0 {
			word := line[i+len("guest: "):]
			switch {
			case strings.HasPrefix(word, "kernel "):
				r.Kernel = word[len("kernel "):]
			case word == "done":
				done = true
			default:
				return r, errors.New(word)
			}
		}
		if n, _ := fmt.Sscanf(line, "answers: %d %d %x", &length, &size, &sum); n == 3 {
			packed = nil
			continue
		}
		code, ok := strings.CutPrefix(line, "= ")
		if !ok {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(code)
		if err != nil {
			return r, err
		}
		if packed = append(packed, b...); len(packed) == size {
			answers, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
			if err != nil {
				return r, err
			}
			if len(answers) != length || crc32.ChecksumIEEE(answers) != sum {
				return r, errors.New("answers were damaged on the way")
			}
			r.Answers = append(r.Answers, answers)
		}
	}
	if !done {
		return r, fmt.Errorf("the guest did not finish; the last lines:\n%s", tail(console, 20))
	}
	return r, nil
}

// guest builds the witness for an architecture. Go's build cache keeps it.
func guest(t *testing.T, goarch string) []byte {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "guest-"+goarch)
	// The test reads the sources, too, so that go test knows that its result depends on them.
	sources, err := filepath.Glob("guest/*")
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources: ", err)
	}
	for _, s := range sources {
		if _, err := os.ReadFile(s); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, "./guest")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOMIPS=softfloat", "GOARM=7", "GOPPC64=power8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building guest for %s: %v: %s", goarch, err, out)
	}
	data, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
