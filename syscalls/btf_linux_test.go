package syscalls

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

const btfFile = "/sys/kernel/btf/vmlinux"

// Kinds of BTF types (include/uapi/linux/btf.h).
const (
	btfInt       = 1
	btfPtr       = 2
	btfArray     = 3
	btfStruct    = 4
	btfUnion     = 5
	btfEnum      = 6
	btfTypedef   = 8
	btfVolatile  = 9
	btfConst     = 10
	btfRestrict  = 11
	btfFunc      = 12
	btfFuncProto = 13
	btfVar       = 14
	btfDatasec   = 15
	btfDeclTag   = 17
	btfTypeTag   = 18
	btfEnum64    = 19
)

// btfType is one record: size doubles as the number of the type it refers to.
type btfType struct {
	name   string
	kind   uint32
	size   uint32
	signed bool
	params []btfParam
}

type btfParam struct {
	name string
	typ  uint32
}

// readBTF reads the type records of a kernel, by number from 1 on.
func readBTF(data []byte) ([]btfType, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if len(data) > 0 && data[0] == 0xeb {
		order = binary.BigEndian
	}
	if len(data) < 24 || order.Uint16(data) != 0xeb9f {
		return nil, fmt.Errorf("no BTF")
	}
	head := order.Uint32(data[4:])
	types := data[head+order.Uint32(data[8:]):][:order.Uint32(data[12:])]
	text := data[head+order.Uint32(data[16:]):][:order.Uint32(data[20:])]
	name := func(at uint32) string {
		s, _, _ := strings.Cut(string(text[at:min(int(at)+200, len(text))]), "\x00")
		return s
	}
	list := []btfType{{}}
	for len(types) >= 12 {
		info := order.Uint32(types[4:])
		t := btfType{name: name(order.Uint32(types)), kind: info >> 24 & 31, size: order.Uint32(types[8:])}
		n := int(info & 0xffff)
		types = types[12:]
		switch t.kind {
		case btfInt:
			t.signed = types[3]&1 != 0
			types = types[4:]
		case btfFuncProto:
			for i := range n {
				t.params = append(t.params, btfParam{name(order.Uint32(types[8*i:])), order.Uint32(types[8*i+4:])})
			}
			types = types[8*n:]
		case btfEnum:
			t.signed = info>>31 != 0
			types = types[8*n:]
		case btfArray:
			types = types[12:]
		case btfStruct, btfUnion, btfDatasec, btfEnum64:
			types = types[12*n:]
		case btfVar, btfDeclTag:
			types = types[4:]
		}
		list = append(list, t)
	}
	return list, nil
}

// resolve follows typedefs and qualifiers.
func resolve(list []btfType, id uint32) btfType {
	for range 32 {
		switch t := list[id]; t.kind {
		case btfTypedef, btfVolatile, btfConst, btfRestrict, btfTypeTag:
			id = t.size
		default:
			return t
		}
	}
	return btfType{}
}

// btfRenamed gives the calls whose kernel function has another name than the call, on every ABI
// that a Go port on Linux runs as host.
var btfRenamed = map[string]string{"newuname": "uname", "newfstat": "fstat", "newstat": "stat", "newlstat": "lstat",
	"sendfile64": "sendfile", "umount": "umount2"}

// btfOther names functions that serve another call, or another ABI, than their name says: the old
// forms of stat, uname and umount.
var btfOther = map[string]bool{"fstat": true, "stat": true, "lstat": true, "uname": true, "sendfile": true}

// prototypesFrom is the kernel whose source the prototypes were read from. Before it the kernel gave
// some parameters other names.
var prototypesFrom = Kernel{6, 12}

// btfHosts tells a kernel's native ABI by the prefix of its entry functions
// (arch/*/include/asm/syscall_wrapper.h). It is not asked of Go, since a 32-bit or an emulated
// program runs on another kernel than its own.
var btfHosts = map[string]string{"__x64_sys_read": "x86_64", "__arm64_sys_read": "aarch64", "__s390x_sys_read": "s390x",
	"__riscv_sys_read": "riscv64"}

