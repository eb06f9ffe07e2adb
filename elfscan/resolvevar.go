package elfscan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/flow"
)

// followCell resolves a number that is read from a variable that changes. Its initial value counts,
// and each store: the numbers stored, or the parameters of the function that stores them, whose
// callers are followed like those of a wrapper.
func (r *resolver) followCell(h *hop, cell uint64) {
	p := r.p
	switch {
	case r.perThread(h):
		return
	case r.isFcntl(h, cell):
		initial, _ := p.im.word(cell)
		r.known(h, []uint64{initial})
		return
	case p.exposed(cell):
		r.fail(h, fmt.Sprintf("the number is read from the variable at %#x, whose address is passed on", cell))
		return
	}
	v := *p.vs.Get(h.nr)
	var writers []int
	for _, s := range p.stores {
		if s.target < cell+8 && cell < s.target+flow.WidestStore {
			writers = append(writers, int(s.fn))
		}
	}
	slices.Sort(writers)
	for _, fn := range slices.Compact(writers) {
		for _, st := range p.summary(fn).Stores {
			switch {
			case !st.Covers(cell, 8):
			case st.Cell == cell && (st.Size == 8 || st.Size == 4):
				r.push(&hop{fn: fn, at: st.At, next: h, nr: p.vs.Adapt(&v, st.ID), depth: h.depth + 1, compat: h.compat})
			default:
				r.fail(h, fmt.Sprintf("the number is read from the variable at %#x, which is written in part or together with others", cell))
			}
		}
	}
	if initial, ok := p.im.word(cell); ok {
		if c, ok := p.vs.IsConst(p.vs.Adapt(&v, p.vs.Constant(initial))); ok {
			r.known(h, c)
		}
	}
}

// isFcntl reports whether cell is fcntl64Syscall of the packages syscall, internal/syscall/unix or
// golang.org/x/sys/unix: the number of fcntl, which only their files for 32-bit machines change.
func (r *resolver) isFcntl(h *hop, cell uint64) bool {
	initial, ok := r.p.im.word(cell)
	nr, _ := r.p.arch.Number("fcntl")
	if !ok || initial != uint64(nr) {
		return false
	}
	switch packageOf(r.p.tab.frames(h.fn, h.at)[0].function) {
	case "syscall", "internal/syscall/unix", "golang.org/x/sys/unix":
		return true
	}
	return false
}

// packageOf returns the import path in the name of a function: what stands before the first dot
// behind the last slash, type arguments left out.
func packageOf(name string) string {
	if i := strings.IndexByte(name, '['); i >= 0 {
		name = name[:i]
	}
	slash := strings.LastIndexByte(name, '/') + 1
	pkg, _, _ := strings.Cut(name[slash:], ".")
	return name[:slash] + pkg
}

// perThread resolves the number of a syscall that the runtime makes on all threads at once
// (syscall.AllThreadsSyscall): runtime.runPerThreadSyscall reads it from a variable that
// syscall.runtime_doAllThreadsSyscall fills from its first argument (src/runtime/os_linux.go). The
// copy of the whole variable on the way is not followed, so the two are joined by name. Where the
// linker has pruned the function that fills it, the syscall is never made.
func (r *resolver) perThread(h *hop) bool {
	if !r.isPerThread(h) {
		return false
	}
	for _, fn := range r.p.tab.functionsNamed("syscall.runtime_doAllThreadsSyscall") {
		up := &hop{fn: fn, at: r.p.tab.funcs[fn].entry, next: h, nr: r.p.vs.RegParam(r.p.m.GoParams[0]), depth: h.depth + 1}
		for i := range up.args {
			up.args[i] = r.p.vs.RegParam(r.p.m.GoParams[1+i])
		}
		r.push(up)
	}
	return true
}

func (r *resolver) isPerThread(h *hop) bool {
	return slices.ContainsFunc(r.p.tab.frames(h.fn, h.at), func(f frame) bool { return f.function == "runtime.runPerThreadSyscall" })
}

// addressTaken reports whether function fn can be called through a pointer: its address is formed
// by code, stands in data, or it is a method of a type. A hook counts as called directly.
func (r *resolver) addressTaken(fn int) bool {
	taken, ok := r.indirect[fn]
	if !ok {
		_, taken = slices.BinarySearch(r.p.self, r.p.tab.funcs[fn].entry)
		for _, e := range r.p.in[fn] {
			taken = taken || e.taken || e.hook
		}
		taken = (taken || r.p.inData(r.p.tab.funcs[fn].entry)) && !r.p.isHook(fn)
		r.indirect[fn] = taken
	}
	return taken
}

// isEntry reports whether the kernel or the loader starts the program at function fn.
func (r *resolver) isEntry(fn int) bool { return slices.Contains(r.entries, fn) }
