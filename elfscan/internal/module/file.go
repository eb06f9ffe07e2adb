package module

import "io"

// file gives parts of a file that is in memory, or that is read as needed.
type file struct {
	data []byte      // all of it, or nil
	from io.ReaderAt // if data is nil
	size uint64
	err  error // the first failure to read
}

// at returns n bytes at an offset, or nil if they are not all there. Unless the file is in memory,
// they are a copy.
func (f *file) at(offset, n uint64) []byte {
	if offset > f.size || n > f.size-offset {
		return nil
	}
	if f.from == nil {
		return f.data[offset : offset+n : offset+n]
	}
	b := make([]byte, n)
	if got, err := f.from.ReadAt(b, int64(offset)); uint64(got) < n {
		if f.err == nil {
			f.err = err
		}
		return nil
	}
	return b
}
