package filter

// A cParser reads the initialiser of an array of struct sock_filter.
type cParser struct {
	r   cReader
	tok cToken // the one to look at
	p   Program
}

// parseC reads what ParseProgram says of C.
func parseC(text string) (Program, error) {
	c := &cParser{r: cReader{text: text, line: 1}}
	if err := c.program(); err != nil {
		return nil, err
	}
	if len(c.p) == 0 {
		return nil, c.tok.fail("no instructions")
	}
	return c.p, nil
}

// advance takes the next token.
func (c *cParser) advance() (err error) {
	c.tok, err = c.r.next()
	return err
}

// expect takes the next token if this one is what must stand here.
func (c *cParser) expect(text string) error {
	if !c.tok.is(text) {
		return c.tok.fail("%s where %q must stand", c.tok.name(), text)
	}
	return c.advance()
}

// name is the token for an error.
func (t cToken) name() string {
	if t.text == "" {
		return "the end of the text"
	}
	return quote(t.text)
}

func (c *cParser) program() error {
	declared, err := c.declaration()
	if err != nil {
		return err
	}
	if declared {
		return c.elements("}")
	}
	c.r = cReader{text: c.r.text, line: 1}
	if err := c.advance(); err != nil {
		return err
	}
	// The text is the array, or the elements of one. Its brace is not that of an element if
	// another element begins behind it.
	before := *c
	if c.tok.is("{") {
		if err := c.advance(); err != nil {
			return err
		}
		if c.tok.is("{", "BPF_STMT", "BPF_JUMP") {
			if err := c.elements("}"); err != nil {
				return err
			}
			if err := c.expect("}"); err != nil {
				return err
			}
			return c.end()
		}
		*c = before
	}
	if err := c.elements(""); err != nil {
		return err
	}
	return c.end()
}

// end refuses what stands behind an array without a declaration, but for semicolons.
func (c *cParser) end() error {
	for c.tok.is(";") {
		if err := c.advance(); err != nil {
			return err
		}
	}
	if c.tok.text != "" {
		return c.tok.fail("%s after the end of the array", c.tok.name())
	}
	return nil
}

// declaration goes to the first element of "struct sock_filter name[...] = {". It reports false
// where the text has none.
func (c *cParser) declaration() (bool, error) {
	for {
		t, err := c.r.next()
		switch {
		case err != nil:
			return false, err
		case t.text == "":
			return false, nil
		case !t.is("sock_filter"):
			continue
		}
		found, err := c.declarator()
		if found || err != nil {
			return found, err
		}
	}
}

// declarator reads "name[...] = {" and the token behind it.
func (c *cParser) declarator() (bool, error) {
	if err := c.advance(); err != nil {
		return false, err
	}
	if !isIdentifier(c.tok.text) {
		return false, nil
	}
	if err := c.advance(); err != nil {
		return false, err
	}
	if !c.tok.is("[") {
		return false, nil
	}
	for !c.tok.is("]", "", ";") {
		if err := c.advance(); err != nil {
			return false, err
		}
	}
	for _, text := range []string{"]", "=", "{"} {
		if !c.tok.is(text) {
			return false, nil
		}
		if err := c.advance(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// elements reads elements with commas between them, up to the text that ends them.
func (c *cParser) elements(end string) error {
	for !c.tok.is(end) {
		if len(c.p) == MaxDecode {
			return c.tok.fail("more than %d instructions", MaxDecode)
		}
		if err := c.element(); err != nil {
			return err
		}
		if c.tok.is(",") {
			if err := c.advance(); err != nil {
				return err
			}
		} else if !c.tok.is(end) && !(end == "" && c.tok.is(";")) {
			return c.tok.fail("%s where a comma must stand", c.tok.name())
		} else {
			break
		}
	}
	return nil
}

// The fields of struct sock_filter in their order.
var cFields = []string{"code", "jt", "jf", "k"}

// element reads one instruction.
func (c *cParser) element() error {
	var fields []int
	open, end := "(", ")"
	switch {
	case c.tok.is("{"):
		open, end = "{", "}"
	case c.tok.is("BPF_STMT"):
		fields = []int{0, 3}
	case c.tok.is("BPF_JUMP"):
		fields = []int{0, 3, 1, 2} // the macro has k before the targets
	default:
		return c.tok.fail("%s where {, BPF_STMT or BPF_JUMP must stand", c.tok.name())
	}
	at := c.tok
	if fields != nil {
		if err := c.advance(); err != nil {
			return err
		}
	}
	if err := c.expect(open); err != nil {
		return err
	}
	var in Insn
	n := 0
	for ; !c.tok.is(end); n++ {
		var err error
		if fields != nil && n < len(fields) {
			err = c.field(&in, fields[n])
		} else {
			n, err = c.member(&in, n, fields != nil)
		}
		if err != nil {
			return err
		}
		if !c.tok.is(",") {
			n++
			break
		}
		if err := c.advance(); err != nil {
			return err
		}
	}
	if fields != nil && (n != len(fields) || c.tok.is(",")) {
		return at.fail("%s takes %d values, not %d", at.text, len(fields), n)
	}
	c.p = append(c.p, in)
	return c.expect(end)
}

// member reads a value between braces, with a designator or without, and returns which field it
// was. A macro has none.
func (c *cParser) member(in *Insn, field int, macro bool) (int, error) {
	if c.tok.is(".") && !macro {
		if err := c.advance(); err != nil {
			return 0, err
		}
		field = len(cFields)
		for i, name := range cFields {
			if c.tok.is(name) {
				field = i
			}
		}
		if field == len(cFields) {
			return 0, c.tok.fail("struct sock_filter has no %s", c.tok.name())
		}
		if err := c.advance(); err != nil {
			return 0, err
		}
		if err := c.expect("="); err != nil {
			return 0, err
		}
	}
	if macro || field >= len(cFields) {
		return 0, c.tok.fail("an instruction has no more values")
	}
	return field, c.field(in, field)
}

// field reads the value of one field.
func (c *cParser) field(in *Insn, field int) error {
	at := c.tok
	v, err := c.expression(0)
	if err != nil {
		return err
	}
	n := v.int()
	low, high := int64(0), []int64{0xffff, 0xff, 0xff, 0xffffffff}[field]
	if field == 3 {
		low = -1 << 31
	}
	if n < low || n > high || v.wide && v.unsigned && n < 0 {
		return at.fail("%s is %d, which does not fit", cFields[field], n)
	}
	switch field {
	case 0:
		in.Code = uint16(n)
	case 1:
		in.Jt = uint8(n)
	case 2:
		in.Jf = uint8(n)
	case 3:
		in.K = uint32(n)
	}
	return nil
}
