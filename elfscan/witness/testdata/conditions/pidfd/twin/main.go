// Uses package os for a file and its own number, and no process.
package main

import "os"

func main() {
	f, err := os.Open(os.DevNull)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	println(os.Getpid())
}
