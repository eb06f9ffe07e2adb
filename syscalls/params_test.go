package syscalls

import (
	"fmt"
	"strings"
	"testing"
)

// show writes a prototype as "name kind/bits" words.
func show(a *Arch, name string) string {
	list, ok := a.Params(name)
	if !ok {
		return "?"
	}
	var words []string
	for _, p := range list {
		words = append(words, fmt.Sprintf("%s:%s/%d", p.Name, p.Kind, p.Bits))
	}
	return strings.Join(words, " ")
}

// TestParams holds the table against prototypes written down from the manual pages (section 2) and,
// for the 64-bit values and their registers, from syscall(2), "Architecture-specific requirements".
func TestParams(t *testing.T) {
	for _, c := range []struct{ arches, name, want string }{
		{"x86_64 aarch64 s390x", "read", "fd:fd/32 buf:pointer/64 count:size/64"},
		{"x86 arm mips s390", "read", "fd:fd/32 buf:pointer/32 count:size/32"},
		{"x86_64 aarch64 riscv64", "openat", "dfd:fd/32 filename:pointer/64 flags:flags/32 mode:flags/16"},
		{"x86 arm", "openat", "dfd:fd/32 filename:pointer/32 flags:flags/32 mode:flags/16"},
		{"x86_64 ppc64le", "ioctl", "fd:fd/32 cmd:unsigned/32 arg:unsigned/64"},
		{"x32 mips64n32", "ioctl", "fd:fd/32 cmd:unsigned/32 arg:unsigned/32"},
		{"x86_64 x32 x86 arm", "socket", "family:int/32 type:int/32 protocol:int/32"},
		{"x86_64 aarch64", "fchmodat", "dfd:fd/32 filename:pointer/64 mode:flags/16"},
		{"x86_64 aarch64", "fchmodat2", "dfd:fd/32 filename:pointer/64 mode:flags/16 flags:flags/32"},
		{"x86_64", "mmap", "addr:unsigned/64 len:size/64 prot:flags/64 flags:flags/64 fd:fd/64 off:unsigned/64"},
		{"sh", "mmap", "addr:unsigned/32 len:size/32 prot:flags/32 flags:flags/32 fd:fd/32 off:unsigned/32"},
		{"x86 m68k", "mmap", "arg:pointer/32"},
		{"s390x", "mmap", "arg:pointer/64"},
		{"arm x86 ppc", "mmap2", "addr:unsigned/32 len:size/32 prot:flags/32 flags:flags/32 fd:fd/32 pgoff:unsigned/32"},
		{"s390", "mmap2", "arg:pointer/32"},
		{"x86_64 x32", "clone", "clone_flags:flags/64 newsp:unsigned/64 parent_tidptr:pointer/64 child_tidptr:pointer/64 tls:unsigned/64"},
		{"aarch64 riscv64 mips64 ppc64le parisc64", "clone", "clone_flags:flags/64 newsp:unsigned/64 parent_tidptr:pointer/64 tls:unsigned/64 child_tidptr:pointer/64"},
		{"x86 arm mipsel parisc", "clone", "clone_flags:flags/32 newsp:unsigned/32 parent_tidptr:pointer/32 tls:unsigned/32 child_tidptr:pointer/32"},
		{"s390x", "clone", "newsp:unsigned/64 clone_flags:flags/64 parent_tidptr:pointer/64 child_tidptr:pointer/64 tls:unsigned/64"},
		{"x86_64 s390x", "clone3", "uargs:pointer/64 size:size/64"},
		{"x86_64 x32 aarch64", "pread64", "fd:fd/32 buf:pointer/64 count:size/64 pos:long/64"},
		{"x86", "pread64", "fd:fd/32 buf:pointer/32 count:size/32 pos_lo:unsigned/32 pos_hi:long/32"},
		{"arm mipsel sh", "pread64", "fd:fd/32 buf:pointer/32 count:size/32 _:unknown/0 pos_lo:unsigned/32 pos_hi:long/32"},
		{"mips ppc sheb", "pread64", "fd:fd/32 buf:pointer/32 count:size/32 _:unknown/0 pos_hi:long/32 pos_lo:unsigned/32"},
		{"s390 parisc m68k", "pread64", "fd:fd/32 buf:pointer/32 count:size/32 pos_hi:long/32 pos_lo:unsigned/32"},
		{"arm mipsel", "truncate64", "path:pointer/32 _:unknown/0 length_lo:unsigned/32 length_hi:long/32"},
		{"x86 sh", "truncate64", "path:pointer/32 length_lo:unsigned/32 length_hi:long/32"},
		{"arm", "arm_fadvise64_64", "fd:fd/32 advice:int/32 offset_lo:unsigned/32 offset_hi:long/32 len_lo:unsigned/32 len_hi:long/32"},
		{"x86", "fadvise64_64", "fd:fd/32 offset_lo:unsigned/32 offset_hi:long/32 len_lo:unsigned/32 len_hi:long/32 advice:int/32"},
		{"x86_64", "sync_file_range", "fd:fd/32 offset:long/64 nbytes:long/64 flags:flags/32"},
		{"ppc64", "sync_file_range2", "fd:fd/32 flags:flags/32 offset:long/64 nbytes:long/64"},
		{"mips", "sync_file_range", "fd:fd/32 _:unknown/0 offset_hi:long/32 offset_lo:unsigned/32 nbytes_hi:long/32 nbytes_lo:unsigned/32"},
		{"x86", "fanotify_mark", "fanotify_fd:fd/32 flags:flags/32 mask_lo:flags/32 mask_hi:flags/32 dfd:fd/32 pathname:pointer/32"},
		{"x86_64 aarch64", "mount", "dev_name:pointer/64 dir_name:pointer/64 type:pointer/64 flags:flags/64 data:pointer/64"},
		{"x86_64", "prctl", "option:int/32 arg2:unsigned/64 arg3:unsigned/64 arg4:unsigned/64 arg5:unsigned/64"},
		{"x86_64", "kill", "pid:int/32 sig:int/32"},
		{"x86_64", "setuid", "uid:unsigned/32"},
		{"x86 arm s390", "setuid", "uid:unsigned/16"},
		{"x86 arm s390", "setuid32", "uid:unsigned/32"},
		{"x86_64", "ptrace", "request:long/64 pid:long/64 addr:unsigned/64 data:unsigned/64"},
		{"x86_64", "bpf", "cmd:int/32 uattr:pointer/64 size:size/32"},
		{"x86_64", "unshare", "unshare_flags:flags/64"},
		{"x86_64", "setns", "fd:fd/32 flags:flags/32"},
		{"x86_64", "keyctl", "option:int/32 arg2:unsigned/64 arg3:unsigned/64 arg4:unsigned/64 arg5:unsigned/64"},
		{"x86_64", "personality", "personality:unsigned/32"},
		{"x86", "socketcall", "call:int/32 args:pointer/32"},
		{"x86", "_llseek", "fd:fd/32 offset_high:unsigned/32 offset_low:unsigned/32 result:pointer/32 whence:unsigned/32"},
		{"x86_64 arm s390", "getpid", ""}, {"x86_64 s390", "rt_sigreturn", ""},
		{"x86_64", "no_such_call", "?"}, {"x86_64", "socketcall", "?"}, {"x86_64", "afs_syscall", "?"},
		{"x86_64", "", "?"},
	} {
		for _, arch := range strings.Fields(c.arches) {
			if got := show(ByName(arch), c.name); got != c.want {
				t.Errorf("%s %s:\n got %s\nwant %s", arch, c.name, got, c.want)
			}
		}
	}
}

