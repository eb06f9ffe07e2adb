package simulate

import (
	"slices"

	"github.com/profcheck/profcheck/filter"
)

// A table says where the comparisons after a load of the number lead.
type table struct {
	from uint32
	to   [tableSize]uint16 // by number from from on: the first instruction that is no jump
}

const (
	tableSize = 1024 // numbers: more than any ABI has
	tableMin  = 6    // comparisons; fewer are not worth one
	maxTables = 16   // of a program; each costs 2 KiB and as many steps as its comparisons take
	maxSteps  = 1 << 20
)

// addTables gives tables to the loads of the number that are followed by enough comparisons, in the
// order of the program, as long as maxTables and maxSteps allow.
func (m *Machine) addTables(p filter.Program) {
	if len(p) >= 1<<16 {
		return // which a table could not say; the loader would refuse it, too
	}
	steps, reached := 0, make([]int, len(p))
	for pc, in := range p {
		if in.Code != filter.OpLdAbs || in.K != filter.OffsetNr || len(m.tables) == maxTables {
			continue
		}
		constants := comparisons(p, pc+1, reached)
		if steps += len(constants); steps > maxSteps {
			return
		}
		from, ok := window(constants)
		if !ok {
			continue
		}
		t := &table{from: from}
		for i := range t.to {
			to, n := follow(p, pc+1, t.from+uint32(i))
			if steps += n; steps > maxSteps {
				return
			}
			t.to[i] = uint16(to)
		}
		m.ops[pc].code, m.ops[pc].arg = opTable, uint8(len(m.tables))
		m.tables = append(m.tables, t)
	}
}

// isTest reports whether an instruction changes nothing but the place.
func isTest(code uint16) bool {
	switch code {
	case filter.OpJa, filter.OpJeqK, filter.OpJgtK, filter.OpJgeK, filter.OpJsetK:
		return true
	}
	return false
}

// comparisons returns the constants of the tests that can come right after one another from pc on.
// What it reaches it marks with start, which must be another one each time.
func comparisons(p filter.Program, start int, reached []int) []uint32 {
	var constants []uint32
	last := start
	reach := func(pc int) {
		if pc < len(p) {
			reached[pc], last = start, max(last, pc)
		}
	}
	reach(start)
	for pc := start; pc <= last && pc < len(p); pc++ {
		in := p[pc]
		switch {
		case reached[pc] != start || !isTest(in.Code):
		case in.Code == filter.OpJa:
			if in.K < uint32(len(p)) {
				reach(pc + 1 + int(in.K))
			}
		default:
			constants = append(constants, in.K)
			reach(pc + 1 + int(in.Jt))
			reach(pc + 1 + int(in.Jf))
		}
	}
	return constants
}

// window returns the start of the lowest tableSize numbers that hold enough of the constants: those of
// x32, which share their comparisons with x86_64, are high above its own.
func window(constants []uint32) (from uint32, ok bool) {
	slices.Sort(constants)
	for i := 0; i+tableMin <= len(constants); i++ {
		if constants[i+tableMin-1]-constants[i] >= tableSize {
			continue
		}
		if constants[i] < tableSize/2 {
			return 0, true // numbers that no rule names are below, too
		}
		return constants[i], true
	}
	return 0, false
}

// follow goes through the tests from pc on with the value a in A.
func follow(p filter.Program, pc int, a uint32) (to, steps int) {
	for pc < len(p) && isTest(p[pc].Code) {
		in := p[pc]
		pc++
		steps++
		switch {
		case in.Code == filter.OpJa && in.K >= uint32(len(p)):
			pc = len(p)
		case in.Code == filter.OpJa:
			pc += int(in.K)
		case compare(in.Code, a, in.K):
			pc += int(in.Jt)
		default:
			pc += int(in.Jf)
		}
	}
	return min(pc, len(p)), steps
}
