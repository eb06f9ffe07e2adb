//go:build unix

package cache

import (
	"io/fs"
	"os"
	"syscall"
)

// trusted reports whether a file belongs to the user or to root and nobody else may write to it.
func trusted(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || stat.Uid == uint32(os.Geteuid())) && info.Mode().Perm()&0o022 == 0
}
