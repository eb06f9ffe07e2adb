package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/profcheck/profcheck/syscalls"
)

// Open reads a profile by name: a built-in, if the name has neither slash nor dot, otherwise a
// file. A file of such a name is given with a path: ./name. Of a file with several profiles one is
// taken with PATH#PART; the path alone gives a *PartsError.
func Open(nameOrPath string) (*Profile, error) {
	list, err := OpenAll(nameOrPath, ReadOptions{})
	return Only(nameOrPath, list, err)
}

// OpenAll is Open for all profiles of a file. As with Read, those that could be read come with the
// error about one that could not.
func OpenAll(nameOrPath string, o ReadOptions) ([]*Profile, error) {
	if !strings.ContainsAny(nameOrPath, "/.") {
		b, ok := builtin(nameOrPath)
		if !ok {
			return nil, unknownBuiltin(nameOrPath)
		}
		p, err := b.open()
		if err != nil {
			return nil, err
		}
		return []*Profile{p}, nil
	}
	path, part := SplitPart(nameOrPath)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", path, bare(err))
	}
	if info.IsDir() {
		return nil, fmt.Errorf("profile %s: is a directory", path)
	}
	data, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", path, bare(err))
	}
	return ReadPart(path, part, data, o)
}

// SplitPart splits PATH#PART. A file whose own name has the sign is a path as a whole.
func SplitPart(name string) (path, part string) {
	for i, c := range name {
		if c != '#' {
			continue
		}
		if _, err := os.Stat(name); err == nil {
			return name, ""
		}
		if info, err := os.Stat(name[:i]); err == nil && !info.IsDir() || name[:i] == "-" {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// ReadPart is Read for one part, by its Part or by its number from 1; "" is all.
func ReadPart(name, part string, data []byte, o ReadOptions) ([]*Profile, error) {
	list, err := Read(name, data, o)
	if part == "" {
		return list, err
	}
	var parts []string
	for i, p := range list {
		if p.Part == part || p.Part == "" && part == "1" || len(list) > 1 && part == fmt.Sprint(i+1) {
			return []*Profile{p}, nil
		}
		parts = append(parts, p.Part)
	}
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		return nil, fmt.Errorf("profile %s: holds one profile, and none called %q", name, clip(part))
	}
	if near := syscalls.NearestOf(part, parts); near != "" {
		return nil, fmt.Errorf("profile %s: no profile %q in it; did you mean %q?", name, clip(part), name+"#"+near)
	}
	return nil, fmt.Errorf("profile %s: no profile %q in it: %s", name, clip(part), strings.Join(parts[:min(len(parts), 8)], ", "))
}

// Recognize names the format of a text, as Read would take it; "" is a text that is no profile. It is
// stricter than Read where every object could be one of Docker's: that must have a field of a profile.
// A broken text counts if it has an action in it.
func Recognize(data []byte) string {
	for _, g := range formats {
		if g.isText != nil && g.isText(data) {
			return g.name
		}
	}
	docs, err := documents("", data)
	if err != nil && bytes.Contains(data, []byte(`SCMP_ACT_`)) && !bytes.Contains(data, []byte("{{")) {
		return Docker // broken, or a list of documents one of which is, and about profiles
	}
	for _, doc := range lists(docs) {
		for _, g := range formats {
			if g.is == nil || !g.is(doc) {
				continue
			}
			if g.name != Docker || hasProfileField(doc) {
				return g.name
			}
		}
	}
	return ""
}

func hasProfileField(doc document) bool {
	return slices.ContainsFunc([]string{"defaultAction", "syscalls", "archMap", "architectures"}, func(key string) bool {
		return doc.member(doc.root, key) != 0
	})
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
