package native

import (
	"debug/elf"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/loader"
	"github.com/profcheck/profcheck/elfscan/internal/module"
)

var nameCache = map[*module.Module]map[uint64]string{}

func nameOf(l *loader.Loaded, addr uint64) string {
	ns := nameCache[l.Module]
	if ns == nil {
		ns = map[uint64]string{}
		for _, syms := range [][]module.Symbol{l.Symbols, l.Locals} {
			for _, s := range syms {
				if s.Defined && (s.Type == elf.STT_FUNC || s.Type == elf.STT_GNU_IFUNC) && (ns[s.Addr] == "" || strings.HasPrefix(ns[s.Addr], "_")) {
					ns[s.Addr] = s.Name
				}
			}
		}
		nameCache[l.Module] = ns
	}
	if n := ns[addr]; n != "" {
		return n
	}
	return fmt.Sprintf("%x", addr)
}

func pathString(mods []*loader.Loaded, p Path) string {
	var b strings.Builder
	last := -1
	for _, s := range p {
		if s.Module != last {
			fmt.Fprintf(&b, "[%s] ", filepath.Base(mods[s.Module].Path))
			last = s.Module
		}
		arrow := map[string]string{"call": ">", "reference": "&>", "interface": "T>", "": ""}[string(s.Edge)]
		fmt.Fprintf(&b, "%s %s ", nameOf(mods[s.Module], s.Start), arrow)
	}
	return b.String()
}
