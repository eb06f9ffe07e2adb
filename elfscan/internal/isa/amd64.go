package isa

import "encoding/binary"

// AMD64 describes x86-64 in 64-bit mode. Registers have their hardware numbers: RAX 0, RCX 1, RDX 2,
// RBX 3, RSP 4, RBP 5, RSI 6, RDI 7, R8 to R15 8 to 15.
var AMD64 = &Machine{
	Name: "x86_64", PtrSize: 8, Regs: 16, SP: rsp, LR: NoReg, FP: rbp,
	Number: rax, Args: [6]Reg{rdi, rsi, rdx, 10, 8, 9}, Result: rax,
	GoParams: []Reg{rax, rbx, rcx, rdi, rsi, 8, 9, 10, 11},
	GoKept:   Regs(rsp, 14),
	CallPush: 8, StackArg: 8,
	Scan: scanAMD64, Survey: surveyAMD64, Decode: decodeAMD64,
}

// scanAMD64 is AMD64's Scan.
func scanAMD64(code []byte, base uint64, refs []Ref) []Ref {
	for i := 0; i < len(code); {
		n, m, a, _ := parse(code[i:])
		switch {
		case n == 0:
			refs = append(refs, Ref{At: base + uint64(i), Kind: RefBad})
			n = 1
		case m != 0:
			b := code[i+m]
			if b&0xc7 == 5 || b&0xc7 == 4 && m+1 < n && code[i+m+1]&0x3f == 0x25 || a&check != 0 {
				refs = scanOperand(code, i, base, refs)
			}
		case a&clMask > clExact:
			refs = scanFlow(code, i, base, refs)
		}
		i += n
	}
	return refs
}

// scanOperand appends what the instruction at offset i does with a ModRM operand that has a fixed
// address, or where it branches, which XBEGIN does with a ModRM byte.
func scanOperand(code []byte, i int, base uint64, refs []Ref) []Ref {
	n, m, a, x := parse(code[i:])
	at, insn := base+uint64(i), code[i:i+n]
	b := insn[m]
	switch {
	case b == 0xf8 && insn[m-1] == 0xc7 && x.table() == mapOne:
		return appendJump(refs, at, insn, n-m-1, base, len(code))
	case b&0xc7 != 5 && (b&0xc7 != 4 || m+1 == n || insn[m+1]&0x3f != 0x25 || x&encX != 0):
		return refs
	case a&modIsReg != 0 || x&encSeg != 0:
		return refs
	}
	ref := Ref{At: at, Kind: RefLoad}
	switch {
	case a&clMask == clLea:
		ref.Kind = RefAddr
	case a&noAccess != 0:
		return refs
	case a.writesRM(b >> 3 & 7):
		ref.Kind = RefStore
	}
	if b&7 == 5 {
		ref.Target = at + uint64(n) + disp32(insn[m+1:])
	} else {
		ref.Target = disp32(insn[m+2:])
	}
	if x&enc67 != 0 {
		ref.Target = uint64(uint32(ref.Target))
	}
	return append(refs, ref)
}

// scanFlow appends what the instruction at offset i does, which has a class of its own and no
// ModRM operand.
func scanFlow(code []byte, i int, base uint64, refs []Ref) []Ref {
	n, _, a, x := parse(code[i:])
	at, insn := base+uint64(i), code[i:i+n]
	switch a & clMask {
	case clCall:
		return append(refs, Ref{At: at, Target: at + uint64(n) + disp32(insn[n-4:]), Kind: RefCall})
	case clJump, clBranch:
		return appendJump(refs, at, insn, int(immLen[a&immMask][0]), base, len(code))
	case clSyscall:
		return append(refs, Ref{At: at, Kind: RefSyscall})
	case clInt80:
		return append(refs, Ref{At: at, Kind: RefInt80})
	case clInt:
		if insn[n-1] == 0x80 {
			return append(refs, Ref{At: at, Kind: RefInt80})
		}
	case clMoffs:
		if x&encSeg != 0 {
			return refs
		}
		ref := Ref{At: at, Target: moffs(insn, x), Kind: RefLoad}
		if x.opcode()&2 != 0 {
			ref.Kind = RefStore
		}
		return append(refs, ref)
	}
	return refs
}

// appendJump appends a jump whose displacement is the last width bytes of insn, unless it stays
// inside of the size bytes of code at base.
func appendJump(refs []Ref, at uint64, insn []byte, width int, base uint64, size int) []Ref {
	target := at + uint64(len(insn)) + rel(insn, width)
	if target-base < uint64(size) {
		return refs
	}
	return append(refs, Ref{At: at, Target: target, Kind: RefJump})
}

// rel reads the sign-extended displacement in the last width bytes of insn.
func rel(insn []byte, width int) uint64 {
	b := insn[len(insn)-width:]
	switch width {
	case 1:
		return uint64(int64(int8(b[0])))
	case 2:
		return uint64(int64(int16(binary.LittleEndian.Uint16(b))))
	}
	return disp32(b)
}

// moffs reads the absolute address that ends a MOV of A0 to A3.
func moffs(insn []byte, x enc) uint64 {
	if x&enc67 != 0 {
		return uint64(binary.LittleEndian.Uint32(insn[len(insn)-4:]))
	}
	return binary.LittleEndian.Uint64(insn[len(insn)-8:])
}

// disp32 reads a sign-extended 32-bit number.
func disp32(b []byte) uint64 { return uint64(int64(int32(binary.LittleEndian.Uint32(b)))) }
