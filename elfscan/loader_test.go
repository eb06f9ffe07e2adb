package elfscan

import (
	"slices"
	"testing"

	"github.com/profcheck/profcheck/finding"
)

// The loader of a PIE calls mprotect with protections of its own. A site says so, next to the one
// of the Go runtime, whose arguments are known: a profile is judged by both.
func TestLoaderSites(t *testing.T) {
	plain := scan(t, build(t, helloSource, "amd64")).need(t, "mprotect")
	if plain == nil || !plain.Args[2].Known {
		t.Fatalf("mprotect without a loader: %+v, want a known protection", plain)
	}
	for _, s := range plain.Sites {
		if !s.Args[2].Known {
			t.Errorf("without a loader, a site with unknown protection: %+v", s)
		}
	}
	pie := scan(t, build(t, helloSource, "amd64", "-buildmode=pie"))
	n := pie.need(t, "mprotect")
	ofLoader := func(s Site) bool {
		return s.Class == finding.Startup && !s.Args[0].Known && !s.Args[2].Known && len(s.Path) == 1
	}
	if n == nil || n.Args[2].Known || !slices.ContainsFunc(n.Sites, ofLoader) {
		t.Errorf("mprotect of a PIE: %+v, want a site of the loader with unknown arguments", n)
	}
	if n := pie.need(t, "access"); n == nil || n.Class != finding.Startup || !slices.ContainsFunc(n.Sites, ofLoader) {
		t.Errorf("access of a PIE: %+v, want a start-up call of the loader", n)
	}
}
