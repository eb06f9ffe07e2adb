package code

import "testing"

// TestExits has functions that end in a system call, with another function right behind each.
func TestExits(t *testing.T) {
	for _, name := range []string{"exit.amd64", "exit.arm64"} {
		t.Run(name, func(t *testing.T) {
			s := load(t, name)
			calls := []string{"leave_syscall", "group_syscall", "shared_syscall", "twice_group", "twice_syscall"}
			want := map[string]bool{"leave": false, "group": false, "shared": true, "twice": false}
			if name == "exit.amd64" {
				calls = append(calls, "alike_syscall", "framed_syscall", "other_syscall", "first_half_syscall")
				want["alike"], want["first_half"] = true, true
				if s.none("unused"); s.fn("other").End != s.addr("other_end") {
					t.Error("what lies behind the frame of other is not part of it")
				}
			}
			for label, falls := range want {
				fn := s.fn(label)
				if label != "twice" && fn.End != s.addr("behind_"+label) {
					t.Errorf("%s ends at %#x", label, fn.End)
				}
				if fn.Flags != Guessed|HasSyscall|FallsOut*flag(falls) {
					t.Errorf("%s has flags %05b", label, fn.Flags)
				}
			}
			s.calls(calls...)
		})
	}
}

func flag(b bool) Flags {
	if b {
		return 1
	}
	return 0
}
