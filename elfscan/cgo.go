package elfscan

import (
	"io"
	"slices"
)

// around returns what runs in the process of a Go program besides Go code: the loader of a
// position-independent one, C libraries, C code that was linked in. It is nil if there is nothing,
// or nothing but a loader that cannot be found; see addLoader.
func (o Options) around(p *program, path string, r io.ReaderAt, size int64, at *place) (*process, error) {
	if p.im.interp == "" && len(p.im.needed) == 0 && !p.callsOutside() {
		return nil, nil
	}
	around, err := o.load(path, r, size, at)
	if err != nil {
		return nil, err
	}
	if around.interp() == nil {
		around.gaps = slices.DeleteFunc(around.gaps, func(g Gap) bool { return slices.Equal(g.Names, []string{p.im.interp}) })
		if len(around.Modules) == 1 && len(around.gaps) == 0 && !p.callsOutside() {
			return nil, nil
		}
	}
	return around, nil
}

// goText returns where the code of Go functions lies, ascending. Go's linker lists the C functions
// of packages with cgo in its table, too, if it links them itself, but knows no lines of them. Where
// it knows of none at all, the table was made by something else, and all is Go's.
func (p *program) goText() []span {
	var out []span
	for f := range p.tab.funcs {
		if p.tab.u32(f, funcPcln) == 0 && p.tab.u32(f, funcNpcdata) == 0 && p.tab.funcdata[p.tab.funcs[f].record+funcNfuncdat] == 0 {
			continue
		}
		fn := &p.tab.funcs[f]
		if n := len(out); n > 0 && out[n-1].addr+out[n-1].size == fn.entry {
			out[n-1].size = fn.end - out[n-1].addr
			continue
		}
		out = append(out, span{fn.entry, fn.end - fn.entry})
	}
	if len(out) == 0 {
		first, last := p.tab.span()
		out = append(out, span{first, last - first})
	}
	return out
}
