package isa

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestAMD64SamplesAgainstObjdump compares lengths on made-up instructions of every opcode map.
func TestAMD64SamplesAgainstObjdump(t *testing.T) {
	if _, err := exec.LookPath("objdump"); err != nil {
		skipOrFail(t, "objdump is not installed")
	}
	seen, quirks := 0, map[string]int{}
	dumpSamples(t, 4, func(s sample, l line) {
		seen++
		n, _, _, _ := parse(s.code)
		if n == len(l.code) && !strings.Contains(l.text, "(bad)") {
			return
		}
		if q := quirk(l, n); q != "" {
			quirks[q]++
			return
		}
		t.Errorf("% x has length %d, objdump says %d: %s", s.code, n, len(l.code), l.text)
	})
	t.Logf("%d samples, quirks %v", seen, quirks)
}

// dumpSamples makes count samples of each opcode of each map and calls each with what objdump shows
// for them.
func dumpSamples(t *testing.T, count int, each func(sample, line)) {
	const slot = 48
	r := rand.New(rand.NewPCG(3, 4))
	var flat []byte
	var samples []sample
	for _, table := range sampleTables() {
		for op := range 256 {
			for i := range count {
				s := makeSample(r, table, byte(op), byte(r.IntN(8)), (i+op)&1 != 0)
				samples = append(samples, s)
				flat = append(flat, s.code...)
				flat = append(flat, bytes.Repeat([]byte{0x90}, slot-len(s.code))...)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "samples")
	if err := os.WriteFile(file, flat, 0o600); err != nil {
		t.Fatal(err)
	}
	objdump(t, func(l line) {
		if l.addr%slot == 0 {
			each(samples[l.addr/slot], l)
		}
	}, "-D", "-z", "-b", "binary", "-m", "i386:x86-64", file)
}

// quirk names the reason why length n (0: undefined) and objdump's line l rightly differ; "" is no
// known reason.
func quirk(l line, n int) string {
	bad := strings.Contains(l.text, "(bad)")
	switch {
	case bad && n == 0:
		return "both call it bad"
	case strings.HasPrefix(l.text, ".byte"):
		return "objdump cuts at a symbol"
	case onlyPrefixes(l.text):
		// The processor ignores a REX prefix that other prefixes follow, and runs the whole.
		return "objdump shows an ignored REX prefix as an instruction"
	case l.code[0] == 0x9b:
		return "objdump joins FWAIT and what follows"
	case n == 0 && (strings.Contains(l.text, "%?") || strings.HasSuffix(l.text, ",%cs")):
		return "objdump shows segment registers that do not exist"
	case n == 0 && (strings.HasPrefix(l.text, "rex") || strings.HasPrefix(l.text, "data16")) && stripPrefixes(l.code)[0]&0xfe == 0xc4:
		return "objdump allows REX and 66 before VEX, which is undefined"
	case n == 0 && ignoredPrefix(l.code):
		return "objdump ignores a mandatory prefix that makes the opcode undefined"
	case bad && reservedField(l.code):
		return "reserved fields: the length is what the encoding says, objdump gives up"
	}
	return ""
}

// onlyPrefixes reports whether objdump's text is prefixes and nothing else.
func onlyPrefixes(text string) bool {
	for _, word := range strings.Fields(text) {
		switch word {
		case "data16", "addr32", "cs", "ds", "es", "ss", "fs", "gs", "lock", "repz", "repnz", "rep":
		default:
			if !strings.HasPrefix(word, "rex") {
				return false
			}
		}
	}
	return text != ""
}

// stripPrefixes returns code without legacy and REX prefixes.
func stripPrefixes(code []byte) []byte {
	for len(code) > 0 && opcodes[mapOne][code[0]]&clMask == clPrefix {
		code = code[1:]
	}
	return code
}

// ignoredPrefix lists the opcodes for which objdump 2.40 does not look at the mandatory prefix, or
// shows a form that is undefined. The processor raises #UD for them.
func ignoredPrefix(code []byte) bool {
	code = append(slices.Clone(stripPrefixes(code)), make([]byte, 8)...)
	switch code[0] {
	case 0x0f: // XSAVE family and fences, PMOVMSKB, EXTRQ with ModRM.reg other than 0
		return code[1] == 0xae || code[1] == 0xd7 || code[1] == 0x78
	case 0xc5: // VZEROUPPER, VLDMXCSR, VSTMXCSR
		return code[2] == 0x77 || code[2] == 0xae
	case 0xc4:
		return code[3] == 0x77 || code[3] == 0xae
	case 0x62: // VRSQRT14, VDBPSADBW, VPSHLDW, VPSHRDW; VMOVNTDQA, VMOVNTDQ and VMOVNTPS of registers
		return slices.Contains([]byte{0x4e, 0x42, 0x70, 0x72, 0x2a, 0xe7, 0x2b}, code[4])
	}
	return false
}

// reservedField reports whether code belongs to the encodings whose unused fields must have fixed
// values. parse does not look at these: they have no part in the length.
func reservedField(code []byte) bool {
	code = append(slices.Clone(stripPrefixes(code)), make([]byte, 8)...)
	switch code[0] {
	case 0xc4, 0xc5, 0x62, 0x8f:
		return true
	case 0x0f: // WBINVD with other prefixes, MPX with bounds registers above 3, BSF and BSR with F2
		return slices.Contains([]byte{0x09, 0x1a, 0x1b, 0xbc, 0xbd}, code[1]) ||
			code[1] == 0x01 && code[2] == 0xd9 || code[1] == 0xae // VMMCALL with 66, fences with REX.B
	case 0xd9, 0xdc, 0xdd, 0xde, 0xdf: // undocumented aliases
		return code[1] >= 0xc0
	}
	return false
}
