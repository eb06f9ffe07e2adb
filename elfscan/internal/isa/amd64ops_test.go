package isa

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestAMD64Decode gives instructions and the Ops they turn into. That the Ops are true of the
// processor is what TestAMD64DecodeAgainstProcessor is for; here is which ones they are.
func TestAMD64Decode(t *testing.T) {
	for _, c := range []struct{ text, code, want string }{
		{"mov $60,%eax", "\xb8\x3c\x00\x00\x00", "r0:4 = 60"},
		{"mov $-1,%eax", "\xb8\xff\xff\xff\xff", "r0:4 = -1"},
		{"mov $-1,%rax", "\x48\xc7\xc0\xff\xff\xff\xff", "r0:8 = -1"},
		{"movabs", "\x49\xb8\x88\x77\x66\x55\x44\x33\x22\x11", "r8:8 = 1234605616436508552"},
		{"mov $60,%al", "\xb0\x3c", "r0:8 = r0 & -256; r0:8 = r0 | 60"},
		{"mov $60,%ah", "\xb4\x3c", "r0:8 = r0 & -65281; r0:8 = r0 | 15360"},
		{"mov $60,%spl", "\x40\xb4\x3c", "r4:8 = r4 & -256; r4:8 = r4 | 60"},
		{"xor %edi,%edi", "\x31\xff", "r7:4 = 0"},
		{"sub %rax,%rax", "\x48\x29\xc0", "r0:8 = 0"},
		{"or $-1,%eax", "\x83\xc8\xff", "r0:4 = -1"},
		{"mov %edi,%eax", "\x89\xf8", "r0:4 = r7"},
		{"mov %di,%ax", "\x66\x89\xf8", "forget r0"},
		{"mov %ah,%bl", "\x88\xe3", "forget r3"},
		{"mov 8(%rsp),%rax", "\x48\x8b\x44\x24\x08", "r0:8 = [r4+8]8"},
		{"mov %eax,4(%rdi,%rcx,8)", "\x89\x44\xcf\x04", "[r7+r1*8+4]4 = r0"},
		{"movb $1,(%rax)", "\xc6\x00\x01", "[r0]1 = 1"},
		{"mov rip,%rax", "\x48\x8b\x05\x10\x00\x00\x00", "r0:8 = [0x401017]8"},
		{"lea rip,%rax", "\x48\x8d\x05\x10\x00\x00\x00", "r0:8 = &[0x401017]"},
		{"lea (%rdi),%eax", "\x8d\x07", "r0:4 = &[r7]"},
		{"mov %fs:0x28,%rax", "\x64\x48\x8b\x04\x25\x28\x00\x00\x00", "forget r0"},
		{"mov %rax,%fs:0x28", "\x64\x48\x89\x04\x25\x28\x00\x00\x00", ""},
		{"mov (%eax),%eax", "\x67\x8b\x00", "forget r0"},
		{"mov %eax,(%eax)", "\x67\x89\x00", "forget [0x0]0"},
		{"movzbl %al,%ecx", "\x0f\xb6\xc8", "r1:4 = r0 & 255"},
		{"movzwl (%rax),%ecx", "\x0f\xb7\x08", "r1:4 = [r0]2"},
		{"movzbl %ah,%ecx", "\x0f\xb6\xcc", "forget r1"},
		{"movslq %edi,%rax", "\x48\x63\xc7", "r0:8 = sext4 r7"},
		{"movsbl (%rdi),%eax", "\x0f\xbe\x07", "r0:4 = sext1 [r7]1"},
		{"cltq", "\x48\x98", "r0:8 = sext4 r0"},
		{"cltd", "\x99", "forget r2"},
		{"add $8,%rsp", "\x48\x83\xc4\x08", "r4:8 = r4 + 8"},
		{"add (%rdi),%eax", "\x03\x07", "r0:4 = r0 + [r7]4"},
		{"addw %ax,(%rdi)", "\x66\x01\x07", "[r7]2 = [r7]2 + r0"},
		{"adc %rdi,%rax", "\x48\x11\xf8", "forget r0"},
		{"cmp %rdi,%rax", "\x48\x39\xf8", ""},
		{"shr $4,%eax", "\xc1\xe8\x04", "r0:4 = r0; r0:4 = r0 >> 4"},
		{"shl %cl,%eax", "\xd3\xe0", "forget r0"},
		{"sar $4,%eax", "\xc1\xf8\x04", "forget r0"},
		{"neg %rax", "\x48\xf7\xd8", "r0:8 = 0 - r0"},
		{"not %eax", "\xf7\xd0", "r0:4 = r0 ^ -1"},
		{"div %rcx", "\x48\xf7\xf1", "forget r0 r2"},
		{"imul %rcx,%rax", "\x48\x0f\xaf\xc1", "forget r0"},
		{"cmovne %ecx,%eax", "\x0f\x45\xc1", "r0:4 = r0 or r1"},
		{"sbb %eax,%eax", "\x19\xc0", "r0:4 = 0 or -1"}, {"sbb %ecx,%eax", "\x19\xc8", "forget r0"},
		{"adc $3,%rcx", "\x48\x83\xd1\x03", "r1:8 = r1 or &[r1+1]; r1:8 = r1 + 3"}, {"sbb $-1,%ecx", "\x83\xd9\xff", "r1:4 = r1 or &[r1-1]; r1:4 = r1 - -1"},
		{"sete %al", "\x0f\x94\xc0", "forget r0"},
		{"push %rax", "\x50", "[r4-8]8 = r0; r4:8 = r4 - 8"},
		{"push $60", "\x6a\x3c", "[r4-8]8 = 60; r4:8 = r4 - 8"},
		{"pop %rax", "\x58", "r0:8 = [r4]8; r4:8 = r4 + 8"},
		{"pop %rsp", "\x5c", "r4:8 = [r4]8"},
		{"pop 8(%rsp)", "\x8f\x44\x24\x08", "r4:8 = r4 + 8; [r4+8]8 = [r4-8]8"},
		{"leave", "\xc9", "r4:8 = r5; r5:8 = [r4]8; r4:8 = r4 + 8"},
		{"xchg %rax,%rbx", "\x48\x93", "forget r0 r3"},
		{"nop", "\x90", ""}, {"xchg %rax,%r8", "\x49\x90", "forget r0 r8"},
		{"lock cmpxchg %rcx,(%rdi)", "\xf0\x48\x0f\xb1\x0f", "forget [r7]8; forget r0"},
		{"cmpxchg16b (%rdi)", "\x48\x0f\xc7\x0f", "forget [r7]16; forget r0 r2"},
		{"rep stos %rax,(%rdi)", "\xf3\x48\xab", "forget [r7+r1*8]8; forget r1 r7"},
		{"movsb", "\xa4", "forget [r7]1; forget r1 r6 r7"},
		{"cpuid", "\x0f\xa2", "forget r0 r1 r2 r3"},
		{"xgetbv", "\x0f\x01\xd0", "forget r0 r2"},
		{"movups %xmm15,16(%rsp)", "\x44\x0f\x11\x7c\x24\x10", "forget [r4+16]16"},
		{"vmovdqu %ymm0,(%rdi)", "\xc5\xfe\x7f\x07", "forget [r7]32"},
		{"vmovdqu64 %zmm16,64(%rdi)", "\x62\xe1\xfe\x48\x7f\x47\x01", "forget [r7+64]64"},
		{"movd %xmm0,%eax", "\x66\x0f\x7e\xc0", "forget r0"},
		{"movq %rax,%xmm0", "\x66\x48\x0f\x6e\xc0", ""},
		{"cvttsd2si %xmm0,%rax", "\xf2\x48\x0f\x2c\xc0", "forget r0"},
		{"mulx %rax,%rbx,%rcx", "\xc4\xe2\xe3\xf6\xc8", "forget r1 r3"},
		{"blsr %rax,%rbx", "\xc4\xe2\xe0\xf3\xc8", "forget r3"},
		{"fstpt (%rsp)", "\xdb\x3c\x24", "forget [r4]10"},
		{"fnstsw %ax", "\xdf\xe0", "forget r0"},
		{"endbr64", "\xf3\x0f\x1e\xfa", ""}, {"vzeroupper", "\xc5\xf8\x77", ""},
		{"syscall", "\x0f\x05", "syscall r0 r1 r11"},
		{"int $0x80", "\xcd\x80", "int80 r0 r8 r9 r10 r11"},
		{"call", "\xe8\x10\x00\x00\x00", "call 0x401015"},
		{"call *%rax", "\xff\xd0", "callind r0"},
		{"call *%fs:16(%rax)", "\x64\xff\x50\x10", "callind ?"},
		{"jmp *(%rax,%rcx,8)", "\xff\x24\xc8", "jumpind [r0+r1*8]8"},
		{"jmp", "\xeb\xfe", "jump 0x401000"},
		{"jne", "\x0f\x85\x10\x00\x00\x00", "branch 0x401016"},
		{"loop", "\xe2\xfe", "forget r1; branch 0x401000"},
		{"ret", "\xc3", "return"}, {"ret $8", "\xc2\x08\x00", "return"},
		{"ud2", "\x0f\x0b", "stop"}, {"hlt", "\xf4", "stop"}, {"int3", "\xcc", "stop"},
	} {
		before := Op{Kind: OpStop, Target: 1}
		ops, n := AMD64.Decode([]byte(c.code+"\x90"), testBase, []Op{before})
		var got []string
		for _, op := range ops[1:] {
			got = append(got, describe(op))
		}
		if n != len(c.code) || ops[0] != before || strings.Join(got, "; ") != c.want {
			t.Errorf("%s: length %d, %q, want %d, %q", c.text, n, strings.Join(got, "; "), len(c.code), c.want)
		}
	}
}

