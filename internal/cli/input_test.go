package cli

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/profcheck/profcheck/syscalls"
)

// ELF files that are no program that can be read: one line, exit 3, and never an empty set.
func TestForeignELF(t *testing.T) {
	t.Chdir(t.TempDir())
	header := func(class, order byte, machine uint16) []byte {
		h := make([]byte, 4096)
		copy(h, "\x7fELF")
		h[4], h[5], h[6], h[16] = class, order, 1, 2
		var bytes binary.ByteOrder = binary.LittleEndian
		if order == 2 {
			bytes = binary.BigEndian
			h[16], h[17] = 0, 2
		}
		bytes.PutUint16(h[18:], machine)
		bytes.PutUint32(h[20:], 1)
		bytes.PutUint16(h[52:], 64)
		return h
	}
	lying := header(2, 1, 62)
	binary.LittleEndian.PutUint64(lying[40:], 1<<62) // section headers at 4 EiB
	binary.LittleEndian.PutUint16(lying[58:], 64)
	binary.LittleEndian.PutUint16(lying[60:], 0xffff)
	for name, data := range map[string][]byte{
		"s390x": header(2, 2, 22), "mips": header(1, 2, 8), "riscv": header(2, 1, 243), "unknown": header(2, 1, 0xbeef),
		"nothing": header(2, 1, 62), "lying": lying, "magic": []byte("\x7fELF"),
	} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{name}, {"scan", name}, {"why", name, "read"}, {name, "strict", "--allow-incomplete"}} {
			stdout, stderr, code := runApp(args, nil, nil)
			if code != 3 || stdout != "" || !strings.HasPrefix(stderr, "profcheck: "+name+": ") || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
			}
		}
	}
}

// Shells give a pipe for <(command): the profile can come from one.
func TestProfileFromPipe(t *testing.T) {
	workFolder(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s on this system", path)
	}
	if _, err := io.WriteString(w, narrowProfile); err != nil {
		t.Fatal(err)
	}
	w.Close()
	stdout, stderr, code := runApp([]string{"hello", path}, nil, nil)
	if code != 1 || !strings.HasPrefix(stdout, "denied: hello can make calls that are denied under /dev/fd/") || stderr != "" {
		t.Errorf("exit code %d, stdout %.60q, stderr %q", code, stdout, stderr)
	}
}

func TestSplitArgs(t *testing.T) {
	workFolder(t)
	for name, text := range map[string]string{"notes.txt": "text", "list.json": "[]", "bom": "\xef\xbb\xbf {}"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args    string
		built   bool
		bins    string
		profile string
		err     string
	}{
		{"hello", false, "hello", "docker-default", ""},
		{"hello strict", false, "hello", "strict", ""},
		{"hello hello.arm64", false, "hello hello.arm64", "docker-default", ""},
		{"hello hello.arm64 narrow.json", false, "hello hello.arm64", "narrow.json", ""},
		{"hello -", false, "hello", "-", ""},
		{"hello bom", false, "hello", "bom", ""},
		{"hello notes.txt", false, "hello", "notes.txt", ""}, // and the profile's reader complains
		{"hello nosuch.json", false, "hello", "nosuch.json", ""},
		{"hello ./nosuch", false, "hello ./nosuch", "docker-default", ""}, // and the scan complains
		{"hello nosuch", false, "hello", "nosuch", ""},
		{"notes.txt", false, "notes.txt", "docker-default", ""},
		{".", false, ".", "docker-default", ""},
		{"hello .", false, "hello .", "docker-default", ""},
		{"", true, "", "docker-default", ""},
		{"strict", true, "", "strict", ""},
		{"narrow.json", true, "", "narrow.json", ""},
		{"hello", true, "hello", "docker-default", ""},
		{"", false, "", "", "no binary given; see profcheck --help"},
		{"strict", false, "", "", "no binary given to check under strict; profcheck lint strict judges the profile alone"},
		{"narrow.json", false, "", "", "narrow.json is a profile, and no binary is given; profcheck lint narrow.json judges it alone"},
		{"nosuch", false, "", "", "nosuch: no such file or command; see profcheck --help"},
	} {
		o := &options{}
		if c.built {
			o.build = []string{"./cmd"}
		}
		bins, profile, err := o.splitArgs(strings.Fields(c.args))
		message := ""
		if err != nil {
			message = err.Error()
		}
		if strings.Join(bins, " ") != c.bins || profile != c.profile || message != c.err {
			t.Errorf("splitArgs(%q, %v) = %v, %q, %q", c.args, c.built, bins, profile, message)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		in   string
		want uint64
		ok   bool
	}{
		{"0", 0, true}, {"40", 40, true}, {"0x28", 40, true}, {"0o50", 40, true}, {"0b101", 5, true},
		{"18446744073709551615", 1<<64 - 1, true}, {"18446744073709551616", 0, false},
		{"-1", 1<<64 - 1, true}, {"-0x8000000000000000", 1 << 63, true}, {"-0x8000000000000001", 0, false},
		{"", 0, false}, {"-", 0, false}, {"x", 0, false}, {"1.5", 0, false}, {"--1", 0, false},
	} {
		got, err := parseNumber(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("parseNumber(%q) = %d, %v", c.in, got, err)
		}
	}
}

func TestParseNr(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int32
		ok   bool
	}{
		{"0", 0, true}, {"4294967295", -1, true}, {"-1", -1, true}, {"-2147483648", -1 << 31, true},
		{"4294967296", 0, false}, {"-2147483649", 0, false}, {"0x40000000", 0x40000000, true},
		{"18446744073709551615", -1, true}, {"0xffffffff7fffffff", 0, false}, {"x", 0, false},
	} {
		got, err := parseNr(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("parseNr(%q) = %d, %v", c.in, got, err)
		}
	}
}

func TestParseArgs(t *testing.T) {
	wide, narrow := syscalls.ByName("x86_64"), syscalls.ByName("x86")
	for _, c := range []struct {
		abi  *syscalls.Arch
		in   string
		want [6]uint64
		ok   bool
	}{
		{wide, "1 -1", [6]uint64{1, 1<<64 - 1}, true},
		{narrow, "1 -1", [6]uint64{1, 1<<32 - 1}, true},
		{narrow, "0xffffffff", [6]uint64{1<<32 - 1}, true},
		{narrow, "-2147483649", [6]uint64{}, false},
		{narrow, "0x100000000", [6]uint64{}, false},
		{wide, "1 2 3 4 5 6", [6]uint64{1, 2, 3, 4, 5, 6}, true},
		{wide, "1 2 3 4 5 6 7", [6]uint64{}, false},
	} {
		got, err := parseArgs(c.abi, strings.Fields(c.in))
		if (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("parseArgs(%s, %q) = %v, %v", c.abi.Name, c.in, got, err)
		}
	}
}
