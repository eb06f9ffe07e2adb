package witness

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func gitWork(t testing.TB, run runner, bin string) error {
	dir := tree(t)
	git := func(want string, args ...string) func() error {
		return func() error {
			argv := append([]string{bin, "-C", dir, "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "gc.auto=0",
				"-c", "maintenance.auto=false", "-c", "core.pager=", "-c", "safe.directory=*", "-c", "init.defaultBranch=main"}, args...)
			return expect(run, want, argv...)
		}
	}
	return steps(
		git("Initialized", "init"),
		git("", "add", "."),
		git("big.bin", "commit", "-m", "first"),
		func() error { writeFile(t, dir, "index.txt", "changed\n"); return nil },
		git("+changed", "--no-pager", "diff"),
		git("modified", "status"),
		git("1 file changed", "commit", "-am", "second"),
		git("second", "--no-pager", "log", "--graph", "--stat", "-p", "--all"),
		git("", "checkout", "-b", "side", "HEAD~1"),
		git("", "tag", "v1"),
		git("", "merge", "--ff-only", "main"),
		git("xxxx", "cat-file", "-p", "HEAD~1:index.txt"),
		git("index.txt:changed", "--no-pager", "grep", "changed"),
		git("", "rm", "-q", "index.txt"),
		git("", "reset", "--hard"),
		git("", "clean", "-fdx"),
		func() error {
			cmd := run(bin, "-C", dir, "pack-objects", "--all", "--threads=2", filepath.Join(t.TempDir(), "pack"))
			cmd.Stdin = strings.NewReader("")
			_, err := finish(cmd, 0)
			return err
		},
	)
}

func rsyncWork(t testing.TB, run runner, bin string) error {
	dir, out := tree(t), t.TempDir()
	return steps(
		func() error { return expect(run, "index.txt", bin, "-av", "--stats", dir+"/", out) },
		func() error { return same(filepath.Join(dir, "big.bin"), filepath.Join(out, "big.bin")) },
		func() error {
			writeFile(t, dir, "index.txt", "changed")
			return os.Remove(filepath.Join(dir, "sub/empty"))
		},
		func() error {
			return expect(run, "deleting", bin, "-avHS", "--checksum", "--no-whole-file", "--delete", dir+"/", out)
		},
		func() error { return same(filepath.Join(dir, "index.txt"), filepath.Join(out, "index.txt")) },
	)
}

// pythonScript uses what many scripts use: files, threads, processes without exec, sockets, modules
// in C.
const pythonScript = `
import os, sys, threading, socket, json, hashlib, mmap, selectors, tempfile, time, sqlite3, zlib, bz2, lzma, queue, signal, shutil, subprocess, asyncio, ssl, ctypes
d = sys.argv[1]
with open(d + "/a", "w") as f: f.write("x" * 100000)
os.rename(d + "/a", d + "/b"); os.symlink("b", d + "/l"); os.chmod(d + "/b", 0o600); os.utime(d + "/b")
assert sorted(os.listdir(d)) == ["b", "l"] and os.readlink(d + "/l") == "b"
shutil.copytree(d, d + "/c", symlinks=True); shutil.rmtree(d + "/c")
q = queue.Queue(); th = [threading.Thread(target=lambda: q.put(1)) for _ in range(4)]
[t.start() for t in th]; [t.join() for t in th]; assert q.qsize() == 4
r, w = os.pipe(); pid = os.fork()
if pid == 0:
    os.write(w, b"child"); os._exit(0)
assert os.read(r, 10) == b"child" and os.waitpid(pid, 0)[1] == 0
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); p, _ = s.accept()
c.sendall(b"hello"); assert p.recv(10) == b"hello"; c.close(); p.close(); s.close()
async def aio():
    await asyncio.sleep(0.01); return 7
assert asyncio.run(aio()) == 7
db = sqlite3.connect(d + "/db"); db.execute("create table t(a)"); db.execute("insert into t values(1)"); db.commit()
with open(d + "/b", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0); m[0:1] = b"y"; m.flush(); m.close()
got = []; signal.signal(signal.SIGALRM, lambda *a: got.append(1)); signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(0.05); assert got
tempfile.TemporaryFile().close(); os.urandom(8)
assert zlib.decompress(zlib.compress(b"z")) + bz2.decompress(bz2.compress(b"b")) + lzma.decompress(lzma.compress(b"l")) == b"zbl"
ssl.create_default_context(); ctypes.CDLL(None).getpid()
sel = selectors.DefaultSelector(); sel.register(r, selectors.EVENT_READ); sel.select(0); sel.close()
print(hashlib.sha256(b"").hexdigest()[:8], json.dumps({"cpus": os.cpu_count() > 0}))
`

func pythonWork(t testing.TB, run runner, bin string) error {
	script := writeFile(t, t.TempDir(), "script.py", pythonScript)
	return steps(
		func() error { return expect(run, `e3b0c442 {"cpus": true}`, bin, script, t.TempDir()) },
		func() error { return expect(run, "42\n", bin, "-c", "print(6*7)") },
		func() error { return expectInput(run, "print(len('abc'))\n", "3\n", bin, "-") },
	)
}

// redisCLIWork runs the client against a server that knows four answers.
func redisCLIWork(t testing.TB, run runner, bin string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					answer := "-ERR unknown\r\n"
					if bytes.Contains(bytes.ToUpper(buf[:n]), []byte("PING")) {
						answer = "+PONG\r\n"
					}
					if _, err := c.Write([]byte(answer)); err != nil {
						return
					}
				}
			}()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return steps(
		func() error { return expect(run, "PONG", bin, "-p", port, "ping") },
		func() error {
			return expectInput(run, "ping\nnonsense\n", "ERR unknown", bin, "-h", "localhost", "-p", port)
		},
		func() error { return expect(run, "PONG", bin, "-p", port, "-r", "3", "-i", "0.01", "ping") },
	)
}

// logged adds the end of a server's log to what went wrong, and reads it where nothing did: a
// worker that a filter kills is started anew, and only the log tells.
func logged(err error, path string) error {
	text, readErr := os.ReadFile(path)
	if err == nil && readErr == nil && strings.Contains(string(text), fmt.Sprintf("signal %d", int(sigsys))) {
		return fmt.Errorf("a worker was killed: %.2000s", text)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\n%.3000s", err, text)
}

// nativeEnv is the environment that workloads run in, the same under strace, qemu and runc.
var nativeEnv = []string{"PATH=/usr/bin:/usr/sbin:/bin:/sbin", "HOME=/nonexistent", "LC_ALL=C.UTF-8", "TZ=UTC", "PYTHONDONTWRITEBYTECODE=1"}

// plain is the runner that runs programs as they are.
func plain(argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = nativeEnv
	return cmd
}

// TestNativeWorks holds the workloads to what they promise, with nothing that watches.
func TestNativeWorks(t *testing.T) {
	for _, p := range nativeTruths(t, "amd64") {
		if w := nativeWorks[p.Name]; w != nil {
			t.Run(p.Name, func(t *testing.T) {
				needPackage(t, p)
				if err := w(t, plain, p.command()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
