// Maps memory, enlarges the mapping and gives it back.
package main

import "golang.org/x/sys/unix"

func main() {
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(err)
	}
	if b, err = unix.Mremap(b, 8192, unix.MREMAP_MAYMOVE); err != nil {
		panic(err)
	}
	if err := unix.Munmap(b); err != nil {
		panic(err)
	}
}
