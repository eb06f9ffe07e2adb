//go:build unix

package witness

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// lockPort keeps other runs of these tests on this machine from the port that the net/http program
// listens at, until the lock is closed.
func lockPort() (io.Closer, error) {
	dir, err := cacheDir()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "port.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
