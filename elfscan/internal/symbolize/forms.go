package symbolize

import "bytes"

// valueKind says what an attribute's number means.
type valueKind uint8

const (
	absent       valueKind = iota
	number                 // a constant, or the offset in the section that the attribute implies
	address                //
	addressIndex           // in .debug_addr
	text                   // string at an offset of a section
	textIndex              // in .debug_str_offsets
	reference              // offset in .debug_info
	rangeIndex             // in .debug_rnglists
)

type value struct {
	kind valueKind
	n    uint64
	text []byte
}

// The forms of DWARF 5, 7.5.6, and the GNU extensions in front of it.
const (
	formAddr          = 0x01
	formBlock2        = 0x03
	formBlock4        = 0x04
	formData2         = 0x05
	formData4         = 0x06
	formData8         = 0x07
	formString        = 0x08
	formBlock         = 0x09
	formBlock1        = 0x0a
	formData1         = 0x0b
	formFlag          = 0x0c
	formSdata         = 0x0d
	formStrp          = 0x0e
	formUdata         = 0x0f
	formRefAddr       = 0x10
	formRef1          = 0x11
	formRef2          = 0x12
	formRef4          = 0x13
	formRef8          = 0x14
	formRefUdata      = 0x15
	formIndirect      = 0x16
	formSecOffset     = 0x17
	formExprloc       = 0x18
	formFlagPresent   = 0x19
	formStrx          = 0x1a
	formAddrx         = 0x1b
	formRefSup4       = 0x1c
	formStrpSup       = 0x1d
	formData16        = 0x1e
	formLineStrp      = 0x1f
	formRefSig8       = 0x20
	formImplicitConst = 0x21
	formLoclistx      = 0x22
	formRnglistx      = 0x23
	formRefSup8       = 0x24
	formStrx1         = 0x25
	formStrx2         = 0x26
	formStrx3         = 0x27
	formStrx4         = 0x28
	formAddrx1        = 0x29
	formAddrx2        = 0x2a
	formAddrx3        = 0x2b
	formAddrx4        = 0x2c
	formGNUAddrIndex  = 0x1f01
	formGNUStrIndex   = 0x1f02
	formGNURefAlt     = 0x1f20
	formGNUStrpAlt    = 0x1f21
)

// formSize returns the size of a form that has one: a number of bytes, of addresses and of offsets.
func formSize(form uint16) (bytes, addresses, offsets int, fixed bool) {
	switch form {
	case formFlagPresent, formImplicitConst:
		return 0, 0, 0, true
	case formData1, formRef1, formFlag, formStrx1, formAddrx1:
		return 1, 0, 0, true
	case formData2, formRef2, formStrx2, formAddrx2:
		return 2, 0, 0, true
	case formStrx3, formAddrx3:
		return 3, 0, 0, true
	case formData4, formRef4, formStrx4, formAddrx4, formRefSup4:
		return 4, 0, 0, true
	case formData8, formRef8, formRefSig8, formRefSup8:
		return 8, 0, 0, true
	case formData16:
		return 16, 0, 0, true
	case formAddr:
		return 0, 1, 0, true
	case formStrp, formSecOffset, formLineStrp, formStrpSup, formGNURefAlt, formGNUStrpAlt:
		return 0, 0, 1, true
	}
	return 0, 0, 0, false // formRefAddr has the size of an address in DWARF 2
}

// value reads an attribute of a form. Unknown forms end the unit: their size is unknown, too.
func (d *dwarf) value(c *cursor, u *unit, form uint16, implicit int64) value {
	if form == formIndirect {
		form = uint16(min(c.uleb(), 0xffff))
		if form == formIndirect || form == formImplicitConst {
			c.bad = true
		}
	}
	if n, a, o, fixed := formSize(form); fixed && n <= 8 {
		raw := c.uint(uint64(n) + uint64(a)*u.addrSize + uint64(o)*u.offsetSize())
		return d.fixedValue(u, form, raw, implicit)
	}
	switch form {
	case formData16:
		c.take(16)
	case formString:
		return value{kind: text, text: c.cstring()}
	case formBlock1:
		c.take(uint64(c.u8()))
	case formBlock2:
		c.take(c.uint(2))
	case formBlock4:
		c.take(c.uint(4))
	case formBlock, formExprloc:
		c.take(c.uleb())
	case formSdata:
		return value{kind: number, n: uint64(c.sleb())}
	case formUdata:
		return value{kind: number, n: c.uleb()}
	case formLoclistx:
		c.uleb()
	case formRnglistx:
		return value{kind: rangeIndex, n: c.uleb()}
	case formRefUdata:
		return value{kind: reference, n: u.start + c.uleb()}
	case formRefAddr:
		if u.version == 2 {
			return value{kind: reference, n: c.uint(u.addrSize)}
		}
		return value{kind: reference, n: c.uint(u.offsetSize())}
	case formStrx, formGNUStrIndex:
		return value{kind: textIndex, n: c.uleb()}
	case formAddrx, formGNUAddrIndex:
		return value{kind: addressIndex, n: c.uleb()}
	default:
		c.bad = true
	}
	return value{}
}

func (d *dwarf) fixedValue(u *unit, form uint16, raw uint64, implicit int64) value {
	switch form {
	case formAddr:
		return value{kind: address, n: raw}
	case formData1, formData2, formData4, formData8, formSecOffset:
		return value{kind: number, n: raw}
	case formImplicitConst:
		return value{kind: number, n: uint64(implicit)}
	case formFlag, formFlagPresent:
		return value{}
	case formRef1, formRef2, formRef4, formRef8:
		return value{kind: reference, n: u.start + raw}
	case formStrp:
		return value{kind: text, text: textAt(d.str, raw)}
	case formLineStrp:
		return value{kind: text, text: textAt(d.lineStr, raw)}
	case formStrx1, formStrx2, formStrx3, formStrx4:
		return value{kind: textIndex, n: raw}
	case formAddrx1, formAddrx2, formAddrx3, formAddrx4:
		return value{kind: addressIndex, n: raw}
	}
	return value{} // in a file that is not read
}

// maxText bounds names and paths; what is longer counts as absent.
const maxText = 1 << 14

func textAt(data []byte, offset uint64) []byte {
	if offset >= uint64(len(data)) {
		return nil
	}
	data = data[offset:min(uint64(len(data)), offset+maxText)]
	return data[:max(bytes.IndexByte(data, 0), 0)]
}

// textOf returns the string of an attribute.
func (d *dwarf) textOf(u *unit, v value) string {
	switch v.kind {
	case text:
		return string(v.text)
	case textIndex:
		if at, ok := indexed(d.strOffsets, u.strBase, v.n, u.offsetSize()); ok {
			return string(textAt(d.str, at))
		}
	}
	return ""
}

// addressOf returns the address of an attribute.
func (d *dwarf) addressOf(u *unit, v value) (uint64, bool) {
	switch v.kind {
	case address:
		return v.n, true
	case addressIndex:
		return indexed(d.addr, u.addrBase, v.n, u.addrSize)
	}
	return 0, false
}

// indexed returns a word of a table.
func indexed(table []byte, base, index, size uint64) (uint64, bool) {
	if index > uint64(len(table)) || base > uint64(len(table)) {
		return 0, false
	}
	c := cursorAt(table, base+index*size, uint64(len(table)))
	n := c.uint(size)
	return n, !c.bad
}
