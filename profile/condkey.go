package profile

import "encoding/binary"

// A condsKey names a sorted list of conditions; equal lists have equal keys. Up to one condition for
// each argument, it holds the numbers of the conditions, from 1, and 0 for none; a longer list has
// one number for the whole, with the bit wholeList. It is small, because a rule has a key for each
// run of its conditions.
type condsKey [maxArg + 1]uint32

const wholeList = 1 << 31

// begins reports whether the list of key is the beginning of k's.
func (k condsKey) begins(key condsKey) bool {
	for i, n := range key {
		if n != 0 && n != k[i] {
			return false
		}
	}
	return true
}

// keys hands out the numbers in condsKeys.
type keys struct {
	one  map[Cond]uint32
	list map[string]uint32 // by the bytes of all numbers
}

func (k *keys) number(c Cond) uint32 {
	n, ok := k.one[c]
	if !ok {
		if k.one == nil {
			k.one = map[Cond]uint32{}
		}
		n = uint32(len(k.one) + 1)
		k.one[c] = n
	}
	return n
}

func (k *keys) key(list []Cond) condsKey {
	var key condsKey
	if len(list) <= len(key) {
		for i, c := range list {
			key[i] = k.number(c)
		}
		return key
	}
	numbers := make([]byte, 0, 4*len(list))
	for _, c := range list {
		numbers = binary.LittleEndian.AppendUint32(numbers, k.number(c))
	}
	n, ok := k.list[string(numbers)]
	if !ok {
		if k.list == nil {
			k.list = map[string]uint32{}
		}
		n = uint32(len(k.list) + 1)
		k.list[string(numbers)] = n
	}
	key[0] = n | wholeList
	return key
}

// A narrowKey is a list of conditions, by its first, on ABIs of a width.
type narrowKey struct {
	first *Cond
	bits  int
}

// narrowed is conds for the conditions of a resolved rule. All the names of a rule share the result,
// which may have many conditions and thousands of names.
func (r *resolver) narrowed(list []Cond, pointerBits int) []Cond {
	if len(list) == 0 {
		return nil
	}
	key := narrowKey{&list[0], pointerBits}
	done, ok := r.narrow[key]
	if !ok {
		if r.narrow == nil {
			r.narrow = map[narrowKey][]Cond{}
		}
		done = conds(list, pointerBits)
		r.narrow[key] = done
	}
	return done
}
