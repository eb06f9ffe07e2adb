package witness

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nativeWorks are workloads of Debian's programs by name of the program. Each runs its program in
// ways that a user would, with what it prints, writes and answers checked; none starts another
// program, so that it can run where there is only the one.
var nativeWorks = map[string]work{
	"bash":         bashWork,
	"dash":         dashWork,
	"tar":          tarWork,
	"gzip":         gzipWork,
	"jq":           jqWork,
	"sqlite3":      sqliteWork,
	"curl":         curlWork,
	"git":          gitWork,
	"rsync":        rsyncWork,
	"python3.11":   pythonWork,
	"ls":           lsWork,
	"sort":         sortWork,
	"cp":           cpWork,
	"busybox":      busyboxWork,
	"redis-cli":    redisCLIWork,
	"redis-server": redisWork,
	"nginx":        nginxWork,
	"memcached":    memcachedWork,
	"lighttpd":     lighttpdWork,
	"haproxy":      haproxyWork,
}

// writeFile writes a file into a folder and returns its path.
func writeFile(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// expect runs a program to its end and wants status 0 and this text somewhere in what it prints.
func expect(run runner, want string, argv ...string) error {
	return expectInput(run, "", want, argv...)
}

// expectInput is expect with text on standard input.
func expectInput(run runner, input, want string, argv ...string) error {
	cmd := run(argv...)
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	out, err := finish(cmd, 0)
	if err == nil && !strings.Contains(out, want) {
		err = fmt.Errorf("%s printed %.2000q, want %q in it", strings.Join(argv, " "), out, want)
	}
	return err
}

// steps runs functions until one fails.
func steps(list ...func() error) error {
	for _, f := range list {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// shellScript is what both shells understand: pipes of builtins, subshells, jobs, signals, files.
const shellScript = `set -e
cd "$1"
echo one | while read x; do echo "got $x"; done
y=$(echo two; (echo three)); echo "$y"
cat() { while read l; do echo "$l"; done; }
cat <<END >file
four
END
cat <file
echo five >>file; [ -s file ]; [ -r file ] && [ -w file ] && [ ! -x file ]
(exit 3) & wait $! || echo "status $?"
trap 'echo usr' USR1; kill -USR1 $$
umask 022; ulimit -n >/dev/null; times >/dev/null
for f in *; do echo "file $f"; done
exec 7>file7; echo six >&7; exec 7>&-
read z <file7; echo "$z"
type sh >/dev/null 2>&1 || true
nosuchprogram 2>/dev/null || echo "none $?"
cd ..; pwd >/dev/null
echo done
`

func shellChecks(run runner, argv ...string) error {
	return expect(run, "got one\ntwo\nthree\nfour\nstatus 3\nusr\nfile file\nsix\nnone 127\ndone\n", argv...)
}

func bashWork(t testing.TB, run runner, bin string) error {
	more := shellScript + `cd "$1"
a=(x y z); echo "${#a[@]} ${a[-1]} $((6*7)) ${BASHPID:+pid}"
printf '%(%Y)T %s\n' 0 epoch
read -t 5 w < <(echo seven); echo "$w"
shopt -s globstar; echo **/file
[[ -e file && file -nt / || abc =~ b ]] && echo matched
coproc { read q; echo "co $q"; }; echo hi >&${COPROC[1]}; read r <&${COPROC[0]}; echo "$r"; wait
mapfile -t lines <file; echo "${lines[1]}"
`
	err := shellChecks(run, bin, "-c", shellScript, "sh", t.TempDir())
	if err != nil {
		return err
	}
	return expect(run, "3 z 42 pid\n1970 epoch\nseven\nfile\nmatched\nco hi\nfive\n", bin, "-c", more, "sh", t.TempDir())
}

func dashWork(t testing.TB, run runner, bin string) error {
	return steps(
		func() error { return shellChecks(run, bin, "-c", shellScript, "sh", t.TempDir()) },
		func() error { return expectInput(run, "echo $((6*7))\n", "42\n", bin) },
	)
}

func busyboxWork(t testing.TB, run runner, bin string) error {
	dir := tree(t)
	return steps(
		func() error { return expectInput(run, "b\na\n", "a\nb\n", bin, "sort") },
		func() error { return expect(run, "index.txt", bin, "ls", "-la", dir) },
		func() error { return expect(run, "deep/file", bin, "find", dir) },
		func() error { return expectInput(run, "x1\nx2\n", "x2", bin, "grep", "2") },
		func() error { return expect(run, "", bin, "cp", "-r", dir, filepath.Join(t.TempDir(), "copy")) },
		func() error { return expectInput(run, "1 2\n", "3\n", bin, "awk", "{print $1+$2}") },
		func() error {
			return expect(run, "echoed\n", bin, "sh", "-c", "x=$(echo echoed | { read a; echo $a; }); echo $x")
		},
	)
}

func tarWork(t testing.TB, run runner, bin string) error {
	dir, out := tree(t), t.TempDir()
	archive, sparse := filepath.Join(t.TempDir(), "a.tar"), filepath.Join(dir, "sparse")
	if err := os.Link(filepath.Join(dir, "index.txt"), filepath.Join(dir, "hard")); err != nil {
		return err
	}
	writeFile(t, dir, "sparse", "x")
	if err := os.Truncate(sparse, 1<<20); err != nil {
		return err
	}
	return steps(
		func() error { return expect(run, "./sub/deep/file", bin, "-cvSf", archive, "-C", dir, ".") },
		func() error { return expect(run, "link -> index.txt", bin, "-tvf", archive) },
		func() error { return expect(run, "", bin, "-xpf", archive, "-C", out) },
		func() error { return same(filepath.Join(dir, "big.bin"), filepath.Join(out, "big.bin")) },
		func() error { return same(sparse, filepath.Join(out, "sparse")) },
		func() error { return expect(run, "", bin, "-df", archive, "-C", dir) },
		func() error { return expect(run, "", bin, "-rf", archive, "-C", dir, "index.txt") },
	)
}

// same compares two files.
func same(a, b string) error {
	x, err := os.ReadFile(a)
	if err != nil {
		return err
	}
	y, err := os.ReadFile(b)
	if err == nil && !bytes.Equal(x, y) {
		err = fmt.Errorf("%s and %s differ", a, b)
	}
	return err
}

func gzipWork(t testing.TB, run runner, bin string) error {
	dir := tree(t)
	file := filepath.Join(dir, "big.bin")
	kept := writeFile(t, dir, "kept", strings.Repeat("x", 3<<20))
	return steps(
		func() error { return expect(run, "", bin, "-9", file) },
		func() error { return expect(run, "big.bin", bin, "-l", file+".gz") },
		func() error { return expect(run, "OK", bin, "-tv", file+".gz") },
		func() error { return expect(run, "", bin, "-d", file+".gz") },
		func() error { return same(file, kept) },
		func() error { return expectInput(run, "text", "", bin, "-c") },
		func() error { return expect(run, "", bin, "-kr", filepath.Join(dir, "sub")) },
	)
}

func jqWork(t testing.TB, run runner, bin string) error {
	file := writeFile(t, t.TempDir(), "a.json", `{"a":[1,2,{"b":"x"}]}`)
	return steps(
		func() error { return expect(run, "\"x\"\n", bin, ".a[2].b", file) },
		func() error { return expectInput(run, "[3,1,2]", "[1,2,3]\n", bin, "-c", "sort") },
		func() error { return expect(run, "1970", bin, "-n", "-r", "0|todate, (now|type)") },
		func() error { return expect(run, "3\n", bin, "-n", "--slurpfile", "f", file, "$f[0].a|length") },
	)
}

func sqliteWork(t testing.TB, run runner, bin string) error {
	dir := t.TempDir()
	db := filepath.Join(dir, "a.db")
	sql := `pragma journal_mode=wal; create table t(a integer primary key, b text);
begin; insert into t(b) values('x'),('y'); commit; create index i on t(b);
with recursive n(i) as (select 1 union all select i+1 from n where i<2000) insert into t(b) select 'row'||i from n;
update t set b='z' where a=2; delete from t where a>2000; pragma wal_checkpoint; vacuum;
select count(*), (select b from t where a=2) from t;`
	return steps(
		func() error { return expect(run, "2000|z\n", bin, db, sql) },
		func() error { return expectInput(run, ".tables\n.schema\n.dump\n", "CREATE TABLE t", bin, db) },
		func() error { return expect(run, "", bin, db, ".backup "+filepath.Join(dir, "copy.db")) },
		func() error { return expect(run, "ok", bin, filepath.Join(dir, "copy.db"), "pragma integrity_check") },
		func() error { return expect(run, "1\n", bin, ":memory:", "select 1; pragma temp_store=1;") },
	)
}

func curlWork(t testing.TB, run runner, bin string) error {
	dir := tree(t)
	srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer srv.Close()
	out, cookies := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "cookies")
	byName := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	return steps(
		func() error { return expect(run, strings.Repeat("x", 20), bin, "-s", srv.URL+"/index.txt") },
		func() error { return expect(run, "", bin, "-s", "-o", out, "-c", cookies, srv.URL+"/big.bin") },
		func() error { return same(out, filepath.Join(dir, "big.bin")) },
		func() error { return expect(run, "HTTP/1.1 200", bin, "-sI", byName+"/sub/") },
		func() error { return expect(run, "404", bin, "-s", "-w", "%{http_code}", "-d", "a=b", srv.URL+"/none") },
		func() error {
			return expect(run, strings.Repeat("x", 20), bin, "-s", "file://"+filepath.Join(dir, "index.txt"))
		},
		func() error { _, err := finish(run(bin, "-s", "http://127.0.0.1:1/"), 7); return err },
	)
}

func lsWork(t testing.TB, run runner, bin string) error {
	dir := tree(t)
	return steps(
		func() error { return expect(run, "link -> index.txt", bin, "-laR", dir) },
		func() error { return expect(run, "big.bin", bin, "-n", "--color=always", "-sS", dir) },
		func() error { _, err := finish(run(bin, filepath.Join(dir, "none")), 2); return err },
	)
}

func sortWork(t testing.TB, run runner, bin string) error {
	dir := t.TempDir()
	var text strings.Builder
	for i := range 200000 {
		fmt.Fprintf(&text, "%d\n", i*7919%200003)
	}
	file := writeFile(t, dir, "in", text.String())
	return steps(
		func() error { return expect(run, "0\n1\n2\n", bin, "-n", "-S", "1M", "-T", dir, file) },
		func() error { return expect(run, "", bin, "--parallel=2", "-u", "-o", filepath.Join(dir, "out"), file) },
		func() error { return expectInput(run, "b 2\na 1\n", "a 1\nb 2\n", bin, "-k1,1") },
	)
}

func cpWork(t testing.TB, run runner, bin string) error {
	dir, out := tree(t), t.TempDir()
	copied := filepath.Join(out, filepath.Base(dir), "big.bin")
	return steps(
		func() error { return expect(run, "index.txt", bin, "-av", dir, out) },
		func() error { return same(copied, filepath.Join(dir, "big.bin")) },
		func() error { return expect(run, "", bin, "-l", copied, filepath.Join(out, "hard")) },
		func() error {
			return expect(run, "", bin, "--sparse=always", "-f", copied, filepath.Join(out, "sparse"))
		},
		func() error { return expect(run, "", bin, "-s", copied, filepath.Join(out, "symbolic")) },
	)
}
