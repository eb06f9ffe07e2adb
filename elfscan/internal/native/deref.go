package native

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/flow"
	"github.com/profcheck/profcheck/elfscan/internal/module"
	"github.com/profcheck/profcheck/syscalls"
)

// proviso is an argument of the syscall instruction at an address, which the kernel must not write
// behind.
type proviso struct {
	at  uint64
	arg int
}

// behindPointer follows a number that lies in memory behind a pointer, as glibc's setxid functions
// pass it in a struct of their frame. It reports whether the callers of h.fn say what it is.
func (r *resolver) behindPointer(h *hop, v *flow.Value) bool {
	callers := false
	for _, d := range v.Derefs {
		switch {
		case !r.p.trusted(h.fn):
			r.fail(h, "the number lies behind a pointer")
		case !r.keeps(h, d):
			r.fail(h, "the number lies behind a pointer, where it may be written")
		case d.Cell == 0:
			callers = true
		default:
			r.stored(h, v, d)
		}
	}
	return callers
}

// trusted reports whether numbers of function n may be followed behind pointers: in the libc, whose
// sources show that they can, and where that is inside of the program. There other code may look the
// same, so that results have to count as pointers, or else the name must tell.
func (p *program) trusted(n node) bool {
	m := p.owner(n)
	return p.ofLibc(n) || m.index == 0 && p.interp() == nil && p.resultsTell()
}

// framePassers are functions of glibc that pass structs in their frames: with numbers of syscalls, and
// with the flags of clone.
var framePassers = []string{"__nptl_setxid", "__nptl_setxid_sighandler", "create_thread", "__clone_internal", "__spawnix", "__spawni"}

// ofLibc reports whether function n is one of the libc, by its module or, in a static program, by its
// name.
func (p *program) ofLibc(n node) bool {
	m := p.owner(n)
	if m.index != 0 || p.interp() != nil {
		return p.isLibc(m)
	}
	if p.passers == nil {
		p.passers = map[uint64]bool{}
		for _, syms := range [][]module.Symbol{m.Symbols, m.Locals} {
			for i := range syms {
				if slices.Contains(framePassers, strings.TrimPrefix(syms[i].Name, "__GI_")) {
					p.passers[m.base+syms[i].Addr] = true
				}
			}
		}
	}
	return p.passers[p.start(n)]
}

// resultsTell reports whether the register of results is not one of the parameters.
func (p *program) resultsTell() bool {
	return !slices.Contains(p.conv.Params[:len(p.conv.Params)-1], p.conv.Result)
}

// firstPage is the memory at address 0, in bytes, that no process can map
// (/proc/sys/vm/mmap_min_addr).
const firstPage = 4096

// stored follows memory behind a pointer that a variable holds, to those who store to the variable.
func (r *resolver) stored(h *hop, v *flow.Value, d flow.Deref) {
	users, ok := r.p.users(d.Cell)
	if !ok {
		r.fail(h, fmt.Sprintf("the number lies behind the pointer in the variable at %#x, whose address is passed on", d.Cell))
		return
	}
	n := 0
	for _, fn := range users {
		sum := r.p.summary(fn)
		for i := range sum.Stores {
			st := &sum.Stores[i]
			switch {
			case !st.Covers(d.Cell, 8):
			case st.Cell == d.Cell && st.Size == 8:
				n++
				x := r.p.vs.Content(r.p, st.ID, d.Off, 8, nil)
				r.push(&hop{fn: fn, at: st.At, next: h, nr: r.p.vs.Adapt(v, x), depth: h.depth + 1, compat: h.compat})
			default:
				r.fail(h, fmt.Sprintf("the variable at %#x, behind which the number lies, is written in part", d.Cell))
			}
		}
	}
	if m := r.p.owner(h.fn); n > 0 && !r.p.isLibc(m) {
		r.fail(h, fmt.Sprintf("the number lies behind the pointer in the variable at %#x", d.Cell))
	}
	if n > 0 {
		return
	}
	// A null pointer that nothing changes is read by no process that lives on: glibc's handler of the
	// signal for setxid, which pthread_create installs, in a program that calls no setxid function.
	if initial, ok := r.p.Word(d.Cell); ok && initial == 0 && d.Off >= 0 && d.Off < firstPage {
		r.dead[h.origin().at] = true
		return
	}
	r.fail(h, fmt.Sprintf("nothing was found that stores to the variable at %#x, behind which the number lies", d.Cell))
}

