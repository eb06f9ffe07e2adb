package elfscan

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzRoot changes a file of a small root, be it the program, a library, the loader or a plugin, at
// places anywhere in it. Whatever comes in, there is a result or an error.
func FuzzRoot(f *testing.F) {
	files := []string{"bin/greet", "lib/libsay.so.1", "lib/ld-tiny.so.1", "lib/greet/extra.so", "bin/sh"}
	content := make([][]byte, len(files))
	for i, name := range files {
		var err error
		if content[i], err = os.ReadFile(filepath.Join(smallRoot, filepath.FromSlash(name))); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), uint32(0), uint64(0), uint32(0), uint64(0), uint32(0))
		f.Add(uint8(i), uint32(0x28), uint64(1)<<40, uint32(0x38), uint64(0xffff), uint32(0))
		f.Add(uint8(i), uint32(0x200), ^uint64(0), uint32(0x300), uint64(1)<<63, uint32(100))
	}
	f.Fuzz(func(t *testing.T, file uint8, at1 uint32, v1 uint64, at2 uint32, v2 uint64, cut uint32) {
		root := t.TempDir()
		if err := os.CopyFS(root, os.DirFS(smallRoot)); err != nil {
			t.Fatal(err)
		}
		i := int(file) % len(files)
		data := append([]byte(nil), content[i]...)
		for _, c := range []struct {
			at uint32
			v  uint64
		}{{at1, v1}, {at2, v2}} {
			for k := range 8 {
				data[(int(c.at)+k)%len(data)] ^= byte(c.v >> (8 * k))
			}
		}
		data = data[:len(data)-int(cut)%len(data)]
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(files[i])), data, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"/bin/greet", "sh"} {
			if res, err := (Options{Root: root, Plugins: []string{"/lib/greet"}}).Scan(name); (res == nil) == (err == nil) {
				t.Fatalf("%s: neither a result nor an error, or both: %v", name, err)
			}
		}
	})
}
