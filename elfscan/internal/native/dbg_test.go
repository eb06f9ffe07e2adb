package native

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/elfscan/internal/code"
	"github.com/profcheck/profcheck/elfscan/internal/loader"
)

// TestDbg prints what is known of the function or object at ADDR of the program DBG.
func TestDbg(t *testing.T) {
	prog := os.Getenv("DBG")
	if prog == "" {
		t.Skip("no DBG")
	}
	root, _ := loader.NewRoot("")
	c, err := root.Load(prog)
	if err != nil {
		t.Fatal(err)
	}
	p := link(c, facts, Options{})
	p.reach()
	a, err := strconv.ParseUint(os.Getenv("ADDR"), 16, 64)
	if lib, sym, ok := strings.Cut(os.Getenv("ADDR"), ":"); ok {
		for _, m := range p.mods {
			if !strings.Contains(m.Path, lib) {
				continue
			}
			if a, err = strconv.ParseUint(sym, 16, 64); err == nil {
				a += m.base
				break
			}
			for _, s := range m.Symbols {
				if s.Name == sym && s.Defined {
					a, err = m.base+s.Addr, nil
				}
			}
			break
		}
	}
	if err == nil {
		n := p.node(a)
		if n == none {
			t.Fatal("nothing there")
		}
		m := p.owner(n)
		if int(n) < p.funcs {
			_, f := p.fun(n)
			fmt.Printf("func %s %x-%x flags %b reached %v\n", m.Path, f.Start, f.End, f.Flags, p.tree.reached(n))
			for _, r := range m.facts.Refs[f.First : f.First+f.N] {
				if r.Kind != code.Load && r.Kind != code.Store {
					fmt.Printf("  %x kind %d -> %x size %d\n", r.At, r.Kind, r.Target, r.Size)
				}
			}
			for _, in := range p.in(n) {
				om := p.owner(in.from)
				if int(in.from) < p.funcs {
					fmt.Printf("  from %s %s kind %d\n", om.Path, nameOf(om.Loaded, p.start(in.from)-om.base), in.kind)
				} else {
					s, e := om.span(int(in.from - om.obj0))
					fmt.Printf("  from object %s %x-%x kind %d\n", om.Path, s, e, in.kind)
				}
			}
		} else {
			s, e := m.span(int(n - m.obj0))
			fmt.Printf("object %s %x-%x reached %v\n", m.Path, s, e, p.tree.reached(n))
			for _, e := range p.out(n) {
				fmt.Printf("  word %x -> %s\n", e.at, p.show(e.to))
			}
			for _, f := range p.tree.order {
				for _, e := range p.out(f) {
					if e.to == n {
						fmt.Printf("  from %s at %x kind %d\n", p.show(f), e.at, e.kind)
					}
				}
			}
		}
		nodes, by := p.tree.steps(n)
		for i := range nodes {
			fmt.Printf("   path %s by %d at %x\n", p.show(nodes[i]), by[i].kind, by[i].at)
		}
	}
}

func (p *program) show(n node) string {
	m := p.owner(n)
	if int(n) < p.funcs {
		return fmt.Sprintf("%s:%s", m.Path, nameOf(m.Loaded, p.start(n)-m.base))
	}
	s, e := m.span(int(n - m.obj0))
	return fmt.Sprintf("%s:obj %x-%x", m.Path, s, e)
}

func TestNear(t *testing.T) {
	a, err := strconv.ParseUint(os.Getenv("NEAR"), 16, 64)
	if err != nil {
		t.Skip("no NEAR")
	}
	root, _ := loader.NewRoot("")
	c, _ := root.Load(os.Getenv("DBG"))
	f := code.Extract(c.Modules[0].Module)
	for i, fn := range f.Funcs {
		if fn.End+64 > a && fn.Start < a+64 {
			fmt.Printf("%d %x-%x %b\n", i, fn.Start, fn.End, fn.Flags)
		}
	}
	for _, fr := range c.Modules[0].Frames {
		if fr.End+64 > a && fr.Start < a+64 {
			fmt.Printf("frame %x-%x\n", fr.Start, fr.End)
		}
	}
}

// TestValue prints the calls of the function at ADDR of the program DBG.
func TestValue(t *testing.T) {
	at := os.Getenv("VALUE")
	if at == "" {
		t.Skip("no VALUE")
	}
	root, _ := loader.NewRoot("")
	c, _ := root.Load(os.Getenv("DBG"))
	p := link(c, facts, Options{})
	p.reach()
	lib, sym, _ := strings.Cut(at, ":")
	for _, m := range p.mods {
		if !strings.Contains(m.Path, lib) {
			continue
		}
		a, _ := strconv.ParseUint(sym, 16, 64)
		n := p.function(m.base + a)
		s := p.summary(n)
		fmt.Printf("entries %x vague %v\n", p.entries[n], s.Vague)
		for _, c := range s.Calls {
			fmt.Printf("%x kind %d target %x nr %+v\n  a0 %+v\n  rbx %+v\n", c.At, c.Kind, c.Target, *p.vs.Get(c.Regs[p.m.Number]), *p.vs.Get(c.Regs[p.conv.Params[0]]), *p.vs.Get(c.Regs[3]))
		}
	}
}
