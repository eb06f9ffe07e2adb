package flow

// Terms are two values that are ORed, or none: flags that a function puts together from what it got in
// two parameters, or in two places behind one. Neither has terms itself.
type Terms [2]ValueID

func (t Terms) some() bool { return t[0] != Unknown }

// term reports whether a caller may say what v is.
func (v *Value) term() bool { return v.Derived() && !v.Unknown }

// Behind lists the memory that id is read from, where that lies behind pointers.
func (vs *Values) Behind(id ValueID) []Deref {
	v := vs.Get(id)
	if !v.Terms.some() {
		return v.Derefs
	}
	return unionDerefs(vs.Get(v.Terms[0]).Derefs, vs.Get(v.Terms[1]).Derefs)
}

// Open reports whether id depends on what callers pass.
func (vs *Values) Open(id ValueID) bool {
	v := vs.Get(id)
	if v.Terms.some() {
		return vs.Open(v.Terms[0]) || vs.Open(v.Terms[1])
	}
	for _, d := range v.Derefs {
		if d.Cell == 0 {
			return true
		}
	}
	return !v.Params.Empty()
}
