package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Format is a way to write a program down.
type Format string

// The formats.
const (
	Raw Format = "raw" // an array of struct sock_filter, as the kernel takes it
	Hex Format = "hex" // the same bytes as hexadecimal digits, an instruction a line
	C   Format = "c"   // source: an array of struct sock_filter; see ParseProgram for what is read
	Go  Format = "go"  // source: a slice of syscall.SockFilter; written only
	Asm Format = "asm" // the notation of Disassemble
)

// Formats returns the names of all formats.
func Formats() []string {
	return []string{string(Raw), string(Hex), string(C), string(Go), string(Asm)}
}

// Format writes the program down. The byte order is that of the bytes in Raw and Hex, and in the
// others that of the names of words in the text and its comments; nil is the program's own, see
// Program.ByteOrder. The name is that of the variable in C and Go, "filter" where it is empty; in Go
// it may carry a package, "profiles.web", which is main otherwise.
func (p Program) Format(f Format, order binary.ByteOrder, name string) ([]byte, error) {
	if order == nil {
		order = p.ByteOrder()
	}
	if name == "" {
		name = "filter"
	}
	switch f {
	case Raw:
		return p.Encode(order), nil
	case Hex:
		return p.hex(order), nil
	case C:
		return p.cSource(order, name)
	case Go:
		return p.goSource(order, name)
	case Asm:
		return []byte(Disassemble(p, &Naming{Order: order})), nil
	}
	return nil, fmt.Errorf("filter: format %q is none of %s", f, strings.Join(Formats(), ", "))
}

// ParseProgram reads a program in any format but Go, which it tells by the content:
//
//   - Raw, if there is a NUL byte, which every program that loads has and no text, or if it is no
//     UTF-8. The byte order is the one in which more codes are codes that seccomp knows;
//     little-endian if that is a tie, which no program that loads is, as its last instruction, ret,
//     has a code in one order alone.
//   - C, if there is a brace or a BPF_STMT or BPF_JUMP: the initialiser of the first array of
//     struct sock_filter in the text or, where none is declared, the text as one. Elements are
//     {code, jt, jf, k}, also with designators, and the two macros; their values are expressions of
//     numbers, of the constants of linux/filter.h, linux/seccomp.h and linux/audit.h, of errno names
//     and of offsetof(struct seccomp_data, ...). The numbers of syscalls have no names there, as
//     __NR_read is one thing for each architecture; Asm has them.
//   - Hex, if there is nothing but hexadecimal digits, white space, commas, 0x and \x. The byte
//     order is told as in Raw.
//   - Asm otherwise, see Assemble.
//
// A byte order that is not nil is taken instead of the one that would be found; in Asm it is that
// of a text without .order. The format and byte order of what was read are returned with it; where
// neither the bytes nor the text say a byte order, it is Program.ByteOrder.
//
// The program is not judged, Verify does that. Mistakes in texts are *AsmError.
func ParseProgram(data []byte, order binary.ByteOrder) (p Program, found Format, foundOrder binary.ByteOrder, err error) {
	found = detect(data)
	switch found {
	case Raw:
		p, order, err = parseBytes(data, order)
	case Hex:
		var raw []byte
		if raw, err = parseHex(data); err == nil {
			p, order, err = parseBytes(raw, order)
		}
	case C:
		p, err = parseC(string(data))
	case Asm:
		var big, said bool
		p, big, said, err = assemble(string(data), IsBigEndian(order))
		if said || order != nil {
			order = orderOf(big)
		}
	}
	if err != nil {
		return nil, found, nil, err
	}
	if order == nil {
		order = p.ByteOrder()
	}
	return p, found, order, nil
}

func orderOf(big bool) binary.ByteOrder {
	if big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// detect tells the format of a program.
func detect(data []byte) Format {
	switch {
	case bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data):
		return Raw
	case bytes.IndexByte(data, '{') >= 0 || bytes.Contains(data, []byte("BPF_STMT")) || bytes.Contains(data, []byte("BPF_JUMP")):
		return C
	}
	for i, c := range data {
		if !isHexText(c) || c|0x20 == 'x' && (i == 0 || data[i-1] != '0' && data[i-1] != '\\') {
			return Asm
		}
	}
	return Hex
}

// parseBytes decodes an array of struct sock_filter and finds its byte order if that is nil.
func parseBytes(raw []byte, order binary.ByteOrder) (Program, binary.ByteOrder, error) {
	if order == nil {
		order = rawOrder(raw)
	}
	p, err := Decode(raw, order)
	return p, order, err
}

// rawOrder counts the codes that seccomp knows in each byte order.
func rawOrder(raw []byte) binary.ByteOrder {
	little, big := 0, 0
	for ; len(raw) >= InsnSize; raw = raw[InsnSize:] {
		if seccompAllows(binary.LittleEndian.Uint16(raw)) {
			little++
		}
		if seccompAllows(binary.BigEndian.Uint16(raw)) {
			big++
		}
	}
	return orderOf(big > little)
}
