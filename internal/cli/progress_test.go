package cli

import (
	"bytes"
	"strings"
	"testing"
)

// The line counts, is not written for each file, and is gone in the end; without a terminal there is
// none.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := &progress{total: 1000, out: &b}
	for range 1000 {
		p.step()
	}
	p.end()
	p.step()
	text := b.String()
	if p.done != 1001 || !strings.HasPrefix(text, "\r1 of 1000 files") || !strings.HasSuffix(text, "\r\x1b[K") || strings.Count(text, "of") > 100 {
		t.Errorf("%d, %q", p.done, text)
	}
	a := &App{Stderr: &b}
	if quiet := a.progress(&options{}, 1000); quiet.out != nil {
		t.Error("a line without a terminal")
	}
}
