package profile

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/profcheck/profcheck/filter"
)

// compiled is a filter that allows everything on one architecture and kills the rest.
func compiled(token uint32) filter.Program {
	return filter.Program{
		filter.Load(filter.OffsetArch), filter.Jump(filter.OpJeqK, token, 0, 1),
		filter.Return(filter.Allow), filter.Return(filter.KillThread),
	}
}

// What is enforced of a compiled filter is the filter, on every target of its byte order.
func TestRawIsItself(t *testing.T) {
	x86, s390x := arch(t, "x86_64"), arch(t, "s390x")
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		right, wrong := x86, s390x
		if order == binary.BigEndian {
			right, wrong = s390x, x86
		}
		program := compiled(right.Audit)
		p, err := Parse("f.bpf", program.Encode(order))
		if err != nil {
			t.Fatal(err)
		}
		if p.Format != Raw || p.BigEndian != right.BigEndian || !slices.Equal(p.Program, program) || p.Disabled() || p.HomeArch() != right {
			t.Errorf("%s: read as %+v", right, p)
		}
		if target := p.DefaultTarget(right); target.Runtime != RuntimeKernel || len(target.Caps) != 0 {
			t.Errorf("default target %s", target)
		}
		r, err := p.Resolve(p.DefaultTarget(right))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Compile(); err != nil || !slices.Equal(got, program) || r.Arches[0] != right {
			t.Errorf("%s: compiled to %v for %v (%v)", right, got, r.Arches, err)
		}
		var load *LoadError
		if _, err := p.Resolve(p.DefaultTarget(wrong)); !errors.As(err, &load) || load.Kind != MixedByteOrder {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// A filter that no kernel loads is no filter, and one whose rules are not known is not written as rules.
func TestRawRefused(t *testing.T) {
	bad := compiled(arch(t, "x86_64").Audit)[:3] // its last instruction can be jumped over
	p := OfProgram("f.bpf", bad, binary.LittleEndian)
	var load *LoadError
	if _, err := p.Resolve(p.DefaultTarget(p.HomeArch())); !errors.As(err, &load) || load.Kind != FilterRefused {
		t.Error(err)
	}
	if _, err := p.Write(Docker, p.DefaultTarget(p.HomeArch())); err == nil {
		t.Error("a compiled filter was written as rules")
	}
	if _, err := ParseAs("f.bpf", make([]byte, maxCompiled+filter.InsnSize), Raw); err == nil {
		t.Error("a filter of any length is read")
	}
}

// Text is no compiled filter, whatever is in it.
func TestRawIsToldFromText(t *testing.T) {
	for _, text := range []string{`{"defaultAction": "SCMP_ACT_ALLOW"}`, "apiVersion: v1\x00\x00\x00", "[Service]\n", "\x00\x00\x00\x00\x00\x00\x00", "\x7fELF\x02\x01\x01\x00"} {
		if isRaw([]byte(text)) {
			t.Errorf("%q is taken for a compiled filter", text)
		}
	}
}
