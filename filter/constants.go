package filter

import (
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// auditNames are where the kernel's name for an architecture is not ours in capitals
// (include/uapi/linux/audit.h).
var auditNames = map[string]string{"I386": "x86", "SH": "sheb", "SHEL": "sh"}

// auditConstants are the AUDIT_ARCH_... of the kernel's headers for the architectures in the table.
// x32 has none of its own.
var auditConstants = func() map[string]uint32 {
	m := make(map[string]uint32)
	renamed := make(map[string]bool)
	for constant, name := range auditNames {
		renamed[name] = true
		m["AUDIT_ARCH_"+constant] = syscalls.ByName(name).Audit
	}
	for _, a := range syscalls.Arches() {
		if !renamed[a.Name] && syscalls.ByAudit(a.Audit, 0) == a {
			m["AUDIT_ARCH_"+strings.ToUpper(a.Name)] = a.Audit
		}
	}
	return m
}()

// cConstants are the numbers of linux/bpf_common.h and linux/filter.h, all of type int.
var cConstants = map[string]int64{
	"BPF_LD": ClassLd, "BPF_LDX": ClassLdx, "BPF_ST": ClassSt, "BPF_STX": ClassStx,
	"BPF_ALU": ClassAlu, "BPF_JMP": ClassJmp, "BPF_RET": ClassRet, "BPF_MISC": ClassMisc,
	"BPF_W": 0x00, "BPF_H": 0x08, "BPF_B": 0x10,
	"BPF_IMM": 0x00, "BPF_ABS": 0x20, "BPF_IND": 0x40, "BPF_MEM": 0x60, "BPF_LEN": 0x80, "BPF_MSH": 0xa0,
	"BPF_ADD": 0x00, "BPF_SUB": 0x10, "BPF_MUL": 0x20, "BPF_DIV": 0x30, "BPF_OR": 0x40, "BPF_AND": 0x50,
	"BPF_LSH": 0x60, "BPF_RSH": 0x70, "BPF_NEG": 0x80, "BPF_MOD": 0x90, "BPF_XOR": 0xa0,
	"BPF_JA": 0x00, "BPF_JEQ": 0x10, "BPF_JGT": 0x20, "BPF_JGE": 0x30, "BPF_JSET": 0x40,
	"BPF_K": 0x00, "BPF_X": SrcX, "BPF_A": 0x10, "BPF_TAX": 0x00, "BPF_TXA": 0x80,
	"BPF_MAXINSNS": MaxInsns, "BPF_MEMWORDS": MemWords,
	"__X32_SYSCALL_BIT": 0x40000000, "X32_SYSCALL_BIT": 0x40000000,
}

// cUnsigned are those of linux/seccomp.h, all of type unsigned.
var cUnsigned = func() map[string]uint32 {
	m := map[string]uint32{
		"SECCOMP_RET_KILL": uint32(KillThread), "SECCOMP_RET_ACTION_FULL": 0xffff0000,
		"SECCOMP_RET_ACTION": 0x7fff0000, "SECCOMP_RET_DATA": 0xffff,
	}
	for a, name := range actionNames {
		m["SECCOMP_RET_"+name] = uint32(a)
	}
	return m
}()

// cConstant returns the value of a name of the headers.
func cConstant(name string) (cValue, bool) {
	if v, ok := cConstants[name]; ok {
		return cValue{v: v}, true
	}
	if v, ok := cUnsigned[name]; ok {
		return cValue{v: int64(v), unsigned: true}, true
	}
	if v, ok := auditConstants[name]; ok {
		return cValue{v: int64(v), unsigned: v > 0x7fffffff}, true
	}
	if n, ok := ErrnoNumber(name); ok {
		return cValue{v: int64(n)}, true
	}
	return cValue{}, false
}

// offset reads offsetof(struct seccomp_data, field).
func (c *cParser) offset() (cValue, error) {
	for _, text := range []string{c.tok.text, "(", "struct", "seccomp_data", ","} {
		if err := c.expect(text); err != nil {
			return cValue{}, err
		}
	}
	at, ok := map[string]int64{
		"nr": OffsetNr, "arch": OffsetArch, "instruction_pointer": OffsetIP, "args": OffsetArgs,
	}[c.tok.text]
	if !ok {
		return cValue{}, c.tok.fail("struct seccomp_data has no %s", c.tok.name())
	}
	args := c.tok.is("args")
	if err := c.advance(); err != nil {
		return cValue{}, err
	}
	if args && c.tok.is("[") {
		if err := c.advance(); err != nil {
			return cValue{}, err
		}
		if len(c.tok.text) != 1 || c.tok.text < "0" || c.tok.text > "5" {
			return cValue{}, c.tok.fail("struct seccomp_data has no argument %s", c.tok.name())
		}
		at += 8 * int64(c.tok.text[0]-'0')
		if err := c.advance(); err != nil {
			return cValue{}, err
		}
		if err := c.expect("]"); err != nil {
			return cValue{}, err
		}
	}
	return cValue{at, true, true}, c.expect(")")
}
