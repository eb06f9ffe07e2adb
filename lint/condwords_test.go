package lint

import (
	"os"
	"regexp"
	"runtime"
	"strconv"
	"testing"
)

// headers holds what the C library says of the same constants, with the patterns of their lines.
var headers = []struct {
	file, pattern, prefix string
	ours                  []constant
	values                int // how many it has at least
}{
	{"/usr/include/x86_64-linux-gnu/bits/socket.h", `(?m)^#define\s+PF_(\w+)\s+(\d+)`, "AF_", families, 40},
	{"/usr/include/linux/sched.h", `(?m)^#define\s+CLONE_(\w+)\s+(0x[0-9a-fA-F]+)`, "CLONE_", cloneFlags, 20},
}

// The names of families and flags are those of the system's headers.
func TestConstantNames(t *testing.T) {
	for _, h := range headers {
		data, err := os.ReadFile(h.file)
		if err != nil {
			if os.Getenv("CI") != "" && runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
				t.Fatal(err)
			}
			t.Skip("no headers to compare with: ", err)
		}
		want := make(map[string]uint64)
		for _, m := range regexp.MustCompile(h.pattern).FindAllStringSubmatch(string(data), -1) {
			v, err := strconv.ParseUint(m[2], 0, 64)
			if err != nil {
				t.Fatal(err)
			}
			want[h.prefix+m[1]] = v
		}
		if v, ok := want["AF_LOCAL"]; ok {
			want["AF_UNIX"] = v // defined as the other
		}
		if len(want) < h.values {
			t.Fatalf("%s: only %d constants read", h.file, len(want))
		}
		seen := make(map[uint64]bool)
		for _, c := range h.ours {
			if v, ok := want[c.name]; !ok || v != c.value || seen[c.value] {
				t.Errorf("%s is %#x, %s says %#x, %v", c.name, c.value, h.file, v, ok)
			}
			seen[c.value] = true
		}
		if h.prefix == "AF_" {
			for v := range uint64(46) {
				if !seen[v] {
					t.Errorf("no name for family %d", v)
				}
			}
		}
	}
}
