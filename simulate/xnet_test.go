package simulate

import (
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/simulate/internal/randbpf"
	"github.com/profcheck/profcheck/syscalls"
)

// The VM of golang.org/x/net/bpf was written by others and for packets: with the words swapped it is
// a witness where it is right.

var errUnknownToXNet = errors.New("an instruction that golang.org/x/net/bpf does not know")

// xnetVM makes the VM for a program.
func xnetVM(p filter.Program) (*bpf.VM, error) {
	raw := make([]bpf.RawInstruction, len(p))
	for i, in := range p {
		raw[i] = bpf.RawInstruction{Op: in.Code, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	insns, ok := bpf.Disassemble(raw)
	if !ok {
		return nil, errUnknownToXNet
	}
	return bpf.NewVM(insns)
}

// xnetInput lays the words out so that a big-endian load finds them.
func xnetInput(d *filter.Data, order binary.ByteOrder) []byte {
	var in []byte
	for _, w := range d.Words(order) {
		in = binary.BigEndian.AppendUint32(in, w)
	}
	return in
}

// xnetIsWrong says for an instruction that ran, with X before it, why the VM is no witness; "" if it
// is one.
func xnetIsWrong(in filter.Insn, x uint32) string {
	switch {
	case in.Code == filter.OpNeg:
		return "neg fails"
	case in.Code == filter.OpLdxLen:
		return "ldx len loads A"
	case (in.Code == filter.OpLshX || in.Code == filter.OpRshX) && x >= 32:
		return "shifts by X >= 32 give 0"
	}
	return ""
}

// TestRunXNet compares with the VM on random programs, where none of its known defects was met on
// the way; those must show, too.
func TestRunXNet(t *testing.T) {
	g, arch := randbpf.New(11), syscalls.ByName("x86_64")
	same, wrong := 0, make(map[string]int)
	for same < 50000 {
		p := g.Filter(randbpf.Shape{IP: true, Actions: true})
		vm, err := xnetVM(p)
		if err != nil {
			continue
		}
		for range 25 {
			d := g.Data(arch, p)
			d.IP = d.Args[5] ^ 0x5555
			for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
				r := Trace(p, &d, order)
				reason, x := "", uint32(0)
				for _, s := range r.Trace {
					if why := xnetIsWrong(p[s.PC], x); why != "" {
						reason = why
					}
					x = s.X
				}
				got, err := vm.Run(xnetInput(&d, order))
				agrees := err == nil && filter.Action(got) == r.Action
				switch {
				case reason != "" && !agrees:
					wrong[reason]++
				case reason == "" && !agrees:
					t.Fatalf("%v on %+v: %v, golang.org/x/net/bpf %#x, %v", p, d, r.Action, got, err)
				case reason == "":
					same++
				}
			}
		}
	}
	t.Logf("%d runs agree; where it is known to be wrong, it differs: %v", same, wrong)
	for _, reason := range []string{"ldx len loads A", "shifts by X >= 32 give 0"} {
		if wrong[reason] == 0 {
			t.Errorf("%s: not seen, the comparison does not see what it should", reason)
		}
	}
}

// TestRunXNetVectors compares on filters that libseccomp made.
func TestRunXNetVectors(t *testing.T) {
	rows := 0
	for _, s := range libseccompSuites(t) {
		vm, err := xnetVM(s.p)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		for _, v := range s.rows {
			got, err := vm.Run(xnetInput(&v.data, v.arch.Order()))
			if want := Run(s.p, &v.data, v.arch.Order()); err != nil || filter.Action(got) != want {
				t.Fatalf("%s %s: %v, golang.org/x/net/bpf %#x, %v", s.name, v.where, want, got, err)
			}
			rows++
		}
	}
	if rows != 7788 {
		t.Errorf("%d rows", rows)
	}
}
