package witness

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan"
)

// watch runs a workload under strace, or under qemu for another architecture, and returns the
// trace of all the runs.
func watch(t testing.TB, goarch string, w work, bin string) trace {
	t.Helper()
	var reads []func() trace
	run := func(argv ...string) *exec.Cmd {
		var cmd *exec.Cmd
		var read func() trace
		if goarch == "arm64" {
			cmd, read = qemu(t, "aarch64", argv...)
		} else {
			cmd, read = strace(t, argv...)
		}
		reads = append(reads, read)
		return cmd
	}
	if err := w(t, run, bin); err != nil {
		t.Fatal(err)
	}
	tr := trace{}
	for _, read := range reads {
		tr.add(read())
	}
	return tr
}

// live is one program to trace now.
type live struct {
	program
	work work
	sure []string // calls without which the workload was not what it should be
}

// livePrograms are traced with the toolchain at hand; the net/http program and the walker with
// every release beside it.
func livePrograms() []live {
	serverCalls := []string{"epoll_ctl", "accept4", "connect", "sendfile"}
	walkCalls := []string{"getdents64", "readlinkat", "renameat"}
	list := []live{
		{own("hello", "hello", "amd64"), helloWork, nil},
		{own("hellow", "hellow", "amd64"), helloWork, nil},
		{own("hellop", "hellop", "amd64"), helloWork, nil},
		{own("hello", "hello-pie", "amd64", pie...), helloWork, []string{"set_tid_address"}},
		{own("hello", "hello-arm64", "arm64"), helloWork, nil},
		{own("walk", "walk", "amd64"), walkWork, walkCalls},
		{own("walk", "walk-arm64", "arm64"), walkWork, walkCalls},
		{own("httpd", "httpd", "amd64"), httpdWork, serverCalls},
		{own("httpd", "httpd-pie", "amd64", pie...), httpdWork, serverCalls},
		{own("httpd", "httpd-arm64", "arm64"), httpdWork, serverCalls},
	}
	for _, release := range releases {
		for _, goarch := range []string{"amd64", "arm64"} {
			h, w := own("httpd", "httpd-"+release+"-"+goarch, goarch), own("walk", "walk-"+release+"-"+goarch, goarch)
			h.Toolchain, w.Toolchain = release, release
			list = append(list, live{h, httpdWork, serverCalls}, live{w, walkWork, walkCalls})
		}
	}
	garbled := own("walk", "walk-garbled", "amd64")
	garbled.Garble = true
	return append(list, live{garbled, walkWork, walkCalls})
}

// TestLive traces programs now and holds the scan to what they did.
func TestLive(t *testing.T) {
	for _, p := range livePrograms() {
		t.Run(p.Name, func(t *testing.T) {
			needLinux(t)
			bin := build(t, p.program)
			tr := watch(t, p.GOARCH, p.work, bin)
			for _, name := range append([]string{"write", "mmap", "exit_group"}, p.sure...) {
				if tr[name] == 0 {
					t.Errorf("the workload did not call %s: %s", name, strings.Join(tr.names(), " "))
				}
			}
			res := scan(t, bin)
			miss := missed(res, tr, underStrace)
			t.Logf("%-24s %-10s traced %3d  not conditional %3d (%s)  missed %d", p.Name, res.GoVersion, len(tr), len(certain(res)), classes(res), len(miss))
			if len(miss) > 0 {
				t.Errorf("%s: traced but not in the scan: %s\ntraced: %s", p.Name, strings.Join(miss, ", "), strings.Join(tr.names(), " "))
			}
		})
	}
}

// TestGarbled asks that a garbled program has the needs of the plain one. Their classes differ: the
// conditions go by names, and where there are none a call counts as needed.
func TestGarbled(t *testing.T) {
	for _, src := range []string{"walk", "httpd"} {
		for _, goarch := range []string{"amd64", "arm64"} {
			t.Run(src+"-"+goarch, func(t *testing.T) {
				p := own(src, src+"-"+goarch, goarch)
				g := p
				g.Name, g.Garble = p.Name+"-garbled", true
				garbled, plain := scan(t, build(t, g)), scan(t, build(t, p))
				if len(plain.Needs) == 0 {
					t.Fatal("no needs")
				}
				if got, want := allNames(garbled), allNames(plain); !slices.Equal(got, want) {
					t.Errorf("garbled: %v\nplain:   %v", got, want)
				}
			})
		}
	}
}

// allNames returns the names of all needs, in order of their numbers.
func allNames(res *elfscan.Result) []string {
	var names []string
	for _, n := range res.Needs {
		names = append(names, n.Name)
	}
	return names
}