// TestParamsAgainstKernel compares names, widths, signs and pointers with the types that the running
// kernel was built from: the functions behind SYSCALL_DEFINE that the compiler did not inline, by
// the kernel's own type information.
func TestParamsAgainstKernel(t *testing.T) {
	running := runningKernel(t)
	data, err := os.ReadFile(btfFile)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the kernel's types: %v", err)
		}
		t.Skipf("the kernel's types: %v", err)
	}
	list, err := readBTF(data)
	if err != nil {
		t.Fatalf("%s: %v", btfFile, err)
	}
	var a *Arch
	for _, f := range list {
		if host := btfHosts[f.name]; host != "" && f.kind == btfFunc {
			a = ByName(host)
		}
	}
	if a == nil {
		t.Skipf("%s: a kernel without wrappers of its entries, or not one of %v", btfFile, btfHosts)
	}
	compared := 0
	for _, f := range list {
		name, ok := strings.CutPrefix(f.name, "__do_sys_")
		if !ok || f.kind != btfFunc || btfOther[name] {
			continue
		}
		if call := btfRenamed[name]; call != "" {
			name = call
		}
		params, known := a.Params(name)
		if !known {
			continue
		}
		compared++
		if difference := compareBTF(list, list[f.size].params, params, !running.Less(prototypesFrom)); difference != "" {
			t.Errorf("%s: %s\nkernel %v\ntable  %s", name, difference, list[f.size].params, show(a, name))
		}
	}
	if compared < 40 {
		t.Errorf("only %d calls compared", compared)
	}
	t.Logf("%d calls compared with Linux %s on %s", compared, running, a)
}

func runningKernel(t *testing.T) Kernel {
	t.Helper()
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseKernel(strings.TrimSpace(string(release)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// compareBTF says where a function of the kernel differs from the table, "" if nowhere.
func compareBTF(list []btfType, kernel []btfParam, table []Param, names bool) string {
	if len(kernel) == 1 && resolve(list, kernel[0].typ).kind == btfPtr && kernel[0].name == "__unused" {
		kernel = nil // SYSCALL_DEFINE0
	}
	if len(kernel) != len(table) {
		return fmt.Sprintf("%d parameters, the table has %d", len(kernel), len(table))
	}
	for i, k := range kernel {
		p, t := table[i], resolve(list, k.typ)
		bits := int(t.size) * 8
		if t.kind == btfPtr {
			bits = 64
		}
		switch {
		case p.Kind == Unknown:
		case names && strings.TrimLeft(k.name, "_") != p.Name:
			return fmt.Sprintf("%s is called %s in the table", k.name, p.Name)
		case bits != p.Bits:
			return fmt.Sprintf("%s has %d bits", k.name, bits)
		case (t.kind == btfPtr) != (p.Kind == Pointer):
			return fmt.Sprintf("%s: pointer or not", k.name)
		case t.kind == btfInt && t.signed && (p.Kind == Unsigned || p.Kind == Size), t.kind == btfInt && !t.signed && (p.Kind == Int || p.Kind == Long):
			return fmt.Sprintf("%s: sign", k.name)
		}
	}
	return ""
}

// TestCompareBTF is the twin: a difference of each sort is seen.
func TestCompareBTF(t *testing.T) {
	types := []btfType{{}, {kind: btfInt, size: 4, signed: true}, {kind: btfInt, size: 8}, {kind: btfPtr, size: 1}, {kind: btfTypedef, size: 1}}
	kernel := []btfParam{{"a", 1}, {"__b", 2}, {"c", 3}, {"d", 4}}
	good := []Param{{"a", 32, Int}, {"b", 64, Unsigned}, {"c", 64, Pointer}, {"d", 32, FD}}
	if got := compareBTF(types, kernel, good, true); got != "" {
		t.Errorf("equal prototypes: %s", got)
	}
	for i, bad := range []Param{{"x", 32, Int}, {"b", 32, Unsigned}, {"c", 64, Unsigned}, {"d", 32, Unsigned}} {
		changed := append([]Param(nil), good...)
		changed[i] = bad
		if compareBTF(types, kernel, changed, true) == "" {
			t.Errorf("%+v passes for %+v", bad, kernel[i])
		}
	}
	if compareBTF(types, kernel[:3], good, true) == "" {
		t.Error("a missing parameter passes")
	}
}
