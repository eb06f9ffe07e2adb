package filter

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzDecode checks that what decodes encodes back to the same bytes, in both orders, and that the
// validator answers.
func FuzzDecode(f *testing.F) {
	for _, r := range refusals() {
		if len(r.p) < 10 {
			f.Add(r.p.Encode(binary.LittleEndian))
		}
	}
	for _, p := range acceptances() {
		if len(p) < 10 {
			f.Add(p.Encode(binary.BigEndian))
		}
	}
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			p, err := Decode(b, order)
			if (err == nil) != (len(b) > 0 && len(b)%InsnSize == 0 && len(b) <= MaxDecode*InsnSize) {
				t.Fatalf("%d bytes: %v", len(b), err)
			}
			if err != nil {
				continue
			}
			if back := p.Encode(order); !bytes.Equal(back, b) {
				t.Fatalf("% x came back as % x", b, back)
			}
			if err := p.Verify(); err == nil && len(p) > MaxInsns {
				t.Fatal("accepted a program that is too long")
			}
		}
	})
}
