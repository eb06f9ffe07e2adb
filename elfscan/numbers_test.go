package elfscan

import (
	"strings"
	"testing"
)

// numberCase is a program that makes calls which no Go program makes by itself.
type numberCase struct {
	name       string
	src        source // behind the common head
	needs      string // calls that must be found, or, if any is not, be unresolved
	absent     string // calls that must not be found: the negative twin
	unresolved bool   // the number cannot be known; else all must be resolved
	may        bool   // unresolved or not, as long as no call is lost
	named      bool   // only resolved where a symbol table tells variables apart
}

const numberHead = `package main

import "syscall"

//go:noinline
func raw(nr uintptr) { syscall.RawSyscall(nr, 0, 0, 0) }

var flag = len(syscall.Environ()) > 3

`

var numberCases = []numberCase{
	{name: "direct", src: `func main() { syscall.RawSyscall(syscall.SYS_GETSID, 0, 0, 0) }`, needs: "getsid", absent: "sync acct"},
	{name: "wrapper", src: `func main() { raw(syscall.SYS_SYNC) }`, needs: "sync", absent: "getsid"},
	{name: "two levels", needs: "sync acct", absent: "getsid", src: `
//go:noinline
func outer(a, b, nr uintptr) { raw(nr); raw(nr) }
func main() { outer(1, 2, syscall.SYS_SYNC); outer(3, 4, syscall.SYS_ACCT) }`},
	{name: "caller right before", needs: "sync acct", src: `
//go:noinline
func first() { second(syscall.SYS_SYNC) }
//go:noinline
func second(nr uintptr) { raw(nr) }
func main() { second(syscall.SYS_ACCT); first() }`},
	{name: "method", needs: "sync", src: `
type caller struct{ pad [3]int }
//go:noinline
func (c *caller) call(nr uintptr) { c.pad[1]++; raw(nr) }
func main() { c := new(caller); c.call(syscall.SYS_SYNC) }`},
	{name: "method through interface", needs: "sync", may: true, src: `
type caller interface { call(nr uintptr) }
type a struct{ n int }
type b struct{ n int }
func (c *a) call(nr uintptr) { c.n++; raw(nr) }
func (c *b) call(nr uintptr) { c.n-- }
//go:noinline
func use(c caller) { c.call(syscall.SYS_SYNC) }
func main() { if flag { use(new(a)) } else { use(new(b)) } }`},
	{name: "method value", needs: "sync", may: true, src: `
type a struct{ n int }
//go:noinline
func (c *a) call(nr uintptr) { c.n++; raw(nr) }
//go:noinline
func use(f func(uintptr)) { f(syscall.SYS_SYNC) }
func main() { use(new(a).call) }`},
	{name: "generic", needs: "sync acct", src: `
//go:noinline
func gen[T int | string](v T, nr uintptr) T { raw(nr); return v }
func main() { gen(1, syscall.SYS_SYNC); gen("", syscall.SYS_ACCT) }`},
	{name: "closure argument", needs: "sync", may: true, src: `
//go:noinline
func use(f func(uintptr)) { f(syscall.SYS_SYNC) }
func main() { n := 0; use(func(nr uintptr) { n++; raw(nr) }) }`},
	{name: "captured", needs: "sync", may: true, src: `
//go:noinline
func use(f func()) { f() }
//go:noinline
func pass(nr uintptr) { use(func() { raw(nr) }) }
func main() { pass(syscall.SYS_SYNC) }`},
	{name: "captured by reference", needs: "sync acct", may: true, src: `
//go:noinline
func use(f func()) { f() }
func main() { nr := uintptr(syscall.SYS_SYNC); use(func() { nr = syscall.SYS_ACCT }); raw(nr) }`},
	{name: "variadic", needs: "sync", may: true, src: `
//go:noinline
func all(nrs ...uintptr) { for _, nr := range nrs { raw(nr) } }
func main() { all(syscall.SYS_SYNC, syscall.SYS_ACCT) }`},
	{name: "chosen by if", needs: "sync acct", absent: "getsid", src: `
func main() { nr := uintptr(syscall.SYS_SYNC); if flag { nr = syscall.SYS_ACCT }; raw(nr) }`},
	{name: "chosen by switch", needs: "sync acct vhangup getsid personality umask getpriority setpriority mlockall", may: true, src: `
//go:noinline
func pick(i int) {
	var nr uintptr
	switch i {
	case 0: nr = syscall.SYS_SYNC
	case 1: nr = syscall.SYS_ACCT
	case 2: nr = syscall.SYS_VHANGUP
	case 3: nr = syscall.SYS_GETSID
	case 4: nr = syscall.SYS_PERSONALITY
	case 5: nr = syscall.SYS_UMASK
	case 6: nr = syscall.SYS_GETPRIORITY
	case 7: nr = syscall.SYS_SETPRIORITY
	case 8: nr = syscall.SYS_MLOCKALL
	default: return
	}
	raw(nr)
}
func main() { pick(len(syscall.Environ())) }`},
	{name: "jump table of calls", needs: "sync acct vhangup getsid personality umask getpriority setpriority mlockall", src: `
func main() {
	switch len(syscall.Environ()) {
	case 0: raw(syscall.SYS_SYNC)
	case 1: raw(syscall.SYS_ACCT)
	case 2: raw(syscall.SYS_VHANGUP)
	case 3: raw(syscall.SYS_GETSID)
	case 4: raw(syscall.SYS_PERSONALITY)
	case 5: raw(syscall.SYS_UMASK)
	case 6: raw(syscall.SYS_GETPRIORITY)
	case 7: raw(syscall.SYS_SETPRIORITY)
	case 8: raw(syscall.SYS_MLOCKALL)
	}
}`},
	{name: "map", unresolved: true, src: `
var m = map[string]uintptr{"a": syscall.SYS_SYNC, "b": syscall.SYS_ACCT}
func main() { raw(m[syscall.Environ()[0]]) }`},
	{name: "table", needs: "sync", unresolved: true, src: `
var t = [...]uintptr{syscall.SYS_SYNC, syscall.SYS_ACCT, syscall.SYS_VHANGUP}
func main() { raw(t[len(syscall.Environ())%3]) }`},
	{name: "slice", unresolved: true, src: `
var t = []uintptr{syscall.SYS_SYNC, syscall.SYS_ACCT, syscall.SYS_VHANGUP}
func main() { for _, nr := range t { raw(nr) } }`},
	{name: "channel", unresolved: true, src: `
func main() { c := make(chan uintptr, 1); c <- syscall.SYS_SYNC; raw(<-c) }`},
	{name: "arithmetic", unresolved: true, src: `
func main() { raw(uintptr(len(syscall.Environ())) + syscall.SYS_SYNC) }`},
	{name: "loop", needs: "sync", may: true, src: `
func main() { for nr := uintptr(syscall.SYS_SYNC - 9); nr < syscall.SYS_SYNC + 1; nr++ { raw(nr) } }`},
	{name: "result", needs: "sync", may: true, src: `
//go:noinline
func pick() uintptr { if flag { return syscall.SYS_SYNC }; return syscall.SYS_ACCT }
func main() { raw(pick()) }`},
	{name: "struct by value", needs: "sync", may: true, src: `
type call struct{ name string; nr, a, b uintptr; more [20]uintptr }
//go:noinline
func do(c call) { raw(c.nr) }
func main() { do(call{nr: syscall.SYS_SYNC}) }`},
	{name: "struct by pointer", needs: "sync", may: true, src: `
type call struct{ name string; nr uintptr }
//go:noinline
func do(c *call) { raw(c.nr) }
func main() { do(&call{nr: syscall.SYS_SYNC}) }`},
	{name: "many arguments", needs: "sync", src: `
//go:noinline
func do(a, b, c, d, e, f, g, h, i, j, k, nr uintptr) uintptr { raw(nr); return a + b + c + d + e + f + g + h + i + j + k }
func main() { do(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, uintptr(len(syscall.Environ())), syscall.SYS_SYNC) }`},
	{name: "32 bits", needs: "sync acct", src: `
//go:noinline
func cut(nr int32) { raw(uintptr(nr)) }
//go:noinline
func ucut(nr uint32) { raw(uintptr(nr)) }
func main() { cut(syscall.SYS_SYNC); ucut(syscall.SYS_ACCT) }`},
	{name: "spilled", needs: "sync", src: `
//go:noinline
func spill(nr uintptr) { for range syscall.Environ() { println("x") }; raw(nr) }
func main() { spill(syscall.SYS_SYNC) }`},
	{name: "recursion", needs: "sync acct", absent: "getsid", src: `
//go:noinline
func down(nr uintptr, n int) { if n > 0 { down(syscall.SYS_SYNC, n-1); return }; raw(nr) }
func main() { down(syscall.SYS_ACCT, len(syscall.Environ())) }`},
	{name: "mutual recursion", needs: "sync acct", src: `
//go:noinline
func even(nr uintptr, n int) { if n > 0 { odd(nr, n-1); return }; raw(nr) }
//go:noinline
func odd(nr uintptr, n int) { if n > 9 { even(syscall.SYS_SYNC, n-1); return }; even(nr, n-1) }
func main() { even(syscall.SYS_ACCT, len(syscall.Environ())) }`},
	{name: "go statement", needs: "sync", may: true, src: `
func main() { go raw(syscall.SYS_SYNC); select {} }`},
	{name: "go statement with variable", needs: "sync acct", may: true, src: `
//go:noinline
func start(nr uintptr) { go raw(nr) }
func main() { start(syscall.SYS_SYNC); start(syscall.SYS_ACCT); select {} }`},
	{name: "defer", needs: "sync", may: true, src: `
func main() { defer raw(syscall.SYS_SYNC); println() }`},
	{name: "defer in loop", needs: "sync acct", may: true, src: `
//go:noinline
func later(nr uintptr) { for range syscall.Environ() { defer raw(nr) } }
func main() { later(syscall.SYS_SYNC); later(syscall.SYS_ACCT) }`},
	{name: "after recover", needs: "sync", src: `
//go:noinline
func try() (nr uintptr) { nr = syscall.SYS_SYNC; defer func() { recover() }(); panic("x") }
func main() { try(); raw(syscall.SYS_SYNC) }`},
	{name: "function variable", needs: "sync acct", may: true, src: `
var hook = raw
func main() { hook(syscall.SYS_SYNC); if flag { hook = func(uintptr) {} }; hook(syscall.SYS_ACCT) }`},
	{name: "function variable that never changes", named: true, needs: "sync acct", src: `
var hook = raw
//go:noinline
func other() { hook(syscall.SYS_ACCT) }
func main() { hook(syscall.SYS_SYNC); other() }`},
	{name: "function variable that is passed on", needs: "sync acct", may: true, src: `
var hook = raw
//go:noinline
func use(f func(uintptr)) { f(syscall.SYS_ACCT) }
func main() { hook(syscall.SYS_SYNC); use(hook) }`},
	{name: "function variable that is stored", needs: "sync acct", may: true, src: `
var hook = raw
var kept []func(uintptr)
//go:noinline
func use() { for _, f := range kept { f(syscall.SYS_ACCT) } }
func main() { hook(syscall.SYS_SYNC); kept = append(kept, hook); use() }`},
	{name: "function variable that is returned", needs: "sync acct", may: true, src: `
var hook = raw
//go:noinline
func get() func(uintptr) { hook(syscall.SYS_SYNC); return hook }
func main() { get()(syscall.SYS_ACCT) }`},
	{name: "called and passed on", needs: "sync acct", may: true, src: `
//go:noinline
func use(f func(uintptr)) { f(syscall.SYS_ACCT) }
func main() { raw(syscall.SYS_SYNC); use(raw) }`},
	{name: "table of functions", needs: "sync", may: true, src: `
var table = []func(uintptr){raw, func(uintptr) {}}
func main() { raw(syscall.SYS_ACCT); table[len(syscall.Environ())%2](syscall.SYS_SYNC) }`},
	{name: "variable", named: true, needs: "sync", src: `
var nr uintptr = syscall.SYS_SYNC
func main() { raw(nr) }`},
	{name: "variable that changes", named: true, needs: "sync acct", src: `
var nr uintptr = syscall.SYS_SYNC
//go:noinline
func set() { nr = syscall.SYS_ACCT }
func main() { set(); raw(nr) }`},
	{name: "variable set by parameter", named: true, needs: "sync acct vhangup", src: `
var nr uintptr = syscall.SYS_SYNC
//go:noinline
func set(n uintptr) { nr = n }
func main() { set(syscall.SYS_ACCT); raw(nr); set(syscall.SYS_VHANGUP) }`},
	{name: "variable set through pointer", needs: "sync acct", may: true, src: `
var nr uintptr = syscall.SYS_SYNC
//go:noinline
func set(p *uintptr) { *p = syscall.SYS_ACCT }
func main() { set(&nr); raw(nr) }`},
	{name: "field of variable set through pointer", needs: "sync acct", may: true, src: `
type config struct{ a, b, nr uintptr }
var c = config{1, 2, syscall.SYS_SYNC}
//go:noinline
func set(p *config) { p.nr = syscall.SYS_ACCT; p.a++ }
func main() { set(&c); raw(c.nr) }`},
	{name: "field of variable set by copy", needs: "sync acct", may: true, src: `
type config struct{ a, nr uintptr }
var c = config{1, syscall.SYS_SYNC}
//go:noinline
func get() config { return config{uintptr(len(syscall.Environ())), syscall.SYS_ACCT} }
//go:noinline
func copy(p *config) { c = *p }
func main() { v := get(); copy(&v); raw(c.nr) }`},
	{name: "narrow variable", needs: "sync acct", may: true, src: `
var nr uint16 = syscall.SYS_SYNC
//go:noinline
func set() { nr = syscall.SYS_ACCT }
func main() { set(); raw(uintptr(nr)) }`},
	{name: "number without name", src: `func main() { raw(4242); raw(syscall.SYS_SYNC) }`, needs: "sync"},
	{name: "flag bit", needs: "sync", may: true, src: `
//go:noinline
func or(nr, bit uintptr) { raw(nr | bit) }
func main() { or(syscall.SYS_SYNC&^1, syscall.SYS_SYNC&1) }`},
	{name: "three functions of one name", needs: "sync acct vhangup", src: `
func main() {
	for i := range syscall.Environ() {
		f := func(nr uintptr) { raw(nr); println(i) }
		f(syscall.SYS_SYNC)
	}
	{ f := func() { raw(syscall.SYS_ACCT) }; f() }
	{ f := func() { raw(syscall.SYS_VHANGUP) }; f() }
}`},
}

func TestNumbers(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		for _, c := range numberCases {
			for _, strip := range []string{"", "-s -w"} {
				if strip != "" && !strings.Contains(c.name, "variable") {
					continue // symbols tell variables apart, and nothing else
				}
				name := arch + "/" + c.name
				if strip != "" {
					name += " stripped"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c := c
					c.may = c.may || c.named && strip != ""
					c.check(t, scan(t, build(t, numberHead+c.src, arch, "-ldflags="+strip)))
				})
			}
		}
	}
}

func (c *numberCase) check(t *testing.T, res *Result) {
	for _, name := range strings.Fields(c.needs) {
		if n := res.need(t, name); n == nil && res.Complete() {
			t.Errorf("%s was lost", name)
		} else if n != nil && n.Class != "required" {
			t.Errorf("%s is %s", name, n.Class)
		} else if n == nil && !c.may && !c.unresolved {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range strings.Fields(c.absent) {
		if res.need(t, name) != nil {
			t.Errorf("%s is not called", name)
		}
	}
	if c.unresolved && res.Complete() {
		t.Error("taken for complete")
	}
	if !c.unresolved && !c.may && !res.Complete() {
		t.Errorf("unresolved: %+v", res.Unresolved)
	}
}
