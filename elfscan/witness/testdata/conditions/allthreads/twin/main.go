// Asks for its group, which concerns one thread alone.
package main

import "os"

func main() { println(os.Getgid()) }
