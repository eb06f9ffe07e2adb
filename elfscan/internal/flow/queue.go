package flow

// next takes a point from those that are pending: the lowest one, so that most ways to a block are
// known before it is followed, or, as the convention says, the newest.
func (f *flow) next() int32 {
	p := f.pending
	last := len(p) - 1
	if !f.conv.Ordered {
		f.pending = p[:last]
		return p[last]
	}
	off := p[0]
	p[0] = p[last]
	p = p[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down+1 < len(p) && p[down+1] < p[down] {
			down++
		}
		if down >= len(p) || p[i] <= p[down] {
			break
		}
		p[i], p[down] = p[down], p[i]
		i = down
	}
	f.pending = p
	f.queued[f.at[off]] = false
	return off
}

// enqueue makes off pending.
func (f *flow) enqueue(off int32) {
	if !f.conv.Ordered {
		f.pending = append(f.pending, off)
		return
	}
	if f.queued[f.at[off]] {
		return
	}
	f.queued[f.at[off]] = true
	p := append(f.pending, off)
	for i := len(p) - 1; i > 0 && p[(i-1)/2] > p[i]; i = (i - 1) / 2 {
		p[i], p[(i-1)/2] = p[(i-1)/2], p[i]
	}
	f.pending = p
}