func (r *resolver) keeps(h *hop, d flow.Deref) bool {
	k := r.p.keeper(h.fn)
	ok := k.Keeps(r.p.summary(h.fn), d)
	for _, arg := range k.Provided {
		r.provisos[proviso{h.origin().at, arg}] = true
	}
	return ok
}

// keeper answers for memory that function n has a pointer to. Outside of the libc it is strict.
func (p *program) keeper(n node) *flow.Keeper {
	return &flow.Keeper{
		Values: p.vs, Convention: p.conv, Strict: !p.ofLibc(n) && p.resultsTell(), Work: &p.keepWork,
		Summary: func(start uint64) (*flow.Summary, bool) {
			n := p.function(start)
			if n == none || p.start(n) != start || !p.tree.reached(n) {
				return nil, false
			}
			return p.summary(p.behind(n)), true
		},
		Users: func(cell uint64) ([]*flow.Summary, bool) {
			fns, ok := p.users(cell)
			var out []*flow.Summary
			for _, n := range fns {
				out = append(out, p.summary(n))
			}
			return out, ok
		},
		Writes: p.kernelWrites,
	}
}

// keepsAliases reports whether the memory that h's number lies in stays: nobody but who is called by c,
// in the function with summary sum, knows its address, and it stays through whichever other parameter
// c passes that as well.
func (r *resolver) keepsAliases(h *hop, sum *flow.Summary, c *flow.Call) bool {
	for _, d := range r.p.vs.Get(h.nr).Derefs {
		if at, ok := r.p.vs.InFrame(r.p.conv, d, c); ok && !r.p.keeper(h.fn).Private(sum, c, at) {
			return false
		}
		for _, a := range r.p.vs.Aliases(r.p.conv, d, c, !r.p.ofLibc(h.fn)) {
			if !r.keeps(h, a) {
				return false
			}
		}
	}
	return true
}

// onlyRead are arguments of syscalls that point to what the kernel reads only, and that matter. It writes
// behind pointers in struct clone_args, once the new task exists (kernel/fork.c kernel_clone); whoever
// puts there the address of the struct itself has stored it, see Keeper.Private.
var onlyRead = map[string]int{"clone3": 0}

// kernelWrites reports whether the kernel may write behind an argument of a syscall.
func (p *program) kernelWrites(nr uint64, arg int) bool {
	name, _ := p.arch.NameOf(int32(nr))
	if i, ok := onlyRead[name]; ok && i == arg {
		return false
	}
	params, ok := p.arch.Params(name)
	return !ok || arg < len(params) && params[arg].Kind == syscalls.Pointer
}

// checkProvisos takes back what was found on conditions that turned out not to hold.
func (r *resolver) checkProvisos() {
	for _, f := range r.claims {
		o := f.hop.origin()
		for arg := range o.args {
			if r.provisos[proviso{o.at, arg}] && r.p.kernelWrites(f.nr, arg) {
				r.fail(o, "the number lies behind a pointer, where the kernel may write")
			}
		}
	}
}

// users returns the reached functions that read or write the variable at a fixed address; false if
// its address is formed or stands in data, so that there may be others. How far a variable reaches
// whose address is formed nearby is not known in a stripped file, so that all up to the next one
// counts to it, but for the libc, whose sources tell: there the variable is one of its own.
func (p *program) users(cell uint64) ([]node, bool) {
	m, a := p.at(cell)
	if m == nil {
		return nil, false
	}
	i := m.obj(a)
	if i < 0 || !p.scan(len(m.facts.Refs)) || m.objs[i] == a && p.tree.reached(m.obj0+node(i)) || p.tree.reached(m.obj0+node(i)) && !p.isLibc(m) {
		return nil, false
	}
	var out []node
	for i := range m.facts.Funcs {
		f, n := &m.facts.Funcs[i], m.fn0+node(i)
		if !p.tree.reached(n) {
			continue
		}
		for _, r := range m.facts.Refs[f.First : f.First+f.N] {
			if (r.Kind == code.Load || r.Kind == code.Store) && r.Target < a+8 && a < r.Target+max(uint64(r.Size), 1) {
				out = append(out, n)
				break
			}
		}
	}
	return out, true
}

// isLibc reports whether m is the C library, which starts programs.
func (p *program) isLibc(m *mapped) bool {
	for _, n := range p.entriesOf("__libc_start_main") {
		if p.owner(n) == m {
			return m.index != 0
		}
	}
	return false
}
