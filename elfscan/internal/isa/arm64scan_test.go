package isa

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// a64words lays instructions out in memory.
func a64words(words ...uint32) []byte {
	var code []byte
	for _, w := range words {
		code = binary.LittleEndian.AppendUint32(code, w)
	}
	return code
}

const (
	a64wADRP0    = 0xb0000000 // adrp x0, page after the next
	a64wADD0     = 0x91004000 // add x0, x0, #16
	a64wLDR1     = 0xf9400801 // ldr x1, [x0, #16]
	a64wRET      = 0xd65f03c0
	a64wNOP      = 0xd503201f
	a64wMOV0     = 0xd2800000 // mov x0, #0
	a64wSVC      = 0xd4000001
	a64wADRP19   = 0xb0000013
	a64wLDRX1_19 = 0xf9400a61 // ldr x1, [x19, #16]
)

func TestARM64Scan(t *testing.T) {
	const base = 0x10000
	for _, c := range []struct {
		name string
		code []byte
		want []Ref
	}{
		{"nothing", a64words(a64wNOP, a64wRET), nil},
		{"call", a64words(a64wNOP, 0x94000004), []Ref{{At: base + 4, Target: base + 20, Kind: RefCall}}},
		{"call backwards", a64words(0x97fffffc), []Ref{{At: base, Target: base - 16, Kind: RefCall}}},
		{"jump inside", a64words(0x14000001, a64wRET), nil},
		{"jump to the end is outside", a64words(0x14000001), []Ref{{At: base, Target: base + 4, Kind: RefJump}}},
		{"branches outside", a64words(0x54000080, 0xb4000080, 0x37000080),
			[]Ref{{At: base, Target: base + 16, Kind: RefJump}, {At: base + 4, Target: base + 20, Kind: RefJump}, {At: base + 8, Target: base + 24, Kind: RefJump}}},
		{"syscall, whatever the number", a64words(a64wSVC, 0xd4000021), []Ref{{At: base, Kind: RefSyscall}, {At: base + 4, Target: 0, Kind: RefSyscall}}},
		{"traps are none", a64words(0xd4200000, 0xd4000002), nil},
		{"address", a64words(0x10000040), []Ref{{At: base, Target: base + 8, Kind: RefAddr}}},
		{"literal", a64words(0x58000040), []Ref{{At: base, Target: base + 8, Kind: RefLoad}}},
		{"page alone", a64words(a64wADRP0), nil},
		{"page and offset", a64words(a64wADRP0, a64wADD0), []Ref{{At: base + 4, Target: base + 0x1010, Kind: RefAddr}}},
		{"page and load", a64words(a64wADRP0, a64wLDR1), []Ref{{At: base + 4, Target: base + 0x1010, Kind: RefLoad}}},
		{"page and store", a64words(a64wADRP0, 0xf9000801), []Ref{{At: base + 4, Target: base + 0x1010, Kind: RefStore}}},
		{"pair", a64words(a64wADRP0, 0xa9010801), // stp x1, x2, [x0, #16]
			[]Ref{{At: base + 4, Target: base + 0x1010, Kind: RefStore}, {At: base + 4, Target: base + 0x1018, Kind: RefStore}}},
		{"atomic", a64words(a64wADRP0, a64wADD0, 0xf8210002),
			[]Ref{{At: base + 4, Target: base + 0x1010, Kind: RefAddr}, {At: base + 8, Target: base + 0x1010, Kind: RefStore}}},
		{"load from a formed address", a64words(a64wADRP0, a64wADD0, a64wLDR1),
			[]Ref{{At: base + 4, Target: base + 0x1010, Kind: RefAddr}, {At: base + 8, Target: base + 0x1020, Kind: RefLoad}}},
		{"apart", a64words(a64wADRP0, a64wNOP, 0xaa0103e2, a64wADD0), []Ref{{At: base + 12, Target: base + 0x1010, Kind: RefAddr}}},
		{"overwritten", a64words(a64wADRP0, a64wMOV0, a64wADD0), nil},
		{"overwritten by a load", a64words(a64wADRP0, 0xf9400020, a64wADD0), nil},
		{"lost in a call", a64words(a64wADRP0, 0x94000004, a64wADD0), []Ref{{At: base + 4, Target: base + 20, Kind: RefCall}}},
		{"kept over a call", a64words(a64wADRP19, 0x94000004, a64wLDRX1_19),
			[]Ref{{At: base + 4, Target: base + 20, Kind: RefCall}, {At: base + 8, Target: base + 0x1010, Kind: RefLoad}}},
		{"kept over a call of a known function", a64words(0xb000000c, 0x94000004, 0xf9400981),
			[]Ref{{At: base + 4, Target: base + 20, Kind: RefCall}, {At: base + 8, Target: base + 0x1010, Kind: RefLoad}}},
		{"saved and restored", a64words(a64wADRP0, 0xf90007e0, a64wMOV0, 0xf94007e0, a64wADD0),
			[]Ref{{At: base + 16, Target: base + 0x1010, Kind: RefAddr}}},
		{"restored from elsewhere", a64words(a64wADRP0, 0xf90007e0, a64wMOV0, 0xf9400be0, a64wADD0), nil},
		{"entered from behind", a64words(0x14000003, a64wADD0, a64wRET, a64wADRP0, 0x17fffffd),
			[]Ref{{At: base + 4, Target: base + 0x1010, Kind: RefAddr}}},
		{"case of a switch", a64words(a64wADRP0, 0xd61f0040, a64wMOV0, a64wRET, a64wADD0),
			[]Ref{{At: base + 16, Target: base + 0x1010, Kind: RefAddr}}},
		{"copied", a64words(a64wADRP0, 0xaa0003e3, a64wMOV0, 0xf9400861), []Ref{{At: base + 12, Target: base + 0x1010, Kind: RefLoad}}},
		{"other way overwrites", a64words(a64wADRP0, 0xb4000062, a64wMOV0, a64wRET, a64wADD0),
			[]Ref{{At: base + 16, Target: base + 0x1010, Kind: RefAddr}}},
		{"no way from the page", a64words(0xb4000082, a64wADRP0, a64wMOV0, a64wRET, a64wADD0), nil},
		{"not instructions", a64words(0, a64wNOP, 0x02000000), []Ref{{At: base, Kind: RefBad}, {At: base + 8, Target: 0, Kind: RefBad}}},
		{"cut short", append(a64words(a64wNOP), 1, 2, 3), []Ref{{At: base + 4, Target: 0, Kind: RefBad}}},
		{"vector", a64words(a64wADRP0, 0x3d800400), []Ref{{At: base + 4, Target: base + 0x1010, Kind: RefStore}, {At: base + 4, Target: base + 0x1018, Kind: RefStore}}},
		{"prefetch", a64words(a64wADRP0, 0xf9800800), nil},
		{"indexed", a64words(a64wADRP0, 0xf8626801), nil},
		{"writeback", a64words(a64wADRP0, 0xf8410c01, a64wLDR1),
			[]Ref{{At: base + 4, Target: base + 0x1010, Kind: RefLoad}, {At: base + 4, Target: base + 0x1010, Kind: RefAddr}, {At: base + 8, Target: base + 0x1020, Kind: RefLoad}}},
	} {
		if got := ARM64.Scan(c.code, base, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestARM64ScanAppends(t *testing.T) {
	first := Ref{At: 1, Target: 2, Kind: RefCall}
	if got := ARM64.Scan(a64words(a64wSVC), 8, []Ref{first}); !slices.Equal(got, []Ref{first, {At: 8, Kind: RefSyscall}}) {
		t.Errorf("%+v", got)
	}
}

var a64offset = regexp.MustCompile(`\[x(\d+)(?:, ?#(-?\d+))?\]`)

// a64expect lists what arm64asm finds in a function: calls, jumps out, syscalls, ADR, and each
// ADRP whose register the very next instruction uses.
func a64expect(code []byte, base uint64) map[Ref]bool {
	want := map[Ref]bool{}
	end := base + uint64(len(code))
	page, pageReg := uint64(0), ""
	for i := 0; i+4 <= len(code); i += 4 {
		pc := base + uint64(i)
		inst, err := arm64asm.Decode(code[i:])
		if err != nil {
			pageReg = ""
			continue
		}
		line := strings.ToLower(a64asmLine(inst, pc))
		name, rest, _ := strings.Cut(line, " ")
		args := a64split(rest)
		if pageReg != "" {
			if r, ok := a64used(name, args, page, pageReg); ok {
				want[Ref{At: pc, Target: r.Target, Kind: r.Kind}] = true
			}
		}
		pageReg = ""
		switch name {
		case "adrp":
			page, pageReg = a64target(args[1]), args[0]
		case "adr":
			want[Ref{At: pc, Target: a64target(args[1]), Kind: RefAddr}] = true
		case "svc":
			want[Ref{At: pc, Target: 0, Kind: RefSyscall}] = true
		case "bl":
			want[Ref{At: pc, Target: a64target(args[0]), Kind: RefCall}] = true
		case "b", "cbz", "cbnz", "tbz", "tbnz":
			if to := a64target(args[len(args)-1]); to < base || to >= end {
				want[Ref{At: pc, Target: to, Kind: RefJump}] = true
			}
		}
	}
	return want
}

// a64used is the Ref that an instruction makes of a page in a register.
func a64used(name string, args []string, page uint64, reg string) (Ref, bool) {
	last := args[len(args)-1]
	switch {
	case name == "add" && args[1] == reg && strings.HasPrefix(args[2], "#"):
		return Ref{Target: page + a64number(args[2]), Kind: RefAddr}, true
	case strings.HasPrefix(name, "ld") || strings.HasPrefix(name, "st"):
		m := a64offset.FindStringSubmatch(last)
		if m == nil || "x"+m[1] != reg {
			return Ref{}, false
		}
		off, _ := strconv.ParseInt("0"+m[2], 10, 64)
		kind := RefLoad
		if name[0] == 's' {
			kind = RefStore
		}
		return Ref{Target: page + uint64(off), Kind: kind}, true
	}
	return Ref{}, false
}

// TestARM64ScanAgainstAsm compares Scan, function by function, to what golang.org/x/arch decodes.
func TestARM64ScanAgainstAsm(t *testing.T) {
	for _, name := range []string{"hello", "web"} {
		code, base, funcs := a64code(t, a64build(t, name))
		count, extra, bad := map[RefKind]int{}, map[RefKind]int{}, 0
		for _, f := range funcs {
			body := code[f.Value-base : f.Value-base+f.Size]
			want := a64expect(body, f.Value)
			for _, r := range ARM64.Scan(body, f.Value, nil) {
				switch {
				case want[r]:
					delete(want, r)
					count[r.Kind]++
				case r.Kind == RefBad:
					bad++
				case r.Kind == RefAddr || r.Kind == RefLoad || r.Kind == RefStore:
					extra[r.Kind]++ // further uses of an address
				default:
					t.Errorf("%s: %s: %+v is not in the reference", name, f.Name, r)
				}
			}
			for r := range want {
				t.Errorf("%s: %s: %+v not found", name, f.Name, r)
			}
		}
		t.Logf("%s: %d functions: %s; further uses %s; not instructions %d", name, len(funcs), a64kinds(count), a64kinds(extra), bad)
		if count[RefCall] < 9000 || count[RefSyscall] < 30 || count[RefAddr] < 3000 || count[RefLoad] < 1000 || count[RefStore] < 300 {
			t.Errorf("%s: too little compared: %s", name, a64kinds(count))
		}
	}
}

func a64kinds(m map[RefKind]int) string {
	return fmt.Sprintf("calls %d, jumps %d, addresses %d, loads %d, stores %d, syscalls %d",
		m[RefCall], m[RefJump], m[RefAddr], m[RefLoad], m[RefStore], m[RefSyscall])
}
