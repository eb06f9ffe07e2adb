package profile

// A tree is a text that was read into values and keeps their places, whatever its notation: the
// JSON of a source or the YAML of a yamlTree. Its methods cannot fail on syntax, which was checked
// before there was a tree.
type tree interface {
	// kind names the type of a value as messages do: "an object", "an array", "a string", "a number",
	// "a boolean" or "null".
	kind(v value) string
	isNull(v value) bool
	// members calls f for each member of an object, and elements for each element of an array, in
	// file order, until f fails.
	members(v value, f func(key, val value) error) error
	elements(v value, f func(i int, val value) error) error
	// text gives a string or a key, truth a boolean, and number the digits of a number: in decimal, if it is whole.
	text(v value) string
	truth(v value) bool
	number(v value) string
	pos(v value) Pos
}

// A value is one value of a tree. 0 is no member and no element of anything.
type value int

// A document is one JSON or YAML value of a file.
type document struct {
	tree
	root value
	yaml bool // the notation
}

// member finds a member by the keys that lead to it from v, letter by letter; of several the last. It is
// 0 if there is none.
func (d document) member(v value, keys ...string) value {
	for _, key := range keys {
		if d.kind(v) != "an object" {
			return 0
		}
		found := value(0)
		// The callback never fails.
		_ = d.members(v, func(k, val value) error {
			if d.text(k) == key {
				found = val
			}
			return nil
		})
		if v = found; v == 0 {
			return 0
		}
	}
	return v
}

// word gives the string to which the keys lead from v; "" if there is no such string.
func (d document) word(v value, keys ...string) string {
	if m := d.member(v, keys...); m != 0 && d.kind(m) == "a string" {
		return d.text(m)
	}
	return ""
}
