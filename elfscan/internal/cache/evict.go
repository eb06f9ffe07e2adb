package cache

import (
	"cmp"
	"encoding/hex"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// block is what even an empty file costs.
const block = 4096

// staleTmp is the age at which a file that was never renamed counts as left behind.
const staleTmp = time.Hour

// evict removes the entries that were not used for longest until the rest is well below the limit,
// and what writers that died have left. Other files are neither counted nor touched.
func (c *Cache) evict() {
	dir, err := c.root.Open(".")
	if err != nil {
		return
	}
	defer dir.Close()
	type file struct {
		name string
		size int64
		used time.Time
	}
	var files []file
	var total int64
	entries, _ := dir.ReadDir(-1) // what an error leaves out stays until the next time
	for _, e := range entries {
		temporary, ours := ownName(e.Name())
		if !ours || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // another process was faster
		}
		if temporary {
			c.removeStale(info)
			continue
		}
		size := (info.Size() + block - 1) / block * block
		files = append(files, file{e.Name(), size, info.ModTime()})
		total += size
	}
	if total <= c.limit {
		return
	}
	slices.SortFunc(files, func(a, b file) int {
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.name, b.name))
	})
	for _, f := range files {
		if total <= c.limit/4*3 {
			return
		}
		if c.root.Remove(f.name) == nil {
			total -= f.size
		}
	}
}

func (c *Cache) removeStale(info fs.FileInfo) {
	if time.Since(info.ModTime()) > staleTmp {
		_ = c.root.Remove(info.Name()) // the next eviction tries again
	}
}

// ownName reports whether a file name is one that Put makes, and whether it is a temporary one.
func ownName(name string) (temporary, ours bool) {
	entry, rest, found := strings.Cut(name, suffix)
	if !found || !lowerHex(entry, nameBytes) {
		return false, false
	}
	if rest == "" {
		return false, true
	}
	random, ok := strings.CutSuffix(rest, tmpSuffix)
	if !ok || !strings.HasPrefix(random, ".") || !lowerHex(random[1:], 8) {
		return false, false
	}
	return true, true
}

func lowerHex(s string, n int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && s == strings.ToLower(s)
}
