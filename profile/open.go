package profile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Open reads a profile by name: a built-in, if the name has neither slash nor dot, otherwise a
// file. A file of such a name is given with a path: ./name.
func Open(nameOrPath string) (*Profile, error) {
	if !strings.ContainsAny(nameOrPath, "/.") {
		if b, ok := builtin(nameOrPath); ok {
			return b.open()
		}
		return nil, unknownBuiltin(nameOrPath)
	}
	info, err := os.Stat(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", nameOrPath, bare(err))
	}
	if info.IsDir() {
		return nil, fmt.Errorf("profile %s: is a directory", nameOrPath)
	}
	data, err := readBounded(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", nameOrPath, bare(err))
	}
	return Parse(nameOrPath, data)
}

// bare strips the operation and the path from a file error, which the caller names already.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// readBounded reads at most one byte more than a file may have, so that an endless file is
// refused by its size.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f, maxFile)
}

// readAtMost reads at most one byte more than a limit.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, limit+1))
}
