package flow

// newFlow returns an engine for one function. Its buffers are those of the function before, if that
// is done: following a function can make the host ask for another.
func newFlow(p Program, vs *Values, conv *Convention, fn Func) *flow {
	f := vs.engine
	vs.engine = nil
	if f == nil {
		f = &flow{vs: vs, taken: map[int64]bool{}, index: map[uint64]int{}, storeAt: map[[2]uint64]int{}}
	}
	f.p, f.m, f.conv, f.fn, f.base, f.code, f.budget = p, conv.Machine, conv, fn, fn.Start, fn.Code, maxWork
	f.insts, f.ops, f.pending, f.tables, f.orphans = f.insts[:0], f.ops[:0], f.pending[:0], f.tables[:0], f.orphans[:0]
	f.read = nil
	clear(f.taken)
	return f
}

// release gives the buffers back. Those of an unusually long function are dropped.
func (f *flow) release() {
	f.recycle()
	f.p, f.fn, f.code, f.out = nil, Func{}, nil, nil
	if cap(f.ops) < MaxCode && len(f.free) < 1<<12 {
		f.vs.engine = f
	}
}

// recycle makes the states of the last run free.
func (f *flow) recycle() {
	for i, s := range f.states {
		if s != nil {
			f.free = append(f.free, s)
			f.states[i] = nil
		}
	}
}

// blank returns a state in which nothing is known.
func (f *flow) blank() *state {
	s := f.unused()
	*s = state{slots: s.slots[:0], low: -noneTaken, lowArg: -noneTaken}
	return s
}

func (f *flow) clone(s *state) *state {
	c := f.unused()
	slots := append(c.slots[:0], s.slots...)
	*c = *s
	c.slots = slots
	return c
}

// unused returns a state to be filled, with the memory of one that is done.
func (f *flow) unused() *state {
	n := len(f.free)
	if n == 0 {
		return &state{}
	}
	s := f.free[n-1]
	f.free = f.free[:n-1]
	return s
}

// reachBlank reaches off with nothing known.
func (f *flow) reachBlank(off int32, swept bool) {
	s := f.blank()
	s.swept = swept
	f.reach(off, s)
	f.free = append(f.free, s)
}

// replace makes s the state at off.
func (f *flow) replace(off int32, s *state) {
	at := f.at[off]
	f.free = append(f.free, f.states[at])
	f.states[at] = f.clone(s)
	f.enqueue(off)
}

// zeroed returns a slice of n zero elements that uses the memory of s.
func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	s = s[:n]
	clear(s)
	return s
}
