package filter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
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

// FuzzAssemble checks that what assembles comes back from its own disassembly, and that mistakes
// have a place in the text.
func FuzzAssemble(f *testing.F) {
	rng := rand.New(rand.NewPCG(41, 42))
	for range 5 {
		f.Add(Disassemble(anyProgram(rng), nil))
	}
	for _, text := range []string{
		"", "ld nr\n.arch x86_64\njeq #read, a, b\na: ret ALLOW\nb: ret ERRNO(EPERM)", ".order big\nld arg5.hi ; x\nret a",
		"/* a */ L: ja L", "x: y: jset %x, 1, +2", ".insn 65535, 255, 0xff, 4294967295", "add #-1 // x", "st M[ 3 ]\nret #0x7fff0000",
		"jlt #AUDIT_ARCH_I386, 3\nret UNKNOWN(0x1)", "ld [4\n", "ret TRACE(0x10)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Assemble(text)
		if err != nil {
			checkPlace(t, text, err)
			return
		}
		if len(p) == 0 {
			t.Fatal("a program without instructions")
		}
		backAndForth(t, p)
	})
}

// checkPlace fails for an error that is not an AsmError with a place in the text and one line.
func checkPlace(t *testing.T, text string, err error) {
	t.Helper()
	var bad *AsmError
	if !errors.As(err, &bad) {
		t.Fatalf("no AsmError: %v", err)
	}
	lines := strings.Split(text, "\n")
	if bad.Line < 1 || bad.Line > len(lines) || bad.Column < 1 || bad.Column > len(lines[bad.Line-1])+1 {
		t.Fatalf("no such place: %v", err)
	}
	if strings.ContainsAny(err.Error(), "\n\r") || len(err.Error()) > 400 {
		t.Fatalf("the error is not one line: %q", err)
	}
}

// FuzzParseProgram checks that what is read is written in every format and read again, and that
// mistakes in texts have a place.
func FuzzParseProgram(f *testing.F) {
	rng := rand.New(rand.NewPCG(43, 44))
	for _, format := range []Format{Raw, Hex, C, Asm} {
		for _, order := range orders {
			out, err := anyProgram(rng).Format(format, order, "")
			if err != nil {
				f.Fatal(err)
			}
			f.Add(out)
		}
	}
	for _, text := range []string{
		"", "0x20,0,0,0", `\x06\x00\x00\x00\x00\x00\xff\x7f`, "{6,0,0,~0u>>1}", "{{.k=1<<3,},};", "BPF_STMT(BPF_RET|BPF_K, SECCOMP_RET_ALLOW)",
		"struct sock_filter a[2] = { BPF_JUMP(0x15, (__u32)-1, 0, 1), {6} }; \"", "#define x \\\n{\n{6}", "/*{*/{6,0,0,offsetof(struct seccomp_data,args[1])+4}",
		"{6,0,0,sizeof(unsigned long)}", "{((((1))))}", "{'", "0600000000000000", "6 0",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, found, order, err := ParseProgram(data, nil)
		if err != nil {
			if p != nil || order != nil {
				t.Fatal("an error and a program")
			}
			if found == C || found == Asm {
				checkPlace(t, string(data), err)
			}
			return
		}
		if len(p) == 0 || order == nil {
			t.Fatalf("%d instructions, order %v", len(p), order)
		}
		for _, format := range []Format{Raw, Hex, C, Asm} {
			out, err := p.Format(format, order, "")
			if err != nil {
				t.Fatal(err)
			}
			// Raw bytes of a program that does not load may look like a text.
			if looks := detect(out); looks != format && format == Raw {
				continue
			}
			back, again, _, err := ParseProgram(out, order)
			if err != nil || again != format || !slices.Equal(back, p) {
				t.Fatalf("%s: %v, %v: %v came back as %v", format, again, err, p, back)
			}
		}
		if _, err := p.Format(Go, order, ""); err != nil {
			t.Fatal(err)
		}
		p.Size()
	})
}
