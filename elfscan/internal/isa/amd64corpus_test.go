package isa

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// corpusFile holds lines of hex bytes, length and text as objdump shows them, one for each opcode
// of each map, and undefined ones with length 0. PROFCHECK_UPDATE=1 makes it anew.
const corpusFile = "testdata/amd64.txt"

// TestAMD64Corpus checks the lengths of the corpus, and that no instruction can be read of which
// the last byte is missing.
func TestAMD64Corpus(t *testing.T) {
	if os.Getenv("PROFCHECK_UPDATE") != "" {
		writeCorpus(t)
	}
	data, err := os.ReadFile(corpusFile)
	if err != nil {
		t.Fatal(err)
	}
	count, undefined := 0, 0
	for i, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		f := strings.Split(l, "\t")
		if strings.HasPrefix(l, "#") {
			continue
		}
		code, err := hex.DecodeString(f[0])
		want, err2 := strconv.Atoi(f[1])
		if err != nil || err2 != nil || len(f) != 3 {
			t.Fatalf("line %d: %q", i+1, l)
		}
		if _, n := AMD64.Decode(code, testBase, nil); n != want {
			t.Errorf("%s: length %d, want %d: %s", f[0], n, want, f[2])
		}
		count++
		if want == 0 {
			undefined++
			continue
		}
		if _, n := AMD64.Decode(code[:want-1], testBase, nil); n != 0 {
			t.Errorf("%s without its last byte has length %d", f[0], n)
		}
	}
	if count < 2000 || undefined < 100 {
		t.Errorf("only %d lines, %d of them undefined", count, undefined)
	}
}

func writeCorpus(t *testing.T) {
	var b strings.Builder
	b.WriteString("# made-up x86-64 instructions: bytes, length by objdump (0: undefined), objdump's text\n")
	bad := map[byte]bool{}
	dumpSamples(t, 2, func(s sample, l line) {
		n, _, _, _ := parse(s.code)
		switch {
		case !strings.Contains(l.text, "(bad)") && quirk(l, n) == "":
			fmt.Fprintf(&b, "%x\t%d\t%s\n", l.code, len(l.code), l.text)
		case n == 0 && strings.HasSuffix(l.text, "(bad)") && l.code[0] != 0x62 && !bad[s.code[1]]:
			bad[s.code[1]] = true
			fmt.Fprintf(&b, "%x\t0\t(bad)\n", s.code)
		}
	})
	if err := os.WriteFile(corpusFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
