package filter

import (
	"encoding/binary"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestDecodeEncode(t *testing.T) {
	raw := []byte{0x20, 0, 1, 2, 4, 0, 0, 0, 0x06, 0, 0, 0, 0, 0, 0xff, 0x7f}
	p, err := Decode(raw, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	want := Program{{Code: OpLdAbs, Jt: 1, Jf: 2, K: 4}, Return(Allow)}
	if len(p) != 2 || p[0] != want[0] || p[1] != want[1] {
		t.Fatalf("got %v, want %v", p, want)
	}
	if got := p.Encode(binary.LittleEndian); string(got) != string(raw) {
		t.Errorf("encoded % x, want % x", got, raw)
	}
	big := p.Encode(binary.BigEndian)
	if want := []byte{0, 0x20, 1, 2, 0, 0, 0, 4}; string(big[:8]) != string(want) {
		t.Errorf("big-endian % x, want % x", big[:8], want)
	}
	// The twin: in the other byte order the same bytes are another program.
	if other, err := Decode(big, binary.LittleEndian); err != nil || other[0] == p[0] {
		t.Errorf("bytes of the other order decoded to %v, %v", other, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, size := range []int{0, 1, 7, 9, 8*(MaxDecode+1) - 1, 8 * (MaxDecode + 1)} {
		if p, err := Decode(make([]byte, size), binary.LittleEndian); err == nil {
			t.Errorf("%d bytes decoded to %d instructions", size, len(p))
		}
	}
	for _, size := range []int{8, 16, 8 * MaxDecode} {
		if _, err := Decode(make([]byte, size), binary.LittleEndian); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestWords(t *testing.T) {
	d := Data{Nr: -1, Arch: 0xc000003e, IP: 0x1111111122222222}
	for i := range d.Args {
		d.Args[i] = uint64(0x80+i)<<32 | uint64(i+1)
	}
	type byteOrder interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}
	for _, order := range []byteOrder{binary.LittleEndian, binary.BigEndian, binary.NativeEndian} {
		// The memory image is the witness: struct seccomp_data written field by field.
		image := order.AppendUint32(nil, uint32(d.Nr))
		image = order.AppendUint32(image, d.Arch)
		image = order.AppendUint64(image, d.IP)
		for _, a := range d.Args {
			image = order.AppendUint64(image, a)
		}
		if len(image) != DataSize {
			t.Fatalf("image of %d bytes", len(image))
		}
		words := d.Words(order)
		for i, got := range words {
			if want := order.Uint32(image[4*i:]); got != want {
				t.Errorf("%v: word %d is %#x, want %#x", order, i, got, want)
			}
		}
		for i, a := range d.Args {
			if words[ArgLow(i, order)/4] != uint32(a) || words[ArgHigh(i, order)/4] != uint32(a>>32) {
				t.Errorf("%v: halves of argument %d are elsewhere", order, i)
			}
		}
	}
	if d.Words(nil) != d.Words(binary.LittleEndian) || d.Words(nil) == d.Words(binary.BigEndian) {
		t.Error("no order is not little-endian")
	}
}

func TestActions(t *testing.T) {
	tests := []struct {
		a      Action
		name   string
		str    string
		errno  int
		effect Action
	}{
		{Allow, "ALLOW", "ALLOW", -1, Allow},
		{Allow | 7, "ALLOW", "ALLOW(7)", -1, Allow | 7},
		{Errno, "ERRNO", "ERRNO(0)", 0, Errno},
		{ErrnoAction(1), "ERRNO", "ERRNO(1)", 1, Errno | 1},
		{ErrnoAction(4096), "ERRNO", "ERRNO(4096)", 4095, Errno | 4095},
		{Trace, "TRACE", "TRACE(0)", -1, Trace},
		{Trap | 3, "TRAP", "TRAP(3)", -1, Trap | 3},
		{0, "KILL_THREAD", "KILL_THREAD", -1, KillThread},
		{KillProcess, "KILL_PROCESS", "KILL_PROCESS", -1, KillProcess},
		{UserNotif, "USER_NOTIF", "USER_NOTIF", -1, UserNotif},
		{Log, "LOG", "LOG", -1, Log},
		{0x00060005, "UNKNOWN", "UNKNOWN(0x00060005)", -1, KillProcess | 5},
	}
	for _, tt := range tests {
		if tt.a.Name() != tt.name || tt.a.String() != tt.str || tt.a.Errno() != tt.errno || tt.a.Effect() != tt.effect {
			t.Errorf("%#x: %s %s %d %v", uint32(tt.a), tt.a.Name(), tt.a, tt.a.Errno(), tt.a.Effect())
		}
		if back, err := ParseAction(tt.str); err != nil || back != tt.a {
			t.Errorf("ParseAction(%q) = %v, %v", tt.str, back, err)
		}
	}
	for word, want := range map[string]Action{"KILL": KillThread, "NOTIFY": UserNotif, "ERRNO(EPERM)": Errno | 1, "ERRNO": Errno, "TRACE(0x10)": Trace | 16} {
		if got, err := ParseAction(word); err != nil || got != want {
			t.Errorf("ParseAction(%q) = %v, %v", word, got, err)
		}
	}
	for _, word := range []string{"", "allow", "SCMP_ACT_ALLOW", "ERRNO(", "ERRNO()", "ERRNO(65536)", "ERRNO(-1)", "TRAP(EPERM)", "ALLOW)", "UNKNOWN(0x7fff0000)", "UNKNOWN"} {
		if got, err := ParseAction(word); err == nil {
			t.Errorf("ParseAction(%q) = %v", word, got)
		}
	}
}

// TestErrnoNames reads the constants of Go's own syscall package for Linux, which were generated
// from the kernel's headers.
func TestErrnoNames(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		path := filepath.Join(build.Default.GOROOT, "src/syscall/zerrors_linux_"+arch+".go")
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if os.IsNotExist(err) {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip("the Go tree has no sources: ", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			call, ok := spec.Values[0].(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			lit, isLit := call.Args[0].(*ast.BasicLit)
			if fun, ok := call.Fun.(*ast.Ident); !ok || fun.Name != "Errno" || !isLit {
				return true
			}
			number, err := strconv.ParseInt(lit.Value, 0, 32)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			name := spec.Names[0].Name
			if got, ok := ErrnoNumber(name); !ok || got != int(number) {
				t.Errorf("ErrnoNumber(%s) = %d, %v; Go says %d", name, got, ok, number)
			}
			if back, _ := ErrnoNumber(ErrnoName(int(number))); back != int(number) {
				t.Errorf("ErrnoName(%d) = %q", number, ErrnoName(int(number)))
			}
			return true
		})
		if seen < 131 {
			t.Errorf("%s: only %d constants found", path, seen)
		}
	}
	for _, n := range []int{-1, 0, 41, 58, 134, 512, 1 << 30} {
		if name := ErrnoName(n); name != "" {
			t.Errorf("ErrnoName(%d) = %s", n, name)
		}
	}
	for _, name := range []string{"", "EPERMX", "eperm"} {
		if n, ok := ErrnoNumber(name); ok {
			t.Errorf("ErrnoNumber(%q) = %d", name, n)
		}
	}
}

func TestOpcodes(t *testing.T) {
	all := Opcodes()
	if len(all) != 41 {
		t.Fatalf("%d opcodes, want 41", len(all))
	}
	var hex []string
	for _, c := range all {
		hex = append(hex, strconv.FormatUint(uint64(c), 16))
	}
	want := "0 1 2 3 4 5 6 7 c 14 15 16 1c 1d 20 24 25 2c 2d 34 35 3c 3d 44 45 4c 4d 54 5c 60 61 64 6c 74 7c 80 81 84 87 a4 ac"
	if got := strings.Join(hex, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A trace names the words by the offsets at which they lie.
func TestWordName(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for name, offset := range map[string]uint32{
			"nr": OffsetNr, "arch": OffsetArch, "arg0 low": ArgLow(0, order), "arg0 high": ArgHigh(0, order),
			"arg5 low": ArgLow(5, order), "arg5 high": ArgHigh(5, order),
		} {
			if got := WordName(int(offset/4), order); got != name {
				t.Errorf("%v: the word at %d is %q, want %q", order, offset, got, name)
			}
		}
	}
	d := Data{IP: 7}
	if words := d.Words(binary.BigEndian); words[3] != 7 || WordName(3, binary.BigEndian) != "ip low" {
		t.Errorf("the low half of ip: %v, %q", words, WordName(3, binary.BigEndian))
	}
}
