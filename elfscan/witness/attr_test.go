package witness

import (
	"fmt"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// attrSources are ways to come by a syscall.SysProcAttr: %s stands for more declarations and for
// the statements that set cmd's.
const attrSource = `package main

import (
	"os"
	"os/exec"
	"syscall"
)

var _ syscall.Errno

%s

func main() {
	if len(os.Args) > 1 {
		return
	}
	cmd := exec.Command("/proc/self/exe", "child")
	%s
	if err := cmd.Run(); err != nil {
		println(err.Error())
		os.Exit(1)
	}
}
`

// attrWays are the ways: all set Setsid for the child, and none may be taken for a program that
// sets nothing.
var attrWays = []struct{ name, declarations, statements string }{
	{"heap", "", "cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}"},
	{"field", "", "cmd.SysProcAttr = new(syscall.SysProcAttr); cmd.SysProcAttr.Setsid = true"},
	{"static", "var attr = syscall.SysProcAttr{Setsid: true}", "cmd.SysProcAttr = &attr"},
	{"static-zero", "var attr syscall.SysProcAttr", "attr.Setsid = true; cmd.SysProcAttr = &attr"},
	{"static-pointer", "var attr = &syscall.SysProcAttr{Setsid: true}", "cmd.SysProcAttr = attr"},
	{"embedded", "type options struct { name string; attr syscall.SysProcAttr }",
		"o := &options{name: os.Args[0]}; o.attr.Setsid = true; cmd.SysProcAttr = &o.attr"},
	{"embedded-static", "type options struct { name string; attr syscall.SysProcAttr }\nvar o options",
		"o.attr.Setsid = true; cmd.SysProcAttr = &o.attr"},
	{"slice", "", "attrs := make([]syscall.SysProcAttr, len(os.Args)); attrs[0].Setsid = true; cmd.SysProcAttr = &attrs[0]"},
	{"array-static", "var attrs [3]syscall.SysProcAttr", "attrs[1].Setsid = true; cmd.SysProcAttr = &attrs[1]"},
	{"named", "type attr syscall.SysProcAttr", "a := &attr{Setsid: true}; cmd.SysProcAttr = (*syscall.SysProcAttr)(a)"},
	{"generic", "func make1[T any]() *T { return new(T) }", "cmd.SysProcAttr = make1[syscall.SysProcAttr](); cmd.SysProcAttr.Setsid = true"},
	{"captured", "", "var attr syscall.SysProcAttr; set := func() { attr.Setsid = true }; set(); cmd.SysProcAttr = &attr"},
	{"map", "var m = map[string]syscall.SysProcAttr{}", `m["x"] = syscall.SysProcAttr{Setsid: true}; a := m["x"]; cmd.SysProcAttr = &a`},
	{"stack", "", `
	p, err := os.StartProcess("/proc/self/exe", []string{"", "child"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}})
	if err == nil {
		p.Wait()
	}`},
	{"forkexec", "", `
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"", "child"}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}})
	if err == nil {
		syscall.Wait4(pid, nil, 0, nil)
	}`},
	{"method", `
type starter struct{ attr syscall.SysProcAttr }
func (s *starter) set(cmd *exec.Cmd) { cmd.SysProcAttr = &s.attr }
type setter interface{ set(*exec.Cmd) }
func pick(n int) setter { s := &starter{}; s.attr.Setsid = n > 0; return s }`, "pick(len(os.Args)).set(cmd)"},
}

// TestAttrWays asks that a program which sets an attribute is seen to do so, however it is written
// and built: what is missed here would be a needed call that a check only warns of.
func TestAttrWays(t *testing.T) {
	builds := []struct {
		name   string
		goarch string
		flags  []string
	}{
		{"amd64", "amd64", nil}, {"stripped", "amd64", stripped}, {"pie", "amd64", pie}, {"arm64", "arm64", stripped},
	}
	if !networkAllowed() {
		builds = builds[:2] // the others take a minute more
	}
	eachRelease(t, func(t *testing.T, release string) {
		for _, w := range attrWays {
			for _, b := range builds {
				t.Run(w.name+"/"+b.name, func(t *testing.T) {
					bin := build(t, program{
						Name:      "attr-" + w.name,
						Files:     map[string]string{"main.go": fmt.Sprintf(attrSource, w.declarations, w.statements)},
						Toolchain: release, GOARCH: b.goarch, Flags: b.flags,
					})
					n := needs(scan(t, bin))["setsid"]
					if n == nil || n.Class == finding.Conditional {
						t.Errorf("setsid: %v, want a need without a condition", n)
					}
				})
			}
		}
	})
}
