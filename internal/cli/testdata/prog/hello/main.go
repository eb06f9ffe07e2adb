// Command hello is a small program for tests.
package main

func main() { println("hello") }
