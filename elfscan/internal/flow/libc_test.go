package flow

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// libcs are the C libraries that machines for development have.
var libcs = []string{
	"/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6", "/usr/aarch64-linux-gnu/lib/libc.so.6",
	"/lib64/libc.so.6", "/lib/ld-musl-x86_64.so.1",
}

func eachLibc(t *testing.T, f func(t *testing.T, o *object)) {
	found := false
	for _, path := range libcs {
		if _, err := os.Stat(path); err == nil {
			found = true
			t.Run(strings.ReplaceAll(path[1:], "/", " "), func(t *testing.T) { f(t, openObject(t, path)) })
		}
	}
	if !found {
		t.Skip("no C library of Linux on this machine")
	}
}

// Each exported function of the C library that is named like a syscall and has one syscall
// instruction makes that call, or the newer one that stands in for it.
func TestLibcStubs(t *testing.T) {
	newer := map[string]string{"exit": "exit_group", "signalfd": "signalfd4", "pipe": "pipe2", "eventfd": "eventfd2",
		"getpgrp": "getpgid", "getdents": "getdents64"}
	eachLibc(t, func(t *testing.T, o *object) {
		checked := 0
		for start, name := range o.names {
			nr, ok := o.arch.Number(name)
			if f, _ := o.find(start); !ok || o.sites[start] != 1 || f.End-f.Start > 64 {
				continue
			}
			as := o.resolve(start)
			if len(as) != 1 || len(as[0].unknown) > 0 {
				t.Errorf("%s: %+v", name, as)
				continue
			}
			checked++
			instead, _ := o.arch.Number(newer[name])
			if !slices.Equal(as[0].nrs, []uint64{uint64(nr)}) && !(instead != 0 && slices.Equal(as[0].nrs, []uint64{uint64(instead)})) {
				t.Errorf("%s calls %v, want %d", name, as[0].nrs, nr)
			}
		}
		if checked < 60 {
			t.Errorf("only %d functions were checked", checked)
		}
		t.Logf("%d functions", checked)
	})
}

// What of a whole C library is not known is not much, and known by name.
func TestLibcUnknown(t *testing.T) {
	eachLibc(t, func(t *testing.T, o *object) {
		sites, unknown := 0, 0
		for _, f := range o.funcs {
			if o.sites[f.Start] == 0 {
				continue
			}
			for _, a := range o.resolve(f.Start) {
				sites++
				if len(a.unknown) > 0 || len(a.nrs) == 0 {
					unknown++
					t.Logf("%#x in %#x %s: %v %q", a.at, f.Start, o.names[f.Start], a.nrs, a.unknown)
				}
			}
		}
		if sites < 200 || unknown*100 > sites {
			t.Errorf("%d of %d syscall instructions have no number", unknown, sites)
		}
	})
}

// The calls that change credentials on all threads stand in a struct that glibc's functions pass to
// __nptl_setxid, which stores its address for a signal handler.
func TestLibcSetxid(t *testing.T) {
	eachLibc(t, func(t *testing.T, o *object) {
		var want []uint64
		for _, name := range []string{"setuid", "setgid", "setreuid", "setregid", "setgroups", "setresuid", "setresgid"} {
			nr, _ := o.arch.Number(name)
			want = append(want, uint64(nr))
		}
		slices.Sort(want)
		found := 0
		for _, f := range o.funcs {
			if o.sites[f.Start] == 0 {
				continue
			}
			for _, a := range o.resolve(f.Start) {
				if slices.Equal(a.nrs, want) && len(a.unknown) == 0 {
					found++
				}
			}
		}
		if strings.Contains(o.m.Path, "musl") { // it passes the struct through a pointer to a function
			if found != 0 {
				t.Errorf("%d places of musl make all of %v: it has none that is followed", found, want)
			}
			return
		}
		if found != 2 {
			t.Errorf("%d places make all of %v, want __nptl_setxid and its signal handler", found, want)
		}
	})
}
