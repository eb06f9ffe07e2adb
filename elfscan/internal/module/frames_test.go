package module

import (
	"debug/elf"
	"slices"
	"testing"
)

// TestFramesBehindTerminator: linkers can leave a terminator in the middle of .eh_frame. The frame
// header's table, which unwinders use, has the entries behind it too.
func TestFramesBehindTerminator(t *testing.T) {
	data := read(t, "testdata/lib-relr.amd64")
	whole := open(t, "testdata/lib-relr.amd64")
	at := whole.Section(".eh_frame").Addr
	at += 4 + uint64(le.Uint32(whole.Bytes(at, 4))) // behind the CIE
	first := whole.Bytes(at+8, 4)
	gone := at + 8 + uint64(int64(int32(le.Uint32(first))))
	le.PutUint32(data[at-whole.Segment(at).Addr+whole.Segment(at).Offset:], 0)
	for _, data := range [][]byte{data, withoutSections(data)} {
		m, err := Open("", data)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(whole.Frames), func(f Frame) bool { return f.Start == gone })
		if len(want) != len(whole.Frames)-1 || !slices.Equal(m.Frames, want) {
			t.Errorf("frames %x, want %x", m.Frames, want)
		}
	}
}

// appendCIE appends a CIE with an augmentation and its data.
func appendCIE(b []byte, augmentation string, data ...byte) []byte {
	body := append([]byte{0, 0, 0, 0, 1}, augmentation...)
	body = append(body, 0, 1, 0x78, 16, byte(len(data)))
	body = append(body, data...)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	return append(le.AppendUint32(b, uint32(len(body))), body...)
}

// TestFrameForms reads forms that neither assembler nor linker was brought to write. They follow
// the Linux Standard Base, chapter "Exception Frames".
func TestFrameForms(t *testing.T) {
	const base, got = 0x1000, 0x8000
	text := Segment{Addr: 0x8000, Size: 0x1000, Exec: true}
	put := func(b []byte, fields func(b []byte) []byte) []byte { // an FDE of the CIE at 0
		body := fields(le.AppendUint32(nil, uint32(len(b)+4)))
		return append(le.AppendUint32(b, uint32(len(body))), body...)
	}
	for _, c := range []struct {
		name string
		data []byte
		want []Frame
	}{
		{"data-relative", put(appendCIE(nil, "zR", encodeData|encodeSigned4), func(b []byte) []byte {
			return le.AppendUint32(le.AppendUint32(b, 0x10), 0x20)
		}), []Frame{{0x8010, 0x8030}}},
		{"two bytes", put(appendCIE(nil, "zR", encode2), func(b []byte) []byte {
			return le.AppendUint16(le.AppendUint16(b, 0x8040), 0x10)
		}), []Frame{{0x8040, 0x8050}}},
		{"variable length", put(appendCIE(nil, "zR", encodeULEB), func(b []byte) []byte {
			return append(b, 0x80, 0x81, 0x02, 0x08) // 0x8080, 8
		}), []Frame{{0x8080, 0x8088}}},
		{"long form", func() []byte {
			b := appendCIE(nil, "zR", encode4)
			cie := len(b) + 12
			b = le.AppendUint64(le.AppendUint32(b, 0xffffffff), 12)
			return le.AppendUint32(le.AppendUint32(le.AppendUint32(b, uint32(cie)), 0x8100), 0x10)
		}(), []Frame{{0x8100, 0x8110}}},
		{"long form that wraps", le.AppendUint64(le.AppendUint32(appendCIE(nil, "zR", encode4), 0xffffffff), ^uint64(0)), nil},
		{"text-relative", put(appendCIE(nil, "zR", encodeText|encode4), func(b []byte) []byte {
			return le.AppendUint32(le.AppendUint32(b, 0x10), 0x20)
		}), nil},
		{"wraps", put(appendCIE(nil, "zR", encodeSigned8), func(b []byte) []byte {
			return le.AppendUint64(le.AppendUint64(b, 0x8100), ^uint64(0)-0x80ff)
		}), nil},
		{"no CIE", put([]byte{8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, func(b []byte) []byte {
			return le.AppendUint32(le.AppendUint32(b, 0x10), 0x20)
		}), nil},
	} {
		m := &Module{Machine: elf.EM_X86_64, file: &file{}, Segments: []Segment{{Addr: base, Size: uint64(len(c.data)), Data: c.data}, text}}
		m.Sections = []Section{{Name: ".eh_frame", Addr: base, Size: uint64(len(c.data))}}
		r := &reader{Module: m, dyn: dynamic{got: got}}
		r.frames()
		if !slices.Equal(m.Frames, c.want) {
			t.Errorf("%s: %x, want %x", c.name, m.Frames, c.want)
		}
		if len(c.want) == 0 && len(m.Problems) == 0 {
			t.Errorf("%s: no problem", c.name)
		}
	}
}
