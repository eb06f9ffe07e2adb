package filter

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
)

// verdicts reads the 10,000 programs that a Linux 6.18 x86-64 kernel judged.
func verdicts(t testing.TB, each func(row int, accept bool, p Program)) {
	f, err := os.Open("testdata/validator.tsv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	row := 0
	for lines.Scan() {
		row++
		verdict, code, ok := strings.Cut(lines.Text(), "\t")
		raw, err := hex.DecodeString(code)
		if !ok || err != nil || verdict != "ACCEPT" && verdict != "EINVAL" {
			t.Fatalf("row %d is malformed", row)
		}
		p, err := Decode(raw, binary.LittleEndian)
		if err != nil {
			t.Fatalf("row %d: %v", row, err)
		}
		each(row, verdict == "ACCEPT", p)
	}
	if err := lines.Err(); err != nil || row != 10000 {
		t.Fatalf("%d rows, %v", row, err)
	}
}

func TestVerifyRecordedKernel(t *testing.T) {
	wrong, accepted, blame := 0, 0, map[string]int{}
	verdicts(t, func(row int, accept bool, p Program) {
		err := p.Verify()
		if accept {
			accepted++
		}
		var verr *VerifyError
		if errors.As(err, &verr) {
			blame[verr.Func]++
			if verr.PC >= len(p) || verr.Reason == "" || ErrnoName(verr.Errno) != "EINVAL" {
				t.Errorf("row %d: incomplete reason %+v", row, verr)
			}
		}
		if (err == nil) != accept {
			wrong++
			t.Errorf("row %d: kernel accepts: %v, Verify: %v", row, accept, err)
		}
	})
	t.Logf("accepted %d, refused by %v", accepted, blame)
	if accepted == 0 || len(blame) != 3 {
		t.Errorf("the vectors do not show both verdicts and all three passes")
	}
}

// TestVerifyWitnessCanFail asks whether the recorded verdicts would notice a validator that leaves
// out one rule: each rule alone must be missed by some program.
func TestVerifyWitnessCanFail(t *testing.T) {
	// A weakened validator accepts what only this reason refuses.
	weakened := map[string]int{
		"M[": 0, "leaves the program": 0, "division": 0, "shift": 0,
		"not written": 0, "offset": 0, "is no ret": 0, "code 0x": 0,
	}
	verdicts(t, func(row int, accept bool, p Program) {
		if err := p.Verify(); err != nil {
			for word := range weakened {
				if strings.Contains(err.Error(), word) {
					weakened[word]++
				}
			}
		}
	})
	for word, n := range weakened {
		if n == 0 {
			t.Errorf("no recorded program is refused for %q: the rule has no witness", word)
		}
	}
}

// A refusal is one program with what Verify must say about it.
type refusal struct {
	name string
	p    Program
	pc   int
	fn   string
	text string
}

func repeat(n int, in Insn, end ...Insn) Program {
	p := make(Program, 0, n+len(end))
	for range n {
		p = append(p, in)
	}
	return append(p, end...)
}

func refusals() []refusal {
	ret := Return(Allow)
	list := []refusal{
		{"empty", Program{}, -1, funcPrepare, "no instructions"},
		{"4097", repeat(4097, ret), -1, funcPrepare, "4097 instructions, more than 4096"},
		{"no ret", Program{Stmt(OpLdImm, 0)}, 0, funcClassic, "the last instruction is no ret"},
		{"div 0", Program{Stmt(OpDivK, 0), ret}, 0, funcClassic, "division by the constant 0"},
		{"mod 0", Program{Stmt(codeModK, 0), ret}, 0, funcClassic, "division by the constant 0"},
		{"lsh 32", Program{Stmt(OpLshK, 32), ret}, 0, funcClassic, "shift by 32, more than 31"},
		{"rsh 32", Program{Stmt(OpRshK, 32), ret}, 0, funcClassic, "shift by 32, more than 31"},
		{"st M[16]", Program{Stmt(OpSt, 16), ret}, 0, funcClassic, "M[16] does not exist, the last is M[15]"},
		{"ja end", Program{Stmt(OpJa, 1), ret}, 0, funcClassic, "jump of 1 leaves the program"},
		{"ja back", Program{ret, Stmt(OpJa, 0xffffffff), ret}, 1, funcClassic, "jump of 4294967295 leaves the program"},
		{"jt end", Program{Jump(OpJeqK, 0, 1, 0), ret}, 0, funcClassic, "true branch of 1 leaves the program"},
		{"jf end", Program{Jump(OpJsetX, 0, 0, 1), ret}, 0, funcClassic, "false branch of 1 leaves the program"},
		{"unwritten", Program{Stmt(OpLdMem, 3), ret}, 0, funcMemory, "load of M[3], which is not written on every path"},
		{"half written", Program{Jump(OpJeqK, 0, 0, 1), Stmt(OpSt, 3), Stmt(OpLdxMem, 3), ret}, 2, funcMemory, "load of M[3], which is not written on every path"},
		{"offset 64", Program{Load(64), ret}, 0, funcSeccomp, "offset 64 is not that of a word of seccomp_data"},
		{"offset 2", Program{Load(2), ret}, 0, funcSeccomp, "offset 2 is not that of a word of seccomp_data"},
		{"extension", Program{Load(ancillary + 56), ret}, 0, funcSeccomp, "offset 4294963256 is not that of a word of seccomp_data"},
		{"no extension", Program{Load(ancillary + 57), ret}, 0, funcClassic, "offset 0xfffff039 does not exist"},
		{"mod", Program{Stmt(codeModK, 2), ret}, 0, funcSeccomp, "code 0x94 (mod k) is not for seccomp"},
		{"ret x", Program{Stmt(0x0e, 0), ret}, 0, funcClassic, "code 0x0e does not exist"},
		{"high code", Program{Stmt(0x120, 0), ret}, 0, funcClassic, "code 0x120 does not exist"},
	}
	for code, what := range classicOnly {
		list = append(list, refusal{what, Program{Stmt(code, 4), ret}, 0, funcSeccomp, what})
	}
	return list
}

// acceptances are the nearest programs on the other side of each limit.
func acceptances() map[string]Program {
	ret := Return(Allow)
	return map[string]Program{
		"4096":           repeat(4095, Stmt(OpLdImm, 1), ret),
		"ret a":          {Stmt(OpRetA, 0)},
		"div 1":          {Stmt(OpDivK, 1), ret},
		"lsh 31":         {Stmt(OpLshK, 31), ret},
		"M[15]":          {Stmt(OpSt, 15), Stmt(OpLdMem, 15), ret},
		"ja last":        {Stmt(OpJa, 0), ret},
		"jt, jf last":    {Jump(OpJeqK, 0, 1, 1), ret, ret},
		"offset 60":      {Load(60), ret},
		"unused jt":      {Insn{Code: OpLdImm, Jt: 255, Jf: 255}, ret},
		"div x k":        {Stmt(OpDivX, 0), ret},
		"rsh x k":        {Stmt(OpRshX, 99), ret},
		"ldx len k":      {Stmt(OpLdxLen, 0xffffffff), ret},
		"written before": {Stmt(OpStx, 3), Jump(OpJeqK, 0, 0, 0), Stmt(OpLdxMem, 3), ret},
		// Nothing reaches instruction 2, and so the loader takes everything for written there.
		"unreachable": {Stmt(OpJa, 1), Stmt(OpLdMem, 3), ret},
	}
}

func TestVerifyReasons(t *testing.T) {
	for _, r := range refusals() {
		var verr *VerifyError
		if err := r.p.Verify(); !errors.As(err, &verr) {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		if verr.PC != r.pc || verr.Func != r.fn || !strings.Contains(verr.Reason, r.text) {
			t.Errorf("%s: got %d, %q, %s; want %d, %q, %s", r.name, verr.PC, verr.Reason, verr.Func, r.pc, r.text, r.fn)
		}
	}
	for name, p := range acceptances() {
		if err := p.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	want := "filter: instruction 0: division by the constant 0: EINVAL by net/core/filter.c bpf_check_classic"
	if got := (Program{Stmt(OpDivK, 0), Return(Allow)}).Verify().Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkVerify(b *testing.B) {
	p := repeat(4095, Jump(OpJeqK, 0, 0, 0), Return(Allow))
	for b.Loop() {
		if err := p.Verify(); err != nil {
			b.Fatal(err)
		}
	}
}
