package elfscan

import (
	"fmt"

	"github.com/profcheck/profcheck/finding"
)

// loaderCalls are what the dynamic loader of glibc calls before it starts a position-independent Go
// program without libraries, beyond what Go programs call anyway: measured with strace on glibc
// 2.36, static-pie and musl loaders make fewer.
var loaderCalls = []string{"access", "faccessat", "brk", "mprotect", "rseq", "set_robust_list", "set_tid_address"}

// loaderShared are further start-up calls of the loader that a Go program nearly always makes too.
var loaderShared = []string{"arch_prctl", "mmap", "munmap", "openat", "read", "close", "pread64", "prlimit64", "getrandom", "exit_group"}

// addLoader adds the calls of the loader that PT_INTERP names.
func (p *program) addLoader(res *Result) {
	if p.im.interp == "" {
		return
	}
	res.Gaps = append(res.Gaps, Gap{Kind: GapLoader, Detail: fmt.Sprintf("%s starts the program; its start-up calls are counted, its code was not read", p.im.interp)})
	detail := "the loader " + p.im.interp + " calls it at start-up"
	_, hasAccess := p.arch.Number("access")
	for _, name := range loaderCalls {
		if name == "faccessat" && hasAccess {
			continue
		}
		p.addLoaderCall(res, name, detail)
	}
	for _, name := range loaderShared {
		if nr, ok := p.arch.Number(name); ok && res.Need(nr) != nil {
			p.addLoaderCall(res, name, detail)
		}
	}
}

// addLoaderCall adds a call of the loader: to a call that the program makes as well, a site whose
// arguments are not known.
func (p *program) addLoaderCall(res *Result, name, detail string) {
	nr, ok := p.arch.Number(name)
	if !ok {
		return
	}
	site := Site{Class: finding.Startup, Path: finding.Path{{Function: p.im.interp}}, Always: []string{p.im.interp}}
	n := res.Need(nr)
	switch {
	case n == nil:
		res.Needs = append(res.Needs, Need{Nr: nr, Name: name, Class: finding.Startup, Detail: detail, Sites: []Site{site}})
		return
	case classOrder[n.Class] > classOrder[finding.Startup]:
		n.Class, n.Condition, n.Detail = finding.Startup, "", detail
		n.Sites = append([]Site{site}, n.Sites...)
	default:
		n.Sites = append(n.Sites, site)
	}
	n.Args = [6]Values{}
}

// addGaps adds what the scan knows to be out of its sight.
func (p *program) addGaps(res *Result, pr *prover) {
	for _, name := range []string{"execve", "execveat"} {
		nr, ok := p.arch.Number(name)
		if !ok {
			continue
		}
		if n := res.Need(nr); n != nil {
			res.Gaps = append(res.Gaps, Gap{Kind: GapExec, Detail: "starts other programs, under the same filter", Path: n.Sites[0].Path})
			break
		}
	}
	if fns := p.tab.functionsNamed("plugin.Open"); len(fns) > 0 {
		res.Gaps = append(res.Gaps, Gap{Kind: GapPlugin, Detail: "loads Go plugins, whose code was not looked at",
			Path: pr.path(&hop{fn: fns[0], at: p.tab.funcs[fns[0]].entry})})
	}
}
