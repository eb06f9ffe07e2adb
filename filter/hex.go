package filter

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// hex writes the bytes of one instruction a line.
func (p Program) hex(order binary.ByteOrder) []byte {
	var out bytes.Buffer
	raw := p.Encode(order)
	for ; len(raw) > 0; raw = raw[InsnSize:] {
		out.WriteString(hex.EncodeToString(raw[:InsnSize]))
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// isHexText reports whether a byte may stand in hexadecimal text.
func isHexText(c byte) bool {
	return hexDigit(c) >= 0 || strings.IndexByte(blanks+"\n,xX\\", c) >= 0
}

// hexDigit returns the value of a hexadecimal digit, -1 for anything else.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// parseHex reads groups of hexadecimal digits: an even number of them, or 0x and one digit, which
// is how languages print a byte.
func parseHex(data []byte) ([]byte, error) {
	var out []byte
	line, start := 1, 0 // start is where the line begins
	for i := 0; i < len(data); {
		c := data[i]
		if c == '\n' {
			line, start = line+1, i+1
		}
		if c == '\n' || c == ',' || strings.IndexByte(blanks, c) >= 0 {
			i++
			continue
		}
		fail := func(reason string) error { return &AsmError{line, i - start + 1, reason} }
		prefix := 0
		if len(data)-i >= 2 && data[i+1]|0x20 == 'x' && (c == '0' || c == '\\') {
			prefix = 2
		}
		end := i + prefix
		for end < len(data) && hexDigit(data[end]) >= 0 {
			if data[end] == '0' && end+1 < len(data) && data[end+1]|0x20 == 'x' {
				break // the next group begins without a separator
			}
			end++
		}
		digits := data[i+prefix : end]
		switch {
		case len(digits) == 0:
			return nil, fail(fmt.Sprintf("%q is no hexadecimal digit", data[min(i+prefix, len(data)-1)]))
		case len(digits) == 1 && prefix > 0:
			out = append(out, byte(hexDigit(digits[0])))
		case len(digits)%2 != 0:
			return nil, fail(fmt.Sprintf("%d hexadecimal digits are no whole bytes", len(digits)))
		default:
			for j := 0; j < len(digits); j += 2 {
				out = append(out, byte(hexDigit(digits[j])<<4|hexDigit(digits[j+1])))
			}
		}
		if len(out) > MaxDecode*InsnSize {
			return nil, fail(fmt.Sprintf("more than %d instructions", MaxDecode))
		}
		i = end
	}
	return out, nil
}
