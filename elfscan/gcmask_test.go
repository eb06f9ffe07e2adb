package elfscan

import (
	"encoding/binary"
	"testing"
)

// TestDataMask runs programs of the garbage collector: literal bits, repeats of both forms, an end
// before the data ends, and programs that lie.
func TestDataMask(t *testing.T) {
	tests := []struct {
		name    string
		program []byte
		words   uint64
		want    string
	}{
		{"literal", []byte{5, 0b10110, 0}, 5, "01101"},
		{"two bytes", []byte{10, 0xff, 0b01, 0}, 10, "1111111110"},
		{"repeat", []byte{2, 0b01, 0x82, 3, 0}, 8, "10101010"},
		{"repeat with a number", []byte{1, 1, 0x80, 1, 4, 0}, 5, "11111"},
		{"cut", []byte{1, 1, 0x81, 0xff, 0xff, 0x7f, 0}, 4, "1111"},
		{"short", []byte{3, 0b111, 0}, 9, "111"},
		{"repeats nothing", []byte{0x85, 2, 0}, 9, ""},
		{"too much", []byte{1, 1, 0}, maxMaskLen + 1, ""},
	}
	for _, tt := range tests {
		im := &image{order: binary.LittleEndian, segs: []segment{{addr: 4096, size: uint64(len(tt.program)), data: tt.program}}}
		tab := &pclntab{im: im}
		got := ""
		for _, b := range tab.dataMask(4096, tt.words*8) {
			got += string('0' + rune(b))
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestCountMask counts overlapping places, too.
func TestCountMask(t *testing.T) {
	if n := countMask([]byte{1, 0, 1, 0, 1, 1}, []byte{1, 0, 1}); n != 2 {
		t.Errorf("%d places, want 2", n)
	}
	if n := countMask([]byte{1, 0}, []byte{1, 0, 1}); n != 0 {
		t.Errorf("%d places, want none", n)
	}
}
