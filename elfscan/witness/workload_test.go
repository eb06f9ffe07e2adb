package witness

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// httpdAddress is where the net/http program of testdata/truth listens, as its source says.
const httpdAddress = "127.0.0.1:18080"

// tree makes a folder with some files to walk and to serve, and returns it.
func tree(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]int{"index.txt": 20, "big.bin": 3 << 20, "sub/empty": 0, "sub/deep/file": 5000}
	for name, size := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("index.txt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lockedBuffer is a bytes.Buffer that the process may still write to while a test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// endError says that a process ended in another way than it should.
type endError struct {
	cmd *exec.Cmd
	out string
}

func (e *endError) Error() string {
	return fmt.Sprintf("%s: %v\n%.4000s", strings.Join(e.cmd.Args, " "), e.cmd.ProcessState, e.out)
}

// bySignal reports whether the process was killed by a signal.
func (e *endError) bySignal(sig syscall.Signal) bool {
	ws, ok := e.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == sig
}

// sigsys is SIGSYS on Linux (arch/x86/include/uapi/asm/signal.h); package syscall does not name it on
// all systems that this is compiled for.
const sigsys = syscall.Signal(31)

// denied reports whether a filter killed the process.
func (e *endError) denied() bool { return e.bySignal(sigsys) }

// finish runs a command that is to end by itself with the given status, and returns what it
// printed.
func finish(cmd *exec.Cmd, status int) (string, error) {
	var out lockedBuffer
	if cmd.Stdout == nil {
		cmd.Stdout, cmd.Stderr = &out, &out
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	timer := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait() // the state tells
	if cmd.ProcessState.ExitCode() != status {
		return "", &endError{cmd, out.String()}
	}
	return out.String(), nil
}

// server is a program that listens, while it runs.
type server struct {
	cmd  *exec.Cmd
	out  lockedBuffer
	done chan struct{} // closed when the process has ended
}

// serve starts a command and waits until it accepts connections at the address.
func serve(cmd *exec.Cmd, address string) (*server, error) {
	if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("%s is taken by another program", address)
	}
	s := &server{cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &s.out, &s.out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { cmd.Wait(); close(s.done) }()
	for range 600 {
		if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			c.Close()
			return s, nil
		}
		select {
		case <-s.done:
			return nil, &endError{cmd, s.out.String()}
		case <-time.After(100 * time.Millisecond):
		}
	}
	s.kill()
	return nil, fmt.Errorf("%s: nothing listens at %s after a minute\n%s", strings.Join(cmd.Args, " "), address, s.out.String())
}

// signal sends a signal to the program: to the child where the command is strace, which would go
// and leave the program running, and to the command itself otherwise.
func (s *server) signal(sig syscall.Signal) {
	pid := s.cmd.Process.Pid
	if filepath.Base(s.cmd.Path) == "strace" {
		list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		child, err := strconv.Atoi(strings.TrimSpace(string(list)))
		if err != nil {
			return
		}
		pid = child
	}
	if p, err := os.FindProcess(pid); err == nil {
		p.Signal(sig)
	}
}

// kill ends the program without ceremony.
func (s *server) kill() {
	select {
	case <-s.done:
	default:
		s.signal(syscall.SIGKILL)
		s.cmd.Process.Kill()
		<-s.done
	}
}

// stop ends the program with SIGTERM. It is an error if it has ended before, or if another signal
// ends it; both a handler and none are right.
func (s *server) stop() error {
	select {
	case <-s.done:
		return &endError{s.cmd, s.out.String()}
	default:
	}
	s.signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		s.kill()
		return fmt.Errorf("%s: still running a minute after SIGTERM\n%s", strings.Join(s.cmd.Args, " "), s.out.String())
	}
	end := &endError{s.cmd, s.out.String()}
	if s.cmd.ProcessState.ExitCode() < 0 && !end.bySignal(syscall.SIGTERM) {
		return end
	}
	return nil
}

// under runs a workload against a server and ends it. Where the server died of the workload, that
// is the error.
func under(cmd *exec.Cmd, address string, workload func() error) error {
	s, err := serve(cmd, address)
	if err != nil {
		return err
	}
	defer s.kill()
	err = workload()
	select {
	case <-s.done:
	case <-time.After(100 * time.Millisecond): // a process that is being killed
	}
	if end := s.stop(); end != nil {
		return end
	}
	return err
}

// client makes requests without waiting for ever; each has a connection of its own.
var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

// fetch makes one request and returns status and body; status 0 with an error's
// text if there is no answer.
func fetch(method, url string, header ...string) (int, string) {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(body)
}

// httpdRequests asks the net/http program for all it can do; tree is its current folder.
func httpdRequests() error {
	base := "http://" + httpdAddress
	requests := []struct {
		method, path string
		header       []string
		status, size int // size -1: not judged
	}{
		{"GET", "/x", nil, 200, 9},
		{"GET", "/files/", nil, 200, -1},
		{"GET", "/files/index.txt", nil, 200, 20},
		{"GET", "/files/big.bin", nil, 200, 3 << 20},
		{"GET", "/files/big.bin", []string{"Range", "bytes=100-199"}, 206, 100},
		{"HEAD", "/files/big.bin", nil, 200, 0},
		{"GET", "/files/link", nil, 200, 20},
		{"GET", "/files/sub/empty", nil, 200, 0},
		{"GET", "/files/none", nil, 404, -1},
		{"POST", "/form", nil, 200, 12},
	}
	for _, r := range requests {
		status, body := fetch(r.method, base+r.path, r.header...)
		if status != r.status || r.size >= 0 && len(body) != r.size {
			return fmt.Errorf("%s %s: status %d with %d bytes, want %d with %d: %.80q", r.method, r.path, status, len(body), r.status, r.size, body)
		}
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Add(1)
		go func() { defer wg.Done(); fetch("GET", base+"/files/big.bin") }()
	}
	wg.Wait()
	if c, err := net.Dial("tcp", httpdAddress); err == nil { // a client that goes away
		fmt.Fprintf(c, "GET /files/big.bin HTTP/1.1\r\nHost: x\r\n\r\n")
		c.Close()
	}
	if status, body := fetch("GET", base+"/last"); status != 200 {
		return fmt.Errorf("last request: %d %s", status, body)
	}
	return nil
}
