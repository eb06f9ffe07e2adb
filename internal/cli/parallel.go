package cli

import (
	"runtime"
	"sync"
)

// each calls f for 0 to n-1, on all processors, and returns the error of the least index. Whatever
// f does for one index must not depend on another.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	indexes := make(chan int)
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := range indexes {
				errs[i] = f(i)
			}
		})
	}
	for i := range n {
		indexes <- i
	}
	close(indexes)
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// memo keeps what was found once, errors too. It can be asked from several goroutines.
type memo[V any] struct {
	mu   sync.Mutex
	once map[string]func() (V, error)
}

// get returns what find returns, which runs once for each key.
func (m *memo[V]) get(key string, find func() (V, error)) (V, error) {
	m.mu.Lock()
	if m.once == nil {
		m.once = make(map[string]func() (V, error))
	}
	f := m.once[key]
	if f == nil {
		f = sync.OnceValues(find)
		m.once[key] = f
	}
	m.mu.Unlock()
	return f()
}
