package elfscan

import (
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// Programs that start another one, with attributes (setsid and its like can happen) and without.
var attrCases = []struct {
	name string
	sets bool
	src  source
}{
	{"none", false, `import "os/exec"
func main() { exec.Command("true").Run() }`},
	{"none, by os", false, `import "os"
func main() { os.StartProcess("/bin/true", nil, nil) }`},
	{"literal", true, `import ("os/exec"; "syscall")
func main() { c := exec.Command("true"); c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}; c.Run() }`},
	{"variable with pointer", true, `import ("os/exec"; "syscall")
var attr = &syscall.SysProcAttr{Setsid: true}
func main() { c := exec.Command("true"); c.SysProcAttr = attr; c.Run() }`},
	{"variable", true, `import ("os/exec"; "syscall")
var attr = syscall.SysProcAttr{Setsid: true}
func main() { c := exec.Command("true"); c.SysProcAttr = &attr; c.Run() }`},
	{"variable without initial value", true, `import ("os/exec"; "syscall")
var attr syscall.SysProcAttr
func main() { attr.Setsid = true; c := exec.Command("true"); c.SysProcAttr = &attr; c.Run() }`},
	{"part of a variable", true, `import ("os/exec"; "syscall")
var config struct { name string; attr syscall.SysProcAttr; more [4]int }
func main() { config.attr.Setsid = true; c := exec.Command("true"); c.SysProcAttr = &config.attr; c.Run() }`},
	{"part of an allocated struct", true, `import ("os/exec"; "syscall")
type config struct { name string; attr syscall.SysProcAttr }
func main() { v := &config{name: "x"}; v.attr.Setsid = true; c := exec.Command("true"); c.SysProcAttr = &v.attr; c.Run() }`},
	{"array", true, `import ("os/exec"; "syscall")
var attrs [3]syscall.SysProcAttr
func main() { for i := range attrs { attrs[i].Setsid = true; c := exec.Command("true"); c.SysProcAttr = &attrs[i]; c.Run() } }`},
	{"slice literal", true, `import ("os/exec"; "syscall")
var attrs = []syscall.SysProcAttr{{Setsid: true}, {Setpgid: true}}
func main() { for i := range attrs { c := exec.Command("true"); c.SysProcAttr = &attrs[i]; c.Run() } }`},
	{"new", true, `import ("os/exec"; "syscall")
func main() { c := exec.Command("true"); c.SysProcAttr = new(syscall.SysProcAttr); c.SysProcAttr.Setsid = true; c.Run() }`},
	{"on the stack for os.StartProcess", true, `import ("os"; "syscall")
func main() { os.StartProcess("/bin/true", nil, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}}) }`},
	{"on the stack for ForkExec", true, `import "syscall"
func main() { syscall.ForkExec("/bin/true", nil, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}}) }`},
	{"StartProcess as a value", true, `import ("os"; "syscall")
var start = os.StartProcess
func main() { start("/bin/true", nil, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}}) }`},
}

func TestSysProcAttr(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		for _, c := range attrCases {
			for _, strip := range []string{"", "-s -w"} {
				t.Run(arch+"/"+c.name+strip, func(t *testing.T) {
					t.Parallel()
					res := scan(t, build(t, "package main\n\n"+c.src, arch, "-ldflags="+strip))
					if !res.Complete() {
						t.Errorf("unresolved: %+v", res.Unresolved)
					}
					for _, name := range []string{"setsid", "chroot", "mount", "setgroups"} {
						n := res.need(t, name)
						if n == nil {
							t.Fatalf("%s is missing", name)
						}
						conditional := n.Class == finding.Conditional
						if c.sets && conditional || !c.sets && c.name == "none" && !conditional {
							t.Errorf("%s is %s", name, n.Class)
						}
					}
				})
			}
		}
	}
}
