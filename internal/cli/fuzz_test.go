package cli

import (
	"strings"
	"testing"
)

// Whatever comes in as a profile or filter, each command ends with one of its exit codes, says at
// most one line of what is wrong, and what disasm writes is what asm makes the same bytes of.
func FuzzInput(f *testing.F) {
	for _, seed := range []string{
		"", "{", "{}", "[]", narrowProfile, filterText, "ld M[0]\nret a\n", "plain text", "\x7fELF\x02",
		"060000000000ff7f", "0x06 0x00", "{ 0x06, 0, 0, 0x7fff0000 }", "BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)",
		"\x06\x00\x00\x00\x00\x00\xff\x7f", "\x00\x06\x00\x00\x7f\xff\x00\x00", "\x06\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x20\x00\x00\x00\x04\x00\x00\x00\x15\x00\x00\x01\x3e\x00\x00\xc0\x06\x00\x00\x00\x00\x00\xff\x7f\x06\x00\x00\x00\x00\x00\x00\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			return // programs of any size are fuzzed where they are read and proven
		}
		for _, command := range []string{"verify -", "disasm -", "simulate - 0", "table -", "diff --equal - strict", "compile - --as hex -q"} {
			_, stderr, code := runApp(strings.Fields(command), data, nil)
			if code < 0 || code > 3 || strings.Count(stderr, "\n") > 2 {
				t.Errorf("%s: exit code %d, stderr %q", command, code, stderr)
			}
		}
		text, _, code := runApp([]string{"disasm", "-"}, data, nil)
		if code != 0 {
			return
		}
		one, _, _ := runApp([]string{"compile", "-", "--as", "hex", "-q"}, data, nil)
		two, stderr, code := runApp([]string{"asm", "-", "--as", "hex", "-q"}, []byte(text), nil)
		if one != two || code != 0 {
			t.Errorf("asm of\n%sgives exit code %d, %s\n%s\nwant\n%s", text, code, stderr, two, one)
		}
	})
}
