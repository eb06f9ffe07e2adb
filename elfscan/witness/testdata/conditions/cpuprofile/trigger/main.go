// Starts the CPU profiler and works long enough for its timers to be set up.
package main

import (
	"io"
	"runtime/pprof"
	"time"
)

func main() {
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		panic(err)
	}
	n := 0
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
		n++
	}
	pprof.StopCPUProfile()
}
