package report

import (
	"fmt"
	"strconv"
	"strings"
)

// Hex is a 64-bit value that JSON carries as a string of hex digits: "0x28".
type Hex uint64

// String returns 0x and the digits in lower case without leading zeros.
func (h Hex) String() string { return "0x" + strconv.FormatUint(uint64(h), 16) }

// MarshalText is the encoding in JSON.
func (h Hex) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText takes 0x and 1 to 16 hex digits of either case.
func (h *Hex) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	v, err := strconv.ParseUint(digits, 16, 64)
	if !ok || err != nil || strings.ContainsAny(digits, "_+-") {
		return fmt.Errorf("%q is not a 64-bit hex value such as 0x28", b)
	}
	*h = Hex(v)
	return nil
}
