package elfscan

import (
	"runtime"
	"strings"
	"testing"
)

// A jump into the middle of an instruction runs what reading from the start of the function does not show.
func TestJumpIntoInstruction(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		lacking(t, "needs instructions of x86-64")
	}
	const hidden = `1: .byte 0x48, 0xb8\n mov $100, %%eax\n xor %%edi, %%edi\n syscall\n`
	for name, c := range map[string]struct {
		code string
		want bool // complete
	}{
		"middle":      {`lea 1f(%%rip), %%rax\n add $2, %%rax\n jmp *%%rax\n` + hidden, false},
		"by a slot":   {`lea 1f(%%rip), %%rax\n add $2, %%rax\n mov %%rax, -8(%%rsp)\n mov -8(%%rsp), %%rax\n jmp *%%rax\n` + hidden, false},
		"start":       {`lea 1f(%%rip), %%rax\n jmp *%%rax\n 1: xor %%edi, %%edi\n movl $0x050f, %%edi\n`, true},
		"between":     {`lea 1f(%%rip), %%rax\n add $2, %%rax\n jmp *%%rax\n 1: xor %%edi, %%edi\n movl $0x050f, %%edi\n`, true},
		"no syscalls": {`lea 1f(%%rip), %%rax\n add $2, %%rax\n jmp *%%rax\n 1: .byte 0x48, 0xb8\n mov $100, %%eax\n xor %%edi, %%edi\n nop\n nop\n nop\n`, true},
	} {
		for _, flag := range []string{"-O0", "-O2"} {
			r, err := Scan(gcc(t, "p", `int main(void) { __asm__ volatile("`+c.code+`" ::: "rax", "rdi", "rcx", "r11", "memory"); return 0; }`, flag))
			if err != nil {
				t.Fatal(err)
			}
			told := false
			for _, u := range r.Unresolved {
				told = told || strings.Contains(u.Reason, "middle of an instruction")
			}
			if r.Complete() != c.want || told == c.want {
				t.Errorf("%s, %s: complete is %v, unresolved %+v", name, flag, r.Complete(), r.Unresolved)
			}
		}
	}
}