// TestAMD64DecodeUndefined gives bytes that are no instruction, or only its beginning.
func TestAMD64DecodeUndefined(t *testing.T) {
	for _, code := range []string{"", "\x06", "\x60", "\x82\xc0\x01", "\x9a", "\xce", "\xd4\x0a", "\xd6", "\xea",
		"\x48", "\x0f", "\x0f\x04", "\x0f\x38", "\x8d\xc0", "\xc5\xf8", "\x62\xf1\x7c", "\xf0\xc5\xf8\x77",
		"\xe8\x00\x00\x00", "\x0f\xff", "\x48\xb8\x00\x00\x00\x00\x00\x00\x00", strings.Repeat("\x66", 15) + "\x90"} {
		if ops, n := AMD64.Decode([]byte(code), testBase, nil); n != 0 || len(ops) != 0 {
			t.Errorf("% x has length %d, %v", code, n, ops)
		}
	}
	if _, n := AMD64.Decode([]byte(strings.Repeat("\x66", 14)+"\x90"), testBase, nil); n != 15 {
		t.Errorf("the longest NOP has length %d", n)
	}
}

// describe writes an Op down.
func describe(op Op) string {
	signs := map[OpKind]string{OpAdd: "+", OpSub: "-", OpAnd: "&", OpOr: "|", OpXor: "^", OpShl: "<<", OpShr: ">>", OpSelect: "or"}
	flows := map[OpKind]string{OpCall: "call", OpJump: "jump", OpBranch: "branch", OpCallInd: "callind", OpJumpInd: "jumpind",
		OpReturn: "return", OpStop: "stop", OpSyscall: "syscall", OpInt80: "int80", OpForget: "forget"}
	if word, ok := flows[op.Kind]; ok {
		if slices.Contains([]OpKind{OpCall, OpJump, OpBranch}, op.Kind) {
			word += fmt.Sprintf(" %#x", op.Target)
		}
		if op.Kind == OpCallInd || op.Kind == OpJumpInd {
			word += " " + operandText(op.A)
		}
		if op.Dst.Kind != None {
			word += " " + operandText(op.Dst)
		}
		for r := range Reg(64) {
			if op.Clobber.Has(r) {
				word += fmt.Sprintf(" r%d", r)
			}
		}
		return word
	}
	dst := operandText(op.Dst)
	if op.Dst.Kind == RegOp {
		dst += fmt.Sprintf(":%d", op.Width)
	}
	switch op.Kind {
	case OpSet:
		return dst + " = " + operandText(op.A)
	case OpSignExtend:
		return fmt.Sprintf("%s = sext%d %s", dst, op.A.Size, operandText(op.A))
	}
	return dst + " = " + operandText(op.A) + " " + signs[op.Kind] + " " + operandText(op.B)
}

func operandText(o Operand) string {
	switch o.Kind {
	case RegOp:
		return fmt.Sprintf("r%d", o.Reg)
	case Imm:
		return fmt.Sprint(o.Value)
	case Mem, Addr:
	default:
		return "?"
	}
	s := ""
	if o.Reg != NoReg {
		s = fmt.Sprintf("r%d", o.Reg)
	}
	if o.Index != NoReg {
		s += fmt.Sprintf("+r%d*%d", o.Index, o.Scale)
	}
	if s == "" {
		s = fmt.Sprintf("%#x", o.Value)
	} else if o.Value != 0 {
		s += fmt.Sprintf("%+d", o.Value)
	}
	if o.Kind == Addr {
		return "&[" + s + "]"
	}
	return fmt.Sprintf("[%s]%d", s, o.Size)
}
