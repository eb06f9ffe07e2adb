package cache

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	// schema changes with the format of entries. What the blobs mean is covered by the build's
	// identity.
	schema = 1
	magic  = "profcheck cache\n"

	suffix    = ".entry"
	tmpSuffix = ".tmp"
	nameBytes = 20 // of the hash that an entry is named by

	defaultLimit = 512 << 20
	maxBlob      = 256 << 20
	maxKind      = 64

	headerSize = len(magic) + 4 + sha256.Size + 32 + 1 + maxKind + 8 // without the checksum
)

// Cache is a directory of entries. It is safe for concurrent use by goroutines and processes. A nil
// Cache misses always.
type Cache struct {
	root  *os.Root // held open: a directory that takes the place later is not looked at
	build func() ([sha256.Size]byte, bool)
	limit int64 // bytes of all entries together
}

// Open returns the cache in dir, which it creates if need be. A directory that others may write to
// or that belongs to another user is refused.
func Open(dir string) (*Cache, error) {
	if dir == "" {
		return nil, errors.New("cache: no directory")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	info, err := root.Stat(".")
	if err == nil && !trusted(info) {
		err = fmt.Errorf("%s: others can write to it, or it belongs to another user", dir)
	}
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("cache: %w", err)
	}
	go buildID() // the first Get may need it, and it can take some milliseconds
	return &Cache{root: root, build: buildID, limit: defaultLimit}, nil
}

// KeyOf returns the key of what was computed from data alone. SHA-256 makes 1.7 GB/s a core on a
// processor that has instructions for it (measured: 3 ms for 5 MB) and about 0.4 GB/s on others, which
// is less than what reading the file anew would take; a faster hash that is no cryptographic one would
// let a hostile file pass for another.
func KeyOf(data []byte) [32]byte { return sha256.Sum256(data) }

// DefaultDir returns profcheck's directory among the user's caches, "" if the user has none.
func DefaultDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "profcheck")
}

// Close gives the directory back. The cache misses from then on.
func (c *Cache) Close() error {
	if c == nil {
		return nil
	}
	return c.root.Close()
}

// Get returns the blob that Put has kept under a key and kind. Every call returns a copy.
func (c *Cache) Get(key [32]byte, kind string) ([]byte, bool) {
	header, name, ok := c.entry(key, kind)
	if !ok {
		return nil, false
	}
	data, modified, ok := c.read(name)
	if !ok {
		return nil, false
	}
	blob, ok := decode(data, header)
	if ok && time.Since(modified) > 24*time.Hour {
		now := time.Now()
		_ = c.root.Chtimes(name, now, now) // what is in use is not the oldest; a failure costs a recomputation
	}
	return blob, ok
}

// Put keeps a blob. A failure is silent.
func (c *Cache) Put(key [32]byte, kind string, blob []byte) {
	header, name, ok := c.entry(key, kind)
	if !ok || len(blob) > maxBlob {
		return
	}
	if !c.write(name, encode(header, blob), blob) {
		return
	}
	// Names are evenly spread, so this is every sixteenth entry on average, over all processes, and
	// needs no counter that they would have to share.
	if name[0] == '0' {
		c.evict()
	}
}

// entry returns what an entry begins with up to its length, and its file name.
func (c *Cache) entry(key [32]byte, kind string) (header []byte, name string, ok bool) {
	if c == nil || len(kind) > maxKind {
		return nil, "", false
	}
	build, ok := c.build()
	if !ok {
		return nil, "", false
	}
	header = make([]byte, 0, headerSize+4)
	header = append(header, magic...)
	header = binary.LittleEndian.AppendUint32(header, schema)
	header = append(header, build[:]...)
	header = append(header, key[:]...)
	header = append(header, byte(len(kind)))
	header = append(header, kind...)
	header = header[:headerSize-8]
	sum := sha256.Sum256(header)
	return header, hex.EncodeToString(sum[:nameBytes]) + suffix, true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode returns the bytes in front of a blob: header, length, and the checksum over all of it.
func encode(header, blob []byte) []byte {
	header = binary.LittleEndian.AppendUint64(header, uint64(len(blob)))
	sum := crc32.Update(crc32.Checksum(header, castagnoli), castagnoli, blob)
	return binary.LittleEndian.AppendUint32(header, sum)
}

// decode returns the blob of a file that must begin with a header.
func decode(data, header []byte) ([]byte, bool) {
	if len(data) < headerSize+4 || !bytes.Equal(data[:len(header)], header) {
		return nil, false
	}
	blob := data[headerSize+4:]
	if !bytes.Equal(data[:headerSize+4], encode(header, blob)) {
		return nil, false
	}
	return blob, true
}

// read returns a file's bytes and when it was written.
func (c *Cache) read(name string) ([]byte, time.Time, bool) {
	seen, err := c.root.Lstat(name) // opening something that is no file may block
	if err != nil || !seen.Mode().IsRegular() {
		return nil, time.Time{}, false
	}
	f, err := c.root.Open(name)
	if err != nil {
		return nil, time.Time{}, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || !trusted(info) || info.Size() > int64(maxBlob+headerSize+4) {
		return nil, time.Time{}, false
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, time.Time{}, false
	}
	return data, info.ModTime(), true
}

// write makes a file of some parts and reports whether it is there.
func (c *Cache) write(name string, parts ...[]byte) bool {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	tmp := name + "." + hex.EncodeToString(random) + tmpSuffix
	// O_EXCL follows no link, and a rename replaces one instead of what it points to.
	f, err := c.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	for _, p := range parts {
		if err == nil {
			_, err = f.Write(p)
		}
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = c.root.Rename(tmp, name)
	}
	if err != nil {
		_ = c.root.Remove(tmp)
	}
	return err == nil
}
