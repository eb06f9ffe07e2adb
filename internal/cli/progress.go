package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// manyFiles is from how many files on a terminal shows how far the work is.
const manyFiles = 50

// A progress is a line on a terminal that says how much is done, and goes away in the end. Its methods
// can be called from several goroutines.
type progress struct {
	mu          sync.Mutex
	out         io.Writer // nil: nothing is shown
	done, total int
	next        time.Time
}

// progress begins a line, if stderr is a terminal and there is enough to do.
func (a *App) progress(o *options, total int) *progress {
	p := &progress{total: total}
	if f, ok := a.Stderr.(*os.File); ok && !o.quiet && total >= manyFiles && terminal(f) {
		p.out = f
	}
	return p
}

// step counts one more. The line is written ten times a second at most.
func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if now := time.Now(); p.out != nil && now.After(p.next) {
		p.next = now.Add(100 * time.Millisecond)
		fmt.Fprintf(p.out, "\r%d of %d files", p.done, p.total)
	}
}

// end removes the line.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out != nil {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.out = nil
	}
}
