package symbolize

import (
	"cmp"
	"debug/elf"
	"slices"
	"sort"
	"strings"

	"github.com/profcheck/profcheck/elfscan/internal/module"
)

// symbol is the name that was chosen for a stretch of code.
type symbol struct {
	addr, end uint64
	name      string // as in the file
	label     bool   // has no size: end is where it ends at the latest
}

// candidate is one of the symbols at an address.
type candidate struct {
	addr, size uint64
	name       string
	function   bool // typed as one; labels in assembly are not
	local      bool
}

const sttGNUIFunc = elf.SymType(10)

// candidates returns those of some symbols that can name code.
func candidates(m *module.Module, symbols []module.Symbol) []candidate {
	var found []candidate
	for _, s := range symbols {
		function := s.Type == elf.STT_FUNC || s.Type == sttGNUIFunc
		if !s.Defined || s.Absolute || s.Name == "" || !function && s.Type != elf.STT_NOTYPE || !executable(m, s.Addr) {
			continue
		}
		if !function && (s.Name[0] == '$' || strings.HasPrefix(s.Name, ".L")) {
			continue // arm64's marks of code and data; local labels
		}
		found = append(found, candidate{s.Addr, s.Size, s.Name, function, s.Bind == elf.STB_LOCAL})
	}
	return found
}

// executable reports whether an address is in a segment of code.
func executable(m *module.Module, addr uint64) bool {
	i := sort.Search(len(m.Segments), func(i int) bool { return m.Segments[i].Addr > addr }) - 1
	return i >= 0 && m.Segments[i].Exec && addr-m.Segments[i].Addr < m.Segments[i].Size
}

// nameTable returns one symbol for each address that has any, ascending.
func nameTable(m *module.Module, found []candidate) []symbol {
	slices.SortFunc(found, func(a, b candidate) int {
		if a.addr != b.addr {
			return cmp.Compare(a.addr, b.addr)
		}
		return better(a, b)
	})
	table := make([]symbol, 0, len(found))
	var covered uint64 // end of the sized functions so far
	for i := 0; i < len(found); {
		best, size := found[i], uint64(0)
		for ; i < len(found) && found[i].addr == best.addr; i++ {
			size = max(size, found[i].size)
		}
		if size == 0 && best.addr < covered {
			continue // a label inside of a function
		}
		end := best.addr + size
		if end < best.addr {
			end = ^uint64(0)
		}
		covered = max(covered, end)
		table = append(table, symbol{best.addr, end, best.name, size == 0})
	}
	for i := range table {
		if !table[i].label {
			continue
		}
		table[i].end = labelEnd(m, table[i].addr)
		if i+1 < len(table) {
			table[i].end = min(table[i].end, table[i+1].addr)
		}
	}
	return table
}

// better orders symbols at one address, the one that says most to a reader first: functions before
// labels, exported names before local ones, write before __write before __GI___write.
func better(a, b candidate) int {
	return cmp.Or( // seldom more than a few at one address
		order(!a.function, !b.function),
		order(a.local, b.local),
		order(strings.HasPrefix(a.name, "__GI_"), strings.HasPrefix(b.name, "__GI_")),
		cmp.Compare(underscores(a.name), underscores(b.name)),
		cmp.Compare(len(a.name), len(b.name)),
		cmp.Compare(a.name, b.name),
	)
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func underscores(name string) int {
	if mangled(name) {
		return 0
	}
	return len(name) - len(strings.TrimLeft(name, "_"))
}

// labelEnd returns where code at a symbol without size ends at the latest: with its frame
// description, its section, or its segment.
func labelEnd(m *module.Module, addr uint64) uint64 {
	end := addr
	for _, s := range m.Segments {
		if s.Addr <= addr && addr-s.Addr < s.Size {
			end = s.Addr + s.Size
		}
	}
	for _, s := range m.Sections {
		if s.Addr <= addr && addr-s.Addr < s.Size && s.Flags&elf.SHF_EXECINSTR != 0 {
			end = min(end, s.Addr+s.Size)
		}
	}
	i := sort.Search(len(m.Frames), func(i int) bool { return m.Frames[i].Start > addr }) - 1
	if i >= 0 && addr < m.Frames[i].End {
		end = min(end, m.Frames[i].End)
	} else if i+1 < len(m.Frames) && m.Frames[i+1].Start > addr {
		end = min(end, m.Frames[i+1].Start)
	}
	return end
}

// find returns the symbol whose code holds an address.
func find(table []symbol, addr uint64) (symbol, bool) {
	i := sort.Search(len(table), func(i int) bool { return table[i].addr > addr }) - 1
	// Code of a function may hold another with a size of its own, behind whose end the first goes on.
	for n := 0; i >= 0 && n < 16; i, n = i-1, n+1 {
		if addr < table[i].end {
			return table[i], true
		}
	}
	return symbol{}, false
}
