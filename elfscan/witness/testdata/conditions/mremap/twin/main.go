// Maps memory and gives it back, by the variable that mremap stands beside.
package main

import "golang.org/x/sys/unix"

func main() {
	b, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		panic(err)
	}
	if err := unix.Munmap(b); err != nil {
		panic(err)
	}
}