// TestParamsLaws holds for every call of every ABI.
func TestParamsLaws(t *testing.T) {
	for _, a := range Arches() {
		unknown := 0
		for _, s := range a.Syscalls() {
			list, ok := a.Params(s.Name)
			if !ok {
				unknown++
				continue
			}
			if len(list) > 6 {
				t.Errorf("%s %s: %d parameters", a, s.Name, len(list))
			}
			seen := map[string]bool{}
			for _, p := range list {
				switch {
				case p.Kind == Unknown:
					if p.Bits != 0 || p.Name != "_" {
						t.Errorf("%s %s: %+v", a, s.Name, p)
					}
				case p.Bits != 16 && p.Bits != 32 && p.Bits != a.Bits:
					t.Errorf("%s %s: %s has %d bits", a, s.Name, p.Name, p.Bits)
				case p.Kind == Pointer && p.Bits != a.Bits && p.Bits != a.PointerBits:
					t.Errorf("%s %s: %s is a pointer of %d bits", a, s.Name, p.Name, p.Bits)
				case seen[p.Name]:
					t.Errorf("%s %s: two parameters %s", a, s.Name, p.Name)
				}
				seen[p.Name] = p.Kind != Unknown
			}
		}
		if unknown > 30 {
			t.Errorf("%s: %d prototypes unknown", a, unknown)
		}
	}
}

func TestParamsAreCopies(t *testing.T) {
	a := ByName("x86_64")
	list, _ := a.Params("read")
	list[0].Name = "changed"
	if again, _ := a.Params("read"); again[0].Name != "fd" {
		t.Error("a caller can change the table")
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{Unknown: "unknown", Int: "int", Unsigned: "unsigned", Long: "long",
		Pointer: "pointer", FD: "fd", Flags: "flags", Size: "size", 99: "kind(99)"} {
		if got := k.String(); got != want {
			t.Errorf("Kind(%d) is %q, want %q", uint8(k), got, want)
		}
	}
}
