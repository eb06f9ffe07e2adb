package syscalls

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{
		"newuname": "uname", "opennat": "openat", "openta": "openat", "OPENAT": "openat", "clone33": "clone3",
		"sys_read": "read", "getpids": "getpid", "epoll_wiat": "epoll_wait", "newfstata": "newfstatat",
		"frobnicate": "", "": "", "zz": "", "x": "", "rea\x00\xff\xff": "", strings.Repeat("a", 1<<20): "",
	} {
		if got := Nearest(word); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", word, got, want)
		}
	}
	for _, name := range Names() {
		if got := Nearest(name); got != name {
			t.Errorf("Nearest(%q) = %q", name, got)
		}
	}
}

func TestNearestOf(t *testing.T) {
	words := []string{"", "lint", "scan", "simulate", strings.Repeat("long", 100)}
	for word, want := range map[string]string{"simulat": "simulate", "lnit": "lint", "scna": "scan", "verify": "", "": ""} {
		if got := NearestOf(word, words); got != want {
			t.Errorf("NearestOf(%q) = %q, want %q", word, got, want)
		}
	}
	if got := NearestOf("lint", nil); got != "" {
		t.Errorf("nearest of nothing is %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"newuname", "uname", 2}, {"openat2", "openat", 1}} {
		if got, back := distance(c.a, c.b), distance(c.b, c.a); got != c.want || back != c.want {
			t.Errorf("distance(%q, %q) = %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}
