package module

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"
)

// factsOf says the same about a module.
func factsOf(m *Module) *facts {
	f := &facts{
		Interp: m.Interp, Soname: m.Soname, BuildID: m.BuildID,
		Needed: m.Needed, Runpath: m.Runpath, Rpath: m.Rpath,
		Init: m.Init, Fini: m.Fini, PreinitArray: m.PreinitArray, InitArray: m.InitArray, FiniArray: m.FiniArray,
	}
	for _, flag := range []struct {
		name string
		bit  elf.DynFlag1
	}{{"INITFIRST", elf.DF_1_INITFIRST}, {"NODEFLIB", elf.DF_1_NODEFLIB}, {"NODELETE", elf.DF_1_NODELETE}, {"PIE", elf.DF_1_PIE}} {
		if elf.DynFlag1(m.Flags1)&flag.bit != 0 {
			f.Flags = append(f.Flags, flag.name)
		}
	}
	if m.BindNow {
		f.Flags = append(f.Flags, "now")
	}
	for _, s := range m.Segments {
		f.Loads = append(f.Loads, loadFact(s.Offset, s.Addr, uint64(len(s.Data)), s.Size, s.Write, s.Exec))
	}
	for _, s := range m.Relro {
		f.Relro = append(f.Relro, fmt.Sprintf("%#x+%#x", s.Addr, s.Size))
	}
	if m.TLS != (Span{}) {
		f.TLS = append(f.TLS, fmt.Sprintf("%#x+%#x", m.TLS.Addr, m.TLS.Size))
	}
	for i := range m.Symbols {
		f.Symbols = append(f.Symbols, symbolFact(i, &m.Symbols[i]))
	}
	for _, s := range m.Locals {
		f.Locals = append(f.Locals, fmt.Sprintf("%#x+%#x %s %s", s.Addr, s.Size, typeName(s.Type), s.Name))
	}
	for _, r := range m.Relocs {
		f.Relocs = append(f.Relocs, relocFact(r.Addr, r.Kind, uint64(r.Symbol), r.Addend))
	}
	slices.Sort(f.Relocs)
	for _, r := range m.Frames {
		f.Frames = append(f.Frames, fmt.Sprintf("%016x..%016x", r.Start, r.End))
	}
	return f
}

func typeName(t elf.SymType) string {
	if t == elf.STT_GNU_IFUNC {
		return "IFUNC"
	}
	return strings.TrimPrefix(t.String(), "STT_")
}

func symbolFact(i int, s *Symbol) string {
	state := "DEF"
	switch {
	case !s.Defined:
		state = "UND"
	case s.Absolute:
		state = "ABS"
	}
	kind := typeName(s.Type)
	bind := strings.TrimPrefix(s.Bind.String(), "STB_")
	if s.Bind == elf.STB_LOOS {
		bind = "UNIQUE"
	}
	name := s.Name
	if s.Version != "" && !(s.Absolute && s.Version == s.Name) { // readelf says a version's name once
		if s.Defined && !s.Hidden && s.Library == "" {
			name += "@"
		}
		name += "@" + s.Version
	}
	return fmt.Sprintf("%d: %#x+%#x %s %s %s %s %s", i, s.Addr, s.Size, kind, bind, strings.TrimPrefix(s.Visibility.String(), "STV_"), state, strings.TrimSpace(name+" "+s.Library))
}
