package symbolize

import "bytes"

// cursor reads a section from an offset on. Past the end everything reads as zero and bad is set.
type cursor struct {
	data []byte
	at   int
	bad  bool
}

// cursorAt returns a cursor on data[offset:end].
func cursorAt(data []byte, offset, end uint64) cursor {
	end = min(end, uint64(len(data)))
	if offset > end {
		return cursor{bad: true}
	}
	return cursor{data: data[:end], at: int(offset)}
}

func (c *cursor) take(n uint64) []byte {
	if c.bad || n > uint64(len(c.data)-c.at) {
		c.bad = true
		return nil
	}
	b := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return b
}

// uint reads n bytes, at most 8.
func (c *cursor) uint(n uint64) (v uint64) {
	for i, b := range c.take(n) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (c *cursor) u8() uint8 {
	if c.bad || c.at >= len(c.data) {
		c.bad = true
		return 0
	}
	c.at++
	return c.data[c.at-1]
}

// uleb reads a number in base 128. Bits beyond the 64th are dropped.
func (c *cursor) uleb() (v uint64) {
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		if shift < 64 {
			v |= uint64(b&0x7f) << shift
		}
		if b&0x80 == 0 {
			return v
		}
	}
}

func (c *cursor) sleb() (v int64) {
	for shift := uint(0); ; {
		b := c.u8()
		if shift < 64 {
			v |= int64(b&0x7f) << shift
		}
		shift += 7
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

func (c *cursor) cstring() []byte {
	if c.bad {
		return nil
	}
	n := bytes.IndexByte(c.data[c.at:], 0)
	if n < 0 {
		c.bad = true
		return nil
	}
	s := c.data[c.at : c.at+n]
	c.at += n + 1
	return s
}

// length reads the length that begins a unit; long is the 64-bit format.
func (c *cursor) length() (n uint64, long bool) {
	n = c.uint(4)
	switch {
	case n == 0xffffffff:
		return c.uint(8), true
	case n >= 0xfffffff0:
		c.bad = true
	}
	return n, false
}
