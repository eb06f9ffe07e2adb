package code

import (
	"bytes"
	"reflect"
	"testing"
)

// someFacts has every kind of reference, and sizes with and without a code of their own.
func someFacts() *Facts {
	f := &Facts{Objects: []uint64{0, 0x5000, 0x5008, 1 << 40}, Offsets: []Offset{{0x5000, 0x1000}, {0x5000, 0x1040}, {0x5004, 0x1040}}}
	f.Funcs = []Func{
		{Start: 0, End: 4},
		{Start: 0x1000, End: 0x1040, First: 0, N: 6, Flags: HasSyscall | HasIndirect},
		{Start: 0x1040, End: 0x1041, First: 6, N: 4, Flags: Guessed | FallsOut},
		{Start: 1<<63 + 5, End: ^uint64(0), First: 10, Flags: Stub},
	}
	f.Refs = []Ref{
		{At: 0x1000, Target: 0x1040, Kind: Call},
		{At: 0x1005, Target: 0x800, Kind: Jump},
		{At: 0x1010, Target: ^uint64(0), Kind: Addr},
		{At: 0x1010, Target: 0x5000, Kind: Load, Size: 8},
		{At: 0x1018, Target: 0x5010, Kind: Store, Size: 12},
		{At: 0x103f, Kind: Syscall},
		{At: 0x1040, Kind: Compat},
		{At: 0x1040, Kind: Bad},
		{At: 0x1040, Target: 0x5008, Kind: Table},
		{At: 0x1040, Target: 0x5000, Kind: Around},
	}
	return f
}

func TestEncodeRoundTrip(t *testing.T) {
	for _, f := range []*Facts{someFacts(), {Funcs: []Func{}, Refs: []Ref{}, Objects: []uint64{}}} {
		got, err := Decode(Encode(f))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, f) {
			t.Errorf("got %+v, want %+v", got, f)
		}
	}
}

// TestDecodeDamaged cuts and changes an encoding at every byte: that gives an error or other facts,
// of which a second round gives the same.
func TestDecodeDamaged(t *testing.T) {
	b := Encode(someFacts())
	for i := range b {
		if _, err := Decode(b[:i]); err == nil {
			t.Errorf("the first %d of %d bytes decode", i, len(b))
		}
		for bit := range 8 {
			c := bytes.Clone(b)
			c[i] ^= 1 << bit
			checkDecode(t, c)
		}
	}
	if _, err := Decode(append(bytes.Clone(b), 0)); err == nil {
		t.Error("a byte too many decodes")
	}
	if _, err := Decode([]byte{encodingVersion + 1, 0, 0, 0}); err == nil {
		t.Error("another version decodes")
	}
}

// checkDecode checks that what decodes keeps the promises of Facts.
func checkDecode(t *testing.T, b []byte) {
	t.Helper()
	f, err := Decode(b)
	if err != nil {
		return
	}
	checkFacts(t, f)
	again, err := Decode(Encode(f))
	if err != nil || !reflect.DeepEqual(again, f) {
		t.Fatalf("% x: a second round gives %+v, %v, not %+v", b, again, err, f)
	}
}

// checkFacts checks order and bounds.
func checkFacts(t *testing.T, f *Facts) {
	t.Helper()
	end, first := uint64(0), uint32(0)
	for _, fn := range f.Funcs {
		if fn.Start < end || fn.End <= fn.Start || fn.First != first || int(fn.First+fn.N) > len(f.Refs) {
			t.Fatalf("function %#x to %#x, references %d and %d more, behind %#x and %d", fn.Start, fn.End, fn.First, fn.N, end, first)
		}
		at := fn.Start
		for _, r := range f.Refs[fn.First : fn.First+fn.N] {
			if r.At < at || r.At >= fn.End {
				t.Fatalf("function %#x to %#x: reference at %#x behind one at %#x", fn.Start, fn.End, r.At, at)
			}
			at = r.At
		}
		end, first = fn.End, fn.First+fn.N
	}
	if int(first) != len(f.Refs) {
		t.Fatalf("functions have %d of %d references", first, len(f.Refs))
	}
	for i := 1; i < len(f.Objects); i++ {
		if f.Objects[i] <= f.Objects[i-1] {
			t.Fatalf("object %#x behind %#x", f.Objects[i], f.Objects[i-1])
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(someFacts()))
	f.Add([]byte{encodingVersion, 0, 0, 0})
	f.Add([]byte{encodingVersion, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) { checkDecode(t, b) })
}
