package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"go/token"
	"strings"
)

// notes returns each instruction as Disassemble writes it.
func (p Program) notes(order binary.ByteOrder) []string {
	d := newDisassembler(p, order, &Naming{})
	list := make([]string, len(p))
	for pc := range p {
		text, comment := d.insn(pc)
		if comment != "" {
			text += " ; " + comment
		}
		list[pc] = text
	}
	return list
}

// cSource writes an array that compiles as it stands.
func (p Program) cSource(order binary.ByteOrder, name string) ([]byte, error) {
	if !isIdentifier(name) {
		return nil, fmt.Errorf("filter: %s is no name for a variable in C", quote(name))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "#include <linux/filter.h>\n\n/* %d instructions, %s */\n", len(p), orderName(order))
	fmt.Fprintf(&out, "static struct sock_filter %s[] = {\n", name)
	notes := p.notes(order)
	for pc, in := range p {
		fmt.Fprintf(&out, "\t{ %#04x, %3d, %3d, %#08x }, /* %4d: %s */\n", in.Code, in.Jt, in.Jf, in.K, pc, notes[pc])
	}
	out.WriteString("};\n")
	return out.Bytes(), nil
}

// goSource writes a file that compiles as it stands, for Linux.
func (p Program) goSource(order binary.ByteOrder, name string) ([]byte, error) {
	pkg, variable, ok := strings.Cut(name, ".")
	if !ok {
		pkg, variable = "main", name
	}
	if !token.IsIdentifier(pkg) || !token.IsIdentifier(variable) {
		return nil, fmt.Errorf("filter: %s is no name for a variable in Go", quote(name))
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "//go:build linux\n\npackage %s\n\nimport \"syscall\"\n\n", pkg)
	fmt.Fprintf(&out, "// %s is a seccomp filter: %d instructions, %s.\n", variable, len(p), orderName(order))
	fmt.Fprintf(&out, "var %s = []syscall.SockFilter{\n", variable)
	notes := p.notes(order)
	for pc, in := range p {
		fmt.Fprintf(&out, "\t// %d: %s\n", pc, notes[pc])
		fmt.Fprintf(&out, "\t{Code: %#04x, Jt: %d, Jf: %d, K: %#08x},\n", in.Code, in.Jt, in.Jf, in.K)
	}
	out.WriteString("}\n")
	return out.Bytes(), nil
}

func orderName(order binary.ByteOrder) string {
	if IsBigEndian(order) {
		return "big-endian"
	}
	return "little-endian"
}
