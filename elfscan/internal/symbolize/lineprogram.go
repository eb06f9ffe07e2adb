package symbolize

// The opcodes of line programs: DWARF 5, 6.2.5.
const (
	lnsExtended       = 0
	lnsCopy           = 1
	lnsAdvancePC      = 2
	lnsAdvanceLine    = 3
	lnsSetFile        = 4
	lnsConstAddPC     = 8
	lnsFixedAdvancePC = 9
	lneEndSequence    = 1
	lneSetAddress     = 2
	longestFileOrLine = 1<<32 - 1
)

// lineState is the machine that runs a line program.
type lineState struct {
	addr  uint64
	file  uint64
	line  int64
	first int // row that begins the sequence
}

// runLines runs a line program and keeps the sequences that describe code.
func (d *dwarf) runLines(t *lineTable, h *lineHeader) {
	start := lineState{file: 1, line: 1}
	s, c := start, &h.program
	emit := func() {
		row := lineRow{s.addr, uint32(min(s.file, longestFileOrLine)), uint32(max(0, min(s.line, longestFileOrLine)))}
		if n := len(t.rows); n > s.first && t.rows[n-1].addr == row.addr {
			t.rows[n-1] = row // the last one for an address counts
			return
		}
		t.rows = append(t.rows, row)
	}
	for c.at < len(c.data) && !c.bad && d.spend(1) && len(t.rows) < maxRows {
		switch op := c.u8(); {
		case op >= h.opcodeBase:
			adjusted := uint64(op - h.opcodeBase)
			s.addr += adjusted / h.lineRange * h.minLength
			s.line += h.lineBase + int64(adjusted%h.lineRange)
			emit()
		case op == lnsExtended:
			arg := cursor{data: c.take(c.uleb())}
			switch arg.u8() {
			case lneSetAddress:
				s.addr = arg.uint(uint64(min(len(arg.data)-arg.at, 8)))
			case lneEndSequence:
				t.endSequence(&s, d.inCode)
				start.first = len(t.rows)
				s = start
			}
		case op == lnsCopy:
			emit()
		case op == lnsAdvancePC:
			s.addr += c.uleb() * h.minLength
		case op == lnsAdvanceLine:
			s.line += c.sleb()
		case op == lnsSetFile:
			s.file = c.uleb()
		case op == lnsConstAddPC:
			s.addr += uint64(255-h.opcodeBase) / h.lineRange * h.minLength
		case op == lnsFixedAdvancePC:
			s.addr += c.uint(2)
		default: // columns, marks and what is unknown: as many operands as the header says
			for range h.lengths[op-1] {
				c.uleb()
			}
		}
	}
	t.rows = t.rows[:min(len(t.rows), s.first)] // a sequence without end has no last row
}

// endSequence closes the rows since the last sequence. Those of functions that the linker dropped,
// or that go back, are left out.
func (t *lineTable) endSequence(s *lineState, inCode func(uint64) bool) {
	rows := t.rows[s.first:]
	ascending := len(rows) > 0 && rows[len(rows)-1].addr <= s.addr
	for i := 1; i < len(rows); i++ {
		ascending = ascending && rows[i-1].addr < rows[i].addr
	}
	if !ascending || !inCode(rows[0].addr) {
		t.rows = t.rows[:s.first]
		return
	}
	t.sequences = append(t.sequences, sequence{rows[0].addr, s.addr, s.first, len(t.rows)})
}
