package witness

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// converse connects to an address and holds a conversation: each text sent must be answered by the
// text behind it, somewhere in what comes.
func converse(address string, texts ...string) error {
	c, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	buf := make([]byte, 1<<16)
	for i := 0; i+1 < len(texts); i += 2 {
		if _, err := io.WriteString(c, texts[i]); err != nil {
			return err
		}
		got := ""
		for !strings.Contains(got, texts[i+1]) {
			n, err := c.Read(buf)
			got += string(buf[:n])
			if err != nil {
				return fmt.Errorf("%q was answered by %.2000q, want %q: %v", texts[i], got, texts[i+1], err)
			}
		}
	}
	return nil
}

// publicDir makes a folder that servers can read once they have given up root.
func publicDir(t testing.TB) string { return public(t, t.TempDir()) }

// publicTree is a folder as tree makes it that they can read.
func publicTree(t testing.TB) string { return public(t, tree(t)) }

// public makes a folder for temporary files readable, with those above it.
func public(t testing.TB, dir string) string {
	t.Helper()
	for d := dir; filepath.Clean(d) != filepath.Clean(os.TempDir()) && len(d) > 1; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fetches asks a server for the files of tree.
func fetches(address string) error {
	for path, size := range map[string]int{"/index.txt": 20, "/big.bin": 3 << 20, "/sub/empty": 0, "/sub/deep/file": 5000} {
		if status, body := fetch("GET", "http://"+address+path); status != 200 || len(body) != size {
			return fmt.Errorf("GET %s: status %d, %d bytes, want %d: %.200q", path, status, len(body), size, body)
		}
	}
	if status, body := fetch("GET", "http://"+address+"/big.bin", "Range", "bytes=100-199"); status != 206 || len(body) != 100 {
		return fmt.Errorf("a range: status %d, %d bytes", status, len(body))
	}
	if status, _ := fetch("GET", "http://"+address+"/none"); status != 404 {
		return fmt.Errorf("GET /none: status %d, want 404", status)
	}
	return nil
}

func redisWork(t testing.TB, run runner, bin string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(address)
	dir := t.TempDir()
	cmd := run(bin, "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--appendonly", "yes",
		"--save", "3600 1", "--unixsocket", filepath.Join(dir, "sock"), "--protected-mode", "no", "--io-threads", "2")
	return under(cmd, address, func() error {
		err := converse(address,
			"PING\r\n", "+PONG",
			"SET a 1\r\n", "+OK", "INCR a\r\n", ":2", "GET a\r\n", "\r\n2\r\n",
			"EVAL \"return redis.call('get','a')\" 0\r\n", "\r\n2\r\n",
			"EXPIRE a 100\r\n", ":1", "DEBUG SLEEP 0\r\n", "\r\n", "CONFIG SET maxmemory 100mb\r\n", "+OK",
			"INFO\r\n", "redis_version", "SAVE\r\n", "+OK", "BGREWRITEAOF\r\n", "started")
		if err != nil {
			return err
		}
		if err := saved(address, "aof_rewrite_in_progress:0", "aof_last_bgrewrite_status:ok"); err != nil {
			return err
		}
		if err := converse(address, "BGSAVE\r\n", "started"); err != nil {
			return err
		}
		if err := saved(address, "rdb_bgsave_in_progress:0", "rdb_last_bgsave_status:ok"); err != nil {
			return err
		}
		return converse(address, "FLUSHALL ASYNC\r\n", "+OK")
	})
}

// saved waits until a child of redis-server is gone, and wants its good end.
func saved(address, gone, good string) error {
	for range 600 {
		if err := converse(address, "INFO persistence\r\n", "module_fork_last_cow_size"); err != nil {
			return err
		}
		if converseHas(address, gone) {
			return converse(address, "INFO persistence\r\n", good)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("redis-server: no %s after a minute", gone)
}

// converseHas asks once for the state of persistence.
func converseHas(address, want string) bool {
	c, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		return false
	}
	defer c.Close()
	io.WriteString(c, "INFO persistence\r\nQUIT\r\n")
	text, _ := io.ReadAll(c)
	return strings.Contains(string(text), want)
}

func memcachedWork(t testing.TB, run runner, bin string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(address)
	cmd := run(bin, "-u", "nobody", "-l", "127.0.0.1", "-p", port, "-U", "0", "-t", "2", "-m", "16")
	return under(cmd, address, func() error {
		for range 8 { // more connections than threads
			err := converse(address, "set a 0 100 3\r\nxyz\r\n", "STORED", "get a\r\n", "VALUE a 0 3\r\nxyz",
				"stats\r\n", "END", "delete a\r\n", "DELETED", "flush_all\r\n", "OK")
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func nginxWork(t testing.TB, run runner, bin string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "from behind") }))
	defer backend.Close()
	dir, docs := publicDir(t), publicTree(t)
	conf := writeFile(t, dir, "nginx.conf", strings.NewReplacer("DIR", dir, "DOCS", docs, "ADDRESS", address, "BACKEND", backend.URL).Replace(`
user nobody nogroup; worker_processes 2; daemon off; pid DIR/pid; error_log DIR/error.log info;
events { worker_connections 64; }
http {
	access_log DIR/access.log; sendfile on;
	client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
	server { listen ADDRESS; root DOCS; autoindex on; gzip on;
		location /behind { proxy_pass BACKEND; }
		location /sub/ { sendfile off; } }
}`))
	err = under(run(bin, "-p", dir, "-c", conf, "-e", filepath.Join(dir, "error.log")), address, func() error {
		if err := fetches(address); err != nil {
			return err
		}
		if status, body := fetch("GET", "http://"+address+"/behind"); status != 200 || body != "from behind" {
			return fmt.Errorf("through the proxy: %d %.200q", status, body)
		}
		if status, body := fetch("GET", "http://"+address+"/sub/"); status != 200 || !strings.Contains(body, "deep") {
			return fmt.Errorf("listing: %d %.200q", status, body)
		}
		return nil
	})
	return logged(err, filepath.Join(dir, "error.log"))
}

func lighttpdWork(t testing.TB, run runner, bin string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(address)
	dir, docs := publicDir(t), publicTree(t)
	conf := writeFile(t, dir, "lighttpd.conf", strings.NewReplacer("DIR", dir, "DOCS", docs, "PORT", port).Replace(`
server.document-root = "DOCS"
server.bind = "127.0.0.1"
server.port = PORT
server.username = "nobody"
server.groupname = "nogroup"
server.errorlog = "DIR/error.log"
server.modules = ("mod_dirlisting", "mod_accesslog")
accesslog.filename = "DIR/access.log"
dir-listing.activate = "enable"
index-file.names = ("index.txt")
`))
	for _, name := range []string{"error.log", "access.log"} { // opened once root is given up
		if err := os.Chmod(writeFile(t, dir, name, ""), 0o666); err != nil {
			return err
		}
	}
	err = under(run(bin, "-D", "-f", conf), address, func() error {
		if err := fetches(address); err != nil {
			return err
		}
		if status, body := fetch("GET", "http://"+address+"/sub/"); status != 200 || !strings.Contains(body, "deep") {
			return fmt.Errorf("listing: %d %.200q", status, body)
		}
		return nil
	})
	return logged(err, filepath.Join(dir, "error.log"))
}

func haproxyWork(t testing.TB, run runner, bin string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	backend := httptest.NewServer(http.FileServer(http.Dir(tree(t))))
	defer backend.Close()
	conf := writeFile(t, publicDir(t), "haproxy.cfg", strings.NewReplacer("ADDRESS", address, "BACKEND", strings.TrimPrefix(backend.URL, "http://")).Replace(`
global
	maxconn 100
	nbthread 2
	user nobody
	group nogroup
defaults
	mode http
	option splice-response
	timeout connect 30s
	timeout client 30s
	timeout server 30s
frontend f
	bind ADDRESS
	default_backend b
backend b
	option httpchk
	server s BACKEND check
`))
	if _, err := finish(run(bin, "-c", "-f", conf), 0); err != nil {
		return err
	}
	s, err := serve(run(bin, "-db", "-f", conf), address)
	if err != nil {
		return err
	}
	defer s.kill()
	err = fetches(address)
	// At SIGTERM haproxy sends itself one that it does not handle, which the first process of a
	// container does not get. This signal ends it once all connections are closed.
	s.signal(sigusr1)
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		return fmt.Errorf("haproxy: still running a minute after SIGUSR1\n%s", s.out.String())
	}
	if s.cmd.ProcessState.ExitCode() != 0 {
		return &endError{s.cmd, s.out.String()}
	}
	return err
}

// sigusr1 is SIGUSR1 on Linux, which package syscall does not have on all systems.
const sigusr1 = syscall.Signal(10)
