package syscalls

import "sort"

// index finds a name in names.
func index(name string) (int, bool) {
	i := sort.SearchStrings(names[:], name)
	return i, i < len(names) && names[i] == name
}

// Names returns the name of every call of any ABI, ascending.
func Names() []string {
	all := names
	return all[:]
}

// Known reports whether any ABI has a call of this name.
func Known(name string) bool {
	_, ok := index(name)
	return ok
}
