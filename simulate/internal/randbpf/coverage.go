package randbpf

import "github.com/profcheck/profcheck/filter"

// Coverage counts instructions by code. The K and the X form of an operation are different codes.
type Coverage map[uint16]int

// Add counts the instructions of a program.
func (c Coverage) Add(p filter.Program) {
	for _, in := range p {
		c[in.Code]++
	}
}

// Least returns the one of the 41 codes that was seen least, and how often.
func (c Coverage) Least() (code uint16, n int) {
	code, n = opcodes[0], c[opcodes[0]]
	for _, o := range opcodes {
		if c[o] < n {
			code, n = o, c[o]
		}
	}
	return code, n
}
