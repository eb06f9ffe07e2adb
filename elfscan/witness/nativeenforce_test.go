package witness

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A nativeEnforced is a program that works under a profile of its scanned set.
type nativeEnforced struct {
	name string
	drop string // a call that the workload cannot do without, and that runc does not make itself
	tree string // a folder that the program reads
}

var nativeEnforcedPrograms = []nativeEnforced{
	{name: "bash", drop: "wait4"},
	{name: "busybox", drop: "dup2"},
	{name: "curl", drop: "connect"},
	{name: "dash", drop: "pipe2"},
	{name: "git", drop: "rename"},
	{name: "gzip", drop: "utimensat"},
	{name: "haproxy", drop: "accept4"},
	{name: "jq", drop: "mmap"},
	{name: "lighttpd", drop: "epoll_wait"},
	{name: "memcached", drop: "sendmsg"},
	{name: "nginx", drop: "recvfrom"},
	{name: "python3.11", drop: "symlink", tree: "/usr/lib/python3.11"},
	{name: "redis-server", drop: "listen"},
	{name: "rsync", drop: "socketpair"},
	{name: "sqlite3", drop: "pwrite64"},
	{name: "tar", drop: "utimensat"},
}

// TestNativeEnforce runs each program in a container that holds what the scan found it to load and
// little else, under a profile of what the scan found it to call and nothing else, with the death of
// the process as the answer to all other calls. The workload must succeed, and fail by that death
// once a single call is left out.
func TestNativeEnforce(t *testing.T) {
	needContainers(t)
	runtime := runtimeCalls(t)
	shareScans(t)
	var mu sync.Mutex
	var lines []string
	t.Run("programs", func(t *testing.T) {
		for _, e := range nativeEnforcedPrograms {
			t.Run(e.name, func(t *testing.T) {
				t.Parallel() // runc waits more than it works
				line := enforceNative(t, e, runtime)
				mu.Lock()
				defer mu.Unlock()
				lines = append(lines, line)
			})
		}
	})
	slices.Sort(lines)
	table(t, "enforced", append([]string{"| program | modules | allowed | beside them for runc | left out in the twin |", "|---|---|---|---|---|"}, lines...))
}

// enforceNative is the test of one program; it returns the table's line.
func enforceNative(t *testing.T, e nativeEnforced, runtime []string) string {
	t.Helper()
	p := recorded("amd64", e.name)
	needPackage(t, p)
	res := scanNative(t, "", p.Path)
	plugins := p.plugins(t, "", res)
	if len(plugins) > 0 {
		res = scanNative(t, "", p.Path, plugins...)
	}
	root := newNativeRoot(t)
	for _, m := range res.Modules {
		root.add(m.Path)
	}
	if e.tree != "" {
		root.addTree(e.tree)
	}
	names := p.allowed(scanNative(t, root.dir, p.Path, plugins...))
	work, allowed := nativeWorks[e.name], slices.Concat(names, runtime)
	if err := work(t, contained(t, root, onlyThese(allowed)), p.command()); err != nil {
		t.Errorf("under a profile of the %d calls of the scan: %v\n%v", len(names), err, names)
	}
	less := slices.DeleteFunc(allowed, func(name string) bool { return name == e.drop })
	switch {
	case slices.Contains(runtime, e.drop) || !slices.Contains(names, e.drop):
		t.Errorf("%s is no call of %s that only the program makes", e.drop, e.name)
	default:
		if err := work(t, contained(t, root, onlyThese(less)), p.command()); !killed(err) {
			t.Errorf("without %s: %v, want a process killed by the filter", e.drop, err)
		}
	}
	beside := slices.DeleteFunc(slices.Clone(runtime), func(name string) bool { return slices.Contains(names, name) })
	return fmt.Sprintf("| %s | %d | %d | %s | %s |", e.name, len(res.Modules), len(names), strings.Join(beside, ", "), e.drop)
}
