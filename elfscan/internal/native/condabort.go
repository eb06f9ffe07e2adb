package native

import (
	"slices"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/isa"
)

// abortFamily are functions that end the process because something is wrong with it, as glibc and
// musl export them.
var abortFamily = []string{"abort", "__assert_fail", "__assert_perror_fail", "__assert", "__stack_chk_fail", "__chk_fail", "__fortify_fail", "__libc_fatal", "__longjmp_chk"}

// raisers send a signal to the calling thread.
var raisers = []string{"raise", "gsignal"}

// aborts finds the functions that end in abort, and in the libc the calls that raise SIGABRT or, for
// a message catalogue that divides by zero (intl/plural-eval.c), SIGFPE.
func (p *program) aborts(r *resolver) ([]node, []uint64) {
	var nodes []node
	family := map[node]bool{}
	for _, n := range p.entriesOf(abortFamily...) {
		if !family[n] {
			family[n] = true
			nodes = append(nodes, n)
		}
	}
	if len(nodes) == 0 {
		return nil, nil
	}
	libc := p.owner(nodes[0])
	if !p.isLibc(libc) {
		return nodes, nil // what follows goes by shape, which functions of the program may have as well
	}
	ending := p.makers(r, "exit", "exit_group", "execve", "execveat", "rt_sigreturn")
	for _, u := range r.failed {
		ending[u.hop.origin().fn] = true
	}
	// Functions that do not return and whose last call leads to abort and can lead nowhere else.
	for changed := true; changed; {
		changed = false
		for i := range libc.facts.Funcs {
			n := libc.fn0 + node(i)
			if !family[n] && p.tree.reached(n) && p.doomed(n, family, ending) {
				family[n], changed = true, true
				nodes = append(nodes, n)
			}
		}
	}
	if m := p.messenger(r, family); m != none {
		nodes = append(nodes, m)
	}
	var at []uint64
	for _, n := range p.entriesOf(raisers...) {
		if p.owner(n) != libc {
			continue
		}
		for _, caller := range p.callersOf(n) {
			if p.owner(caller) != libc {
				continue
			}
			sum := p.summary(caller)
			for i := range sum.Calls {
				c := &sum.Calls[i]
				if sig, ok := p.vs.IsConst(c.Regs[p.conv.Params[0]]); ok && len(sig) == 1 && (sig[0] == 6 || sig[0] == 8) && p.leads(c, n) {
					at = append(at, c.At)
				}
			}
		}
	}
	return nodes, at
}

// doAbort is the flag of __libc_message (include/stdio.h enum __libc_message_action).
const doAbort = 1

// messenger finds __libc_message, which writes with writev and then calls abort if its first argument
// says so, if that is what all its callers want.
func (p *program) messenger(r *resolver, family map[node]bool) node {
	for n := range p.makers(r, "writev") {
		libc := p.owner(n)
		if !p.isLibc(libc) || p.exportedAt(libc, n) || !p.tree.reached(n) || !p.mayAbort(n, family) {
			continue
		}
		actions, ok := p.argument(n, 0)
		if ok && len(actions) > 0 && !slices.ContainsFunc(actions, func(v uint64) bool { return v&doAbort == 0 }) {
			return n
		}
	}
	return none
}

// doomed reports whether function n of the libc ends in a function of the family whatever it does:
// it holds no return and no way out, and all that it calls last either belongs to the family or
// calls nothing that does not return but the family. Functions that make a call that does not return
// are in ending.
func (p *program) doomed(n node, family, ending map[node]bool) bool {
	_, f := p.fun(n)
	if f.Flags&(code.Stub|code.HasIndirect|code.FallsOut) != 0 || ending[n] || !p.Stops(p.start(n)) || p.loops(n) {
		return false
	}
	ends := 0
	for _, e := range p.out(n) {
		if int(e.to) >= p.funcs || e.kind != edgeCall {
			continue
		}
		to := p.behind(e.to)
		switch {
		case family[to]:
			ends++
		case p.Stops(p.start(to)):
			return false
		case p.mayAbort(to, family):
			ends++
		}
	}
	return ends > 0
}

// loops reports whether function n jumps back to an earlier place in itself, so that it may go on for
// ever without ending the process.
func (p *program) loops(n node) bool {
	body, start := p.code(n), p.start(n)
	var ops []isa.Op
	for off := 0; off < len(body); {
		at := start + uint64(off)
		var size int
		if ops, size = p.m.Decode(body[off:], at, ops[:0]); size == 0 {
			return true
		}
		for i := range ops {
			if k := ops[i].Kind; (k == isa.OpJump || k == isa.OpBranch) && ops[i].Target <= at && ops[i].Target >= start {
				return true
			}
		}
		off += size
	}
	return false
}

// mayAbort reports whether function n calls the family, and nothing else that does not return.
func (p *program) mayAbort(n node, family map[node]bool) bool {
	may := false
	for _, e := range p.out(n) {
		if int(e.to) >= p.funcs || e.kind != edgeCall {
			continue
		}
		to := p.behind(e.to)
		if family[to] {
			may = true
		} else if p.Stops(p.start(to)) {
			return false
		}
	}
	return may
}

// exitFails finds exit behind exit_group, in the libc's and the loader's _exit.
func (p *program) exitFails(r *resolver) ([]node, []uint64) {
	group := p.makers(r, "exit_group")
	exits := p.entriesOf("_exit", "_Exit")
	groups := map[uint64]bool{}
	groupNr, _ := p.arch.Number("exit_group")
	for _, f := range r.claims {
		groups[f.hop.origin().at] = f.nr == uint64(groupNr)
	}
	nr, ok := p.arch.Number("exit")
	var at []uint64
	for _, f := range r.claims {
		o := f.hop.origin()
		if !ok || f.nr != uint64(nr) || !group[o.fn] || f.hop.next != nil {
			continue
		}
		if (slices.Contains(exits, o.fn) || p.glibcLoader(p.owner(o.fn))) && p.first(o.fn, groups) {
			at = append(at, o.at)
		}
	}
	return nil, at
}

// first reports whether function n comes to one of the given syscall instructions before it can go any
// other way.
func (p *program) first(n node, syscalls map[uint64]bool) bool {
	body, start := p.code(n), p.start(n)
	var ops []isa.Op
	off := uint64(0)
way:
	for range body { // each instruction at most once
		if off >= uint64(len(body)) {
			return false
		}
		at := start + off
		var size int
		if ops, size = p.m.Decode(body[off:], at, ops[:0]); size == 0 {
			return false
		}
		off += uint64(size)
		for i := range ops {
			switch ops[i].Kind {
			case isa.OpSyscall:
				return syscalls[at]
			case isa.OpJump:
				off = ops[i].Target - start
				continue way
			case isa.OpCall, isa.OpCallInd, isa.OpJumpInd, isa.OpBranch, isa.OpReturn, isa.OpStop, isa.OpInt80:
				return false
			}
		}
	}
	return false
}
