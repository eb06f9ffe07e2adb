package module

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestWritableAgainstKernel compares Writable and Executable with how the pages of a running
// program and of its libraries are mapped after the loader has finished.
func TestWritableAgainstKernel(t *testing.T) {
	out, err := exec.Command("cat", "/proc/self/maps").Output()
	if err != nil {
		missing(t, "cat /proc/self/maps: %v", err)
	}
	bases := map[string]uint64{}
	modules := map[string]*Module{}
	protected := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 6 || !strings.HasPrefix(f[5], "/") {
			continue
		}
		var from, to uint64
		if _, err := fmt.Sscanf(f[0], "%x-%x", &from, &to); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		path, mode := f[5], f[1]
		m := modules[path]
		if m == nil {
			data, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			if m, err = Open(path, data); err != nil {
				continue // a table of locales, not code
			}
			modules[path], bases[path] = m, from-m.Segments[0].Addr&^(page-1)
		}
		for at := from; at < to; at += page {
			addr := at - bases[path]
			if m.Segment(addr) == nil {
				addr += page - 1 // the segment begins or ends within the page
			}
			if m.Segment(addr) == nil {
				continue // reserved between segments
			}
			if w, x := m.Writable(addr), m.Executable(addr); w != strings.Contains(mode, "w") || x != strings.Contains(mode, "x") {
				t.Errorf("%s: %#x: writable %t, executable %t; mapped %s", path, addr, w, x, mode)
			}
			if s := m.Segment(addr); s.Write && !m.Writable(addr) {
				protected++
			}
		}
	}
	if len(modules) < 2 || protected == 0 {
		t.Errorf("%d files, %d pages protected after relocation", len(modules), protected)
	}
}
