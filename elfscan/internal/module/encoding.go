package module

// The encodings of pointers in frame descriptions, DW_EH_PE_*: how the bits are stored, and what
// they are relative to.
const (
	encodeAbsolute = 0x00
	encodeULEB     = 0x01
	encode2        = 0x02
	encode4        = 0x03
	encode8        = 0x04
	encodeSigned   = 0x08
	encodeSLEB     = 0x09
	encodeSigned2  = 0x0a
	encodeSigned4  = 0x0b
	encodeSigned8  = 0x0c

	encodePC      = 0x10
	encodeText    = 0x20
	encodeData    = 0x30
	encodeFunc    = 0x40
	encodeAligned = 0x50

	encodeIndirect    = 0x80
	encodeFormat      = 0x0f
	encodeApplication = 0x70
	encodeOmit        = 0xff
)

// cursor reads numbers from bytes; bad is set, and stays set, once they are too few or of an
// unknown form.
type cursor struct {
	data []byte
	addr uint64 // of data
	base uint64 // what data-relative pointers are relative to
	bad  bool
}

// skip passes over n bytes and returns them, nil if there are fewer.
func (c *cursor) skip(n int) []byte {
	if n > len(c.data) {
		c.bad = true
		c.data = nil
		return nil
	}
	b := c.data[:n]
	c.data, c.addr = c.data[n:], c.addr+uint64(n)
	return b
}

func (c *cursor) byte() uint8 {
	if b := c.skip(1); b != nil {
		return b[0]
	}
	return 0
}

// leb reads a variable-length number and returns how many bits it stored.
func (c *cursor) leb() (v uint64, bits uint, last uint8) {
	for bits < 70 {
		last = c.byte()
		v |= uint64(last&0x7f) << bits
		bits += 7
		if last&0x80 == 0 {
			return v, bits, last
		}
	}
	c.bad = true
	return v, bits, last
}

func (c *cursor) uleb() uint64 {
	v, _, _ := c.leb()
	return v
}

func (c *cursor) sleb() uint64 {
	v, bits, last := c.leb()
	if last&0x40 != 0 && bits < 64 {
		v |= ^uint64(0) << bits
	}
	return v
}

// pointer reads a pointer in an encoding. A stored zero is no pointer, whatever it is relative to.
// Indirect pointers are returned as the address that holds them.
func (c *cursor) pointer(code uint8) uint64 {
	at := c.addr
	v := c.number(code & encodeFormat)
	if v == 0 {
		return 0
	}
	switch code & encodeApplication {
	case encodeAbsolute:
		return v
	case encodePC:
		return at + v
	case encodeData:
		return c.base + v
	}
	c.bad = true // nothing in use: relative to .text, to the function, or aligned
	return 0
}

// number reads a number in one of the formats.
func (c *cursor) number(format uint8) uint64 {
	n := int(sizeOfEncoding(format))
	if n == 0 {
		switch format {
		case encodeULEB:
			return c.uleb()
		case encodeSLEB:
			return c.sleb()
		}
		c.bad = true
		return 0
	}
	b := c.skip(n)
	if b == nil {
		return 0
	}
	switch format {
	case encode2:
		return uint64(le.Uint16(b))
	case encodeSigned2:
		return uint64(int16(le.Uint16(b)))
	case encode4:
		return uint64(le.Uint32(b))
	case encodeSigned4:
		return uint64(int32(le.Uint32(b)))
	}
	return le.Uint64(b)
}

// sizeOfEncoding returns how many bytes a number takes, 0 if it varies or the format is unknown.
func sizeOfEncoding(code uint8) uint64 {
	switch code & encodeFormat {
	case encode2, encodeSigned2:
		return 2
	case encode4, encodeSigned4:
		return 4
	case encodeAbsolute, encodeSigned, encode8, encodeSigned8:
		return 8
	}
	return 0
}
