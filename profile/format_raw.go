package profile

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/syscalls"
)

// A compiled filter is a profile, too: its rules are not known, but what it does is.

// maxCompiled bounds the bytes of a compiled filter: as many instructions as their count, 16 bits, can say.
const maxCompiled = filter.MaxDecode * filter.InsnSize

var _ = registerFormat(format{
	name: Raw, title: "the kernel: a compiled filter, an array of struct sock_filter",
	runtime: RuntimeKernel, rank: rankText,
	isText:   isRaw,
	readText: readRaw,
})

// isRaw recognises a compiled filter by its first instruction: one of its two bytes of code is a NUL, which
// texts do not have.
func isRaw(data []byte) bool {
	if len(data) < filter.InsnSize {
		return false
	}
	known := func(order binary.ByteOrder) bool {
		return slices.Contains(filter.Opcodes(), order.Uint16(data))
	}
	return known(binary.LittleEndian) || known(binary.BigEndian)
}

func readRaw(f *file) error {
	refuse := func(reason string) error { return f.errorf(Pos{f.name, 1, 1}, "%s", reason) }
	if len(f.data) > maxCompiled {
		return refuse(fmt.Sprintf("more than %d bytes, the most that a filter's length can say", maxCompiled))
	}
	// An instruction of NULs is one in both orders, and makes the format certain.
	_, _, order, _ := filter.ParseProgram(slices.Concat(f.data, make([]byte, filter.InsnSize)), nil)
	if order == nil {
		order = binary.LittleEndian
	}
	program, err := filter.Decode(f.data, order)
	if err != nil {
		return refuse(strings.TrimPrefix(err.Error(), "filter: "))
	}
	f.add(OfProgram(f.name, program, order), "")
	return nil
}

// OfProgram makes a profile of a compiled filter: its Architectures are those that it asks for. The name is
// used in messages and places only.
func OfProgram(name string, program filter.Program, order binary.ByteOrder) *Profile {
	at := Pos{File: name}
	p := &Profile{Name: name, Format: Raw, Pos: at, DefaultActionPos: at, Program: program, BigEndian: filter.IsBigEndian(order)}
	for _, a := range TestedArches(program, order) {
		if a.OCI != "" {
			p.Architectures = append(p.Architectures, Name{a.OCI, at})
		}
	}
	return p
}

// HomeArch is the ABI for which a profile is judged if neither it nor anybody else names one: x86_64,
// or s390x for a compiled filter in big-endian order.
func (p *Profile) HomeArch() *syscalls.Arch {
	if p.BigEndian {
		return syscalls.ByName("s390x")
	}
	return syscalls.ByName("x86_64")
}

// resolveRaw is Resolve for a compiled filter. Whoever loads it, it does the same.
func (p *Profile) resolveRaw(t Target) (*Resolved, error) {
	refuse := func(kind LoadKind, reason string) error {
		return &LoadError{Kind: kind, Pos: p.Pos, Runtime: "the kernel", Reason: reason}
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if p.BigEndian {
		order = binary.BigEndian
	}
	if t.ABI.BigEndian != p.BigEndian {
		return nil, refuse(MixedByteOrder, fmt.Sprintf("the filter is of the other byte order than %s", t.ABI))
	}
	if err := p.Program.Verify(); err != nil {
		return nil, refuse(FilterRefused, strings.TrimPrefix(err.Error(), "filter: "))
	}
	r := &Resolved{Target: t, Profile: p, Arches: TestedArches(p.Program, order)}
	if len(r.Arches) == 0 { // it asks for none, so it answers for all
		r.Arches = append(r.Arches, t.ABI)
	}
	return r, nil
}
