package cli

import (
	"encoding/binary"
	"fmt"

	"github.com/profcheck/profcheck/filter"
	"github.com/profcheck/profcheck/profile"
	"github.com/profcheck/profcheck/report"
	"github.com/profcheck/profcheck/syscalls"
)

// sizeDoc says how large a filter is. For one that the kernel would refuse the numbers mean nothing.
func sizeDoc(p filter.Program, order binary.ByteOrder) report.Size {
	size := p.Size()
	doc := report.Size{
		Order: orderWord(order), Arches: []string{}, Instructions: size.Insns,
		KernelLength: size.KernelLen, LongestPath: size.LongestPath, Copies: size.Copies,
	}
	for _, a := range profile.TestedArches(p, order) {
		doc.Arches = append(doc.Arches, a.Name)
	}
	return doc
}

func sizeText(s report.Size) string {
	return fmt.Sprintf("%s, %d in the kernel; a call runs at most %d", counted(s.Instructions, "instruction"), s.KernelLength, s.LongestPath)
}

// sizes describes the filters that a view has for architectures: each layer once for each byte order
// and host.
func (v *view) sizes(arches []*syscalls.Arch) ([]report.Size, error) {
	var out []report.Size
	seen := make(map[*filter.Insn]bool)
	for _, abi := range arches {
		stack, err := v.stack(abi)
		if err != nil {
			return nil, err
		}
		for i, p := range stack {
			if seen[&p[0]] {
				continue
			}
			seen[&p[0]] = true
			doc := sizeDoc(p, abi.Order())
			if len(v.layers) > 1 {
				doc.Filter = v.layers[i].name
			}
			out = append(out, doc)
		}
	}
	return out, nil
}
