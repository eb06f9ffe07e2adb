package module

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestOpenProgram: what OpenProgram reads is what Open reads, in memory of its own.
func TestOpenProgram(t *testing.T) {
	for _, path := range samples(t) {
		data := read(t, path)
		m, err := OpenProgram(path, bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		whole := open(t, path)
		got, want := factsOf(m), factsOf(whole)
		got.BuildID, got.Symbols, got.Locals, got.Relocs, got.Frames = want.BuildID, want.Symbols, want.Locals, want.Relocs, want.Frames
		compareFacts(t, path, got, want)
		if !reflect.DeepEqual(m.Sections, whole.Sections) || m.Headers != whole.Headers || m.Rela != whole.Rela {
			t.Errorf("%s: other sections", path)
		}
		for i := range m.Segments {
			if !bytes.Equal(m.Segments[i].Data, whole.Segments[i].Data) {
				t.Errorf("%s: segment %d has other bytes", path, i)
			}
			clear(m.Segments[i].Data)
		}
		var objects []Span
		for _, s := range whole.Locals {
			if typeName(s.Type) == "OBJECT" && s.Size > 0 {
				objects = append(objects, Span{s.Addr, s.Size})
			}
		}
		slices.SortFunc(objects, func(a, b Span) int { return int(int64(a.Addr - b.Addr)) })
		if !slices.Equal(m.Objects(), objects) {
			t.Errorf("%s: objects %v, want %v", path, m.Objects(), objects)
		}
	}
}

// cutReader fails behind an offset.
type cutReader struct {
	io.ReaderAt
	limit int64
}

func (r cutReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > r.limit {
		return 0, errors.New("input/output error\nin two lines")
	}
	return r.ReaderAt.ReadAt(p, off)
}

// TestOpenProgramUnreadable: wherever reading fails or the file ends, there is an error, and the
// failure's own words are in it.
func TestOpenProgramUnreadable(t *testing.T) {
	data := read(t, "testdata/use.amd64")
	for limit := 0; limit < len(data); limit += 8 {
		_, err := OpenProgram("p", cutReader{bytes.NewReader(data), int64(limit)}, int64(len(data)))
		if err == nil || err.Error() != "p: input/output error" {
			t.Fatalf("%d bytes can be read: %v", limit, err)
		}
		_, err = OpenProgram("p", bytes.NewReader(data[:limit]), int64(limit))
		var format *FormatError
		if !errors.As(err, &format) || strings.Contains(format.Reason, "\n") {
			t.Fatalf("cut to %d bytes: %v", limit, err)
		}
	}
}
