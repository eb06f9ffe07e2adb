package elfscan

import "testing"

// Assembly that keeps numbers its own way. Calls: getsid through a register of its own, sync in
// AX or R8 behind a jump into the middle of a function, vhangup through a jump out of a branch, acct
// through the stack.
const asmSource source = `package main

func viaRegister()
func viaMiddle()
func viaBranch(n int)
func viaStack()

func main() { viaRegister(); viaMiddle(); viaBranch(2); viaStack() }
-- asm_amd64.s --
#include "textflag.h"

TEXT ·viaRegister(SB),NOSPLIT,$0-0
	MOVQ $124, R12
	JMP helper<>(SB)

TEXT helper<>(SB),NOSPLIT,$0-0
	MOVQ R12, AX
	SYSCALL
	RET

TEXT ·viaMiddle(SB),NOSPLIT,$0-0
	MOVL $162, AX
	LEAQ middle<>+5(SB), CX
	JMP CX

TEXT middle<>(SB),NOSPLIT,$0-0
	MOVL $39, AX
	SYSCALL
	RET

TEXT ·viaBranch(SB),NOSPLIT,$0-8
	MOVL $153, AX
	CMPQ n+0(FP), $1
	JEQ skip
	JMP enter<>(SB)
skip:
	RET

TEXT enter<>(SB),NOSPLIT,$0-0
	SYSCALL
	RET

TEXT ·viaStack(SB),NOSPLIT,$16-0
	MOVQ $163, 0(SP)
	CALL fromStack<>(SB)
	RET

TEXT fromStack<>(SB),NOSPLIT,$0-8
	MOVQ nr+0(FP), AX
	SYSCALL
	RET
-- asm_arm64.s --
#include "textflag.h"

TEXT ·viaRegister(SB),NOSPLIT,$0-0
	MOVD $156, R19
	JMP helper<>(SB)

TEXT helper<>(SB),NOSPLIT,$0-0
	MOVD R19, R8
	SVC
	RET

TEXT ·viaMiddle(SB),NOSPLIT,$0-0
	MOVD $81, R8
	JMP middle<>+4(SB)

TEXT middle<>(SB),NOSPLIT,$0-0
	MOVD $172, R8
	SVC
	RET

TEXT ·viaBranch(SB),NOSPLIT,$0-8
	MOVD n+0(FP), R0
	MOVD $58, R8
	CBZ R0, skip
	B enter<>(SB)
skip:
	RET

TEXT enter<>(SB),NOSPLIT,$0-0
	SVC
	RET

TEXT ·viaStack(SB),NOSPLIT,$16-0
	MOVD $89, R0
	MOVD R0, 8(RSP)
	BL fromStack<>(SB)
	RET

TEXT fromStack<>(SB),NOSPLIT,$0-8
	MOVD nr+0(FP), R8
	SVC
	RET
`

func TestAssembly(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			res := scan(t, build(t, asmSource, arch))
			for _, name := range []string{"getsid", "vhangup", "acct"} {
				if res.need(t, name) == nil {
					t.Errorf("%s is missing", name)
				}
			}
			// A jump into the middle of a function is not followed: what it brings is unknown.
			if res.need(t, "sync") == nil && len(res.Unresolved) != 1 {
				t.Errorf("sync was lost: %+v", res.Unresolved)
			}
		})
	}
}

func TestAssemblyUnresolved(t *testing.T) {
	const head = "package main\n\nfunc f()\n\nfunc main() { f() }\n-- asm_amd64.s --\n#include \"textflag.h\"\n\nTEXT ·f(SB),NOSPLIT,$32-0\n"
	for _, c := range []struct {
		name, body string
		unresolved int
	}{
		{"plain", "MOVL $162, AX\nSYSCALL\nRET\n", 0},
		{"int 0x80", "MOVL $36, AX\nINT $0x80\nRET\n", 1},
		{"sysenter", "MOVL $36, AX\nBYTE $0x0f; BYTE $0x34\nRET\n", 1},
		{"number in another instruction", "MOVL $162, AX\nBYTE $0xeb; BYTE $0x01; BYTE $0xb8; BYTE $0x0f; BYTE $0x05; BYTE $0x90; BYTE $0x90\nRET\n", 1},
		{"bytes that are no instruction", "BYTE $0x06; BYTE $0xb8; BYTE $0x0f; BYTE $0x05; BYTE $0x90; BYTE $0x90\nRET\n", 1},
		{"the same bytes as data", "MOVL $0x9090050f, AX\nRET\n", 0},
		{"jump to a register", "MOVL $162, AX\nMOVQ 0(SP), CX\nCMPQ CX, $3\nJEQ over\nMOVL $163, AX\nJMP CX\nover:\nSYSCALL\nRET\n", 0},
		{"what the kernel wrote", "MOVQ $162, 8(SP)\nLEAQ 8(SP), SI\nMOVL $0, DI\nMOVL $8, DX\nMOVL $0, AX\nSYSCALL\nMOVQ 8(SP), AX\nSYSCALL\nRET\n", 1},
		{"number on entry", "SYSCALL\nRET\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := scan(t, build(t, source(head+c.body), "amd64"))
			if len(res.Unresolved) != c.unresolved {
				t.Errorf("%d unresolved, want %d: %+v", len(res.Unresolved), c.unresolved, res.Unresolved)
			}
			if c.name == "jump to a register" && (res.need(t, "sync") == nil || res.need(t, "acct") == nil) {
				t.Error("a number was lost")
			}
		})
	}
}
