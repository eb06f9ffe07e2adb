package witness

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runner makes the command that runs a program under something that watches it: strace, qemu, a
// filter.
type runner func(argv ...string) *exec.Cmd

// work is a workload: it runs a binary once or more and checks what the binary did.
type work func(t testing.TB, run runner, bin string) error

// helloWork runs a program that prints a line: to us, with its mappings named, and to a pipe that
// nobody reads, which ends in SIGPIPE where package os writes.
func helloWork(t testing.TB, run runner, bin string) error {
	for _, env := range []string{"GODEBUG=", "GODEBUG=decoratemappings=1"} {
		cmd := run(bin)
		cmd.Env = append(cmd.Environ(), env)
		if out, err := finish(cmd, 0); err != nil {
			return err
		} else if !strings.HasPrefix(out, "hello") {
			return fmt.Errorf("%s printed %q", bin, out)
		}
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	reader.Close()
	defer writer.Close()
	cmd := run(bin)
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return err
	}
	if end := (&endError{cmd, ""}); end.denied() {
		return end
	}
	return nil
}

// walkWork runs the file walker over a tree, listing to standard output and hashing into a file.
func walkWork(t testing.TB, run runner, bin string) error {
	dir, sums := tree(t), filepath.Join(t.TempDir(), "sums")
	out, err := finish(run(bin, dir), 0)
	if err != nil {
		return err
	}
	if !strings.Contains(out, "index.txt 20") || !strings.Contains(out, "link -> index.txt") {
		return fmt.Errorf("%s printed %q", bin, out)
	}
	if _, err := finish(run(bin, "-sum", "-o", sums, dir, filepath.Join(dir, "none")), 0); err != nil {
		return err
	}
	text, err := os.ReadFile(sums)
	if err != nil || strings.Count(string(text), "\n") != 8 {
		return fmt.Errorf("%s wrote %q: %v", bin, text, err)
	}
	return nil
}

// httpdWork runs the net/http program as a server under requests, as its own client by a name that
// the resolver has to look up, and as a client of a name that does not exist.
func httpdWork(t testing.TB, run runner, bin string) error {
	lock, err := lockPort()
	if err != nil {
		return err
	}
	defer lock.Close()
	cmd := run(bin)
	cmd.Dir = tree(t)
	if err := under(cmd, httpdAddress, httpdRequests); err != nil {
		return err
	}
	if out, err := finish(run(bin, "self"), 0); err != nil {
		return err
	} else if out != "hello /x\n" {
		return fmt.Errorf("%s self printed %q", bin, out)
	}
	_, err = finish(run(bin, "get", "http://none.invalid/"), 1)
	return err
}

// fzfWork filters lines, which is what the fuzzy finder does without a terminal.
func fzfWork(t testing.TB, run runner, bin string) error {
	cmd := run(bin, "--filter", "nedle")
	cmd.Stdin = strings.NewReader(strings.Repeat("hay\n", 50000) + "needle\n")
	if out, err := finish(cmd, 0); err != nil {
		return err
	} else if out != "needle\n" {
		return fmt.Errorf("fzf printed %q", out)
	}
	_, err := finish(run(bin, "--version"), 0)
	return err
}

// nodeExporterWork scrapes the exporter, twice.
func nodeExporterWork(t testing.TB, run runner, bin string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	return under(run(bin, "--web.listen-address="+address), address, func() error {
		for range 2 {
			status, body := fetch("GET", "http://"+address+"/metrics")
			if status != 200 || !strings.Contains(body, "node_memory_MemTotal_bytes") {
				return fmt.Errorf("scrape: status %d, %d bytes", status, len(body))
			}
		}
		return nil
	})
}

// caddyWork serves files and listings of folders.
func caddyWork(t testing.TB, run runner, bin string) error {
	home, dir := "HOME="+t.TempDir(), tree(t)
	address, err := freeAddress()
	if err != nil {
		return err
	}
	cmd := run(bin, "file-server", "--browse", "--root", dir, "--listen", address)
	cmd.Env = append(cmd.Environ(), home, "XDG_DATA_HOME=", "XDG_CONFIG_HOME=")
	return under(cmd, address, func() error {
		for path, size := range map[string]int{"/": -1, "/index.txt": 20, "/big.bin": 3 << 20, "/sub/": -1} {
			status, body := fetch("GET", "http://"+address+path)
			if status != 200 || size >= 0 && len(body) != size {
				return fmt.Errorf("GET %s: status %d, %d bytes", path, status, len(body))
			}
		}
		if status, _ := fetch("GET", "http://"+address+"/none"); status != 404 {
			return fmt.Errorf("GET /none: status %d, want 404", status)
		}
		return nil
	})
}

// freeAddress returns an address of this machine that nobody listens at.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
