// Links the profiles that need no timer, and works as long as the trigger does.
package main

import (
	"io"
	"runtime/pprof"
	"time"
)

func main() {
	n := 0
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
		n++
	}
	pprof.Lookup("goroutine").WriteTo(io.Discard, 1)
}
