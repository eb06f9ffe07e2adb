package filter

// Codes of classic BPF that have rules of their own in bpf_check_classic although seccomp refuses
// them afterwards.
const (
	codeModK   = 0x94
	codeLdAbsH = 0x28
	codeLdAbsB = 0x30
)

// classicOnly holds the codes that classic BPF has and seccomp refuses, with what they are.
var classicOnly = map[uint16]string{
	codeModK:   "mod k",
	0x9c:       "mod x",
	codeLdAbsH: "half-word load",
	codeLdAbsB: "byte load",
	0x40:       "indirect load",
	0x48:       "indirect half-word load",
	0x50:       "indirect byte load",
	0xb1:       "IP header length load",
}

// Offsets from ancillary on are no packet bytes but extensions: every fourth one of the first 16
// words exists (net/core/filter.c bpf_anc_helper; SKF_AD_OFF is -0x1000). All of them are refused
// by seccomp, only by another function.
const ancillary = 0xfffff000

func isAncillary(k uint32) bool { return k-ancillary < 64 && k%4 == 0 }

// seccompAllows repeats the switch of kernel/seccomp.c seccomp_check_filter.
func seccompAllows(code uint16) bool {
	switch code {
	case OpLdAbs, OpLdLen, OpLdxLen, OpLdImm, OpLdxImm, OpLdMem, OpLdxMem, OpSt, OpStx,
		OpAddK, OpAddX, OpSubK, OpSubX, OpMulK, OpMulX, OpDivK, OpDivX, OpOrK, OpOrX,
		OpAndK, OpAndX, OpLshK, OpLshX, OpRshK, OpRshX, OpNeg, OpXorK, OpXorX,
		OpJa, OpJeqK, OpJeqX, OpJgtK, OpJgtX, OpJgeK, OpJgeX, OpJsetK, OpJsetX,
		OpRetK, OpRetA, OpTax, OpTxa:
		return true
	}
	return false
}

// classicAllows repeats the table of net/core/filter.c chk_code_allowed.
func classicAllows(code uint16) bool {
	_, only := classicOnly[code]
	return only || seccompAllows(code)
}
