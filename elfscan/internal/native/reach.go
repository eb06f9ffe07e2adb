package native

// tree is a set of short ways from some roots to the nodes that can be reached from them. A way
// with fewer indirect steps is preferred, even if it is longer: tiers count them.
type tree struct {
	parent []step
	tier   []uint8
	order  []node // the nodes reached, in the order in which they were
}

// step is how a node was reached: by an edge of from, or as a root where from is none.
type step struct {
	from node
	kind edgeKind
	at   uint64
}

const unreached = 255

func (t *tree) reached(n node) bool { return t.tier[n] != unreached }

// cut is what a walk does not pass: nodes, and edges by the place in code that they belong to.
type cut struct {
	nodes map[node]bool
	at    map[uint64]bool
	from  map[node]bool // the nodes that the places are in
}

// stopped is an edge that a walk did not pass because it was cut.
type stopped struct {
	from node
	edge edge
}

// passes reports whether a walk goes by edge e of n.
func (c *cut) passes(n node, e *edge) bool {
	return c == nil || !c.nodes[e.to] && !(c.from[n] && c.at[e.at])
}

// roots are where a walk begins. What can be reached from those that the reader of a path knows, the
// program's entry among them, is not told to begin elsewhere.
type roots struct {
	known []node
	late  []node // begun at when nothing more is reached from the others
	by    node   // leads to the first of late; none if nothing that is known does
	named int    // how many these are
}

// walk walks the graph from roots. Calls are followed until nothing new turns up, and only then
// addresses and data, and at last what addresses may mean besides.
func (g *graph) walk(r roots) *tree {
	t, _ := g.walkCut(r, nil)
	return t
}

// walkCut is walk without what is cut; it returns what it stopped at as well.
func (g *graph) walkCut(from roots, c *cut) (*tree, []stopped) {
	t := &tree{parent: make([]step, g.nodes), tier: make([]uint8, g.nodes), order: make([]node, 0, g.nodes/4)}
	for i := range t.tier {
		t.tier[i] = unreached
	}
	var stops []stopped
	begin := func(r node, by step, level uint8) {
		switch {
		case t.tier[r] != unreached:
		case c != nil && c.nodes[r]:
			stops = append(stops, stopped{none, edge{to: r}})
		default:
			t.mark(r, by, level)
		}
	}
	for _, r := range from.known {
		begin(r, step{from: none}, 0)
	}
	direct, other, loose := 0, 0, 0 // up to here the edges of nodes in order were followed
	follow := func(n node, from, to edgeKind, level uint8) {
		careful := c != nil
		for i, es := 0, g.out(n); i < len(es); i++ {
			e := &es[i]
			if e.kind < from || e.kind > to || t.tier[e.to] != unreached {
				continue
			}
			if careful && !c.passes(n, e) {
				stops = append(stops, stopped{n, *e})
				continue
			}
			t.mark(e.to, step{n, e.kind, e.at}, level)
		}
	}
	late := 0
	for tier := 0; loose < len(t.order) || late < len(from.late); tier++ {
		level := uint8(min(tier, unreached-1))
		for ; direct == len(t.order) && late < len(from.late); late++ {
			by := step{from: none}
			if late < from.named && from.by != none {
				by = step{from.by, edgeReference, g.start(from.by)}
			}
			begin(from.late[late], by, level)
		}
		for ; direct < len(t.order); direct++ {
			follow(t.order[direct], edgeCall, edgeCall, level)
		}
		level = uint8(min(tier+1, unreached-1))
		for end := len(t.order); other < end; other++ {
			follow(t.order[other], edgeReference, edgeData, level)
		}
		for end := len(t.order); direct == end && late == len(from.late) && loose < end; loose++ {
			follow(t.order[loose], edgeLoose, edgeLoose, level)
		}
	}
	return t, stops
}

func (t *tree) mark(n node, s step, tier uint8) {
	t.parent[n], t.tier[n] = s, tier
	t.order = append(t.order, n)
}

// beyond returns what can be reached in addition to t from some more roots and by what was stopped
// there, if only c is cut.
func (g *graph) beyond(t *tree, roots []node, stops []stopped, c *cut) map[node]bool {
	more := map[node]bool{}
	var queue []node
	add := func(n node) {
		if !t.reached(n) && !more[n] {
			more[n] = true
			queue = append(queue, n)
		}
	}
	for _, r := range roots {
		if !c.nodes[r] {
			add(r)
		}
	}
	for i := range stops {
		s := &stops[i]
		if s.from == none && !c.nodes[s.edge.to] || s.from != none && c.passes(s.from, &s.edge) {
			add(s.edge.to)
		}
	}
	for len(queue) > 0 {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for i, es := 0, g.out(n); i < len(es); i++ {
			if c.passes(n, &es[i]) {
				add(es[i].to)
			}
		}
	}
	return more
}

// steps returns the nodes from the root to n, each with the step that leads to it.
func (t *tree) steps(n node) (nodes []node, by []step) {
	for at := n; at != none; at = t.parent[at].from {
		nodes, by = append(nodes, at), append(by, t.parent[at])
	}
	for i, j := 0, len(nodes)-1; i < j; i, j = i+1, j-1 {
		nodes[i], nodes[j] = nodes[j], nodes[i]
		by[i], by[j] = by[j], by[i]
	}
	return nodes, by
}
