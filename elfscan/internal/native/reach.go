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
}

func (c *cut) stops(e *edge) bool {
	return c != nil && (c.nodes[e.to] || len(c.at) > 0 && c.at[e.at])
}

// walk walks the graph from roots. Calls are followed until nothing new turns up, and only then
// addresses and data.
func (g *graph) walk(roots []node) *tree { return g.walkCut(roots, nil) }

// walkCut is walk without what is cut.
func (g *graph) walkCut(roots []node, c *cut) *tree {
	t := &tree{parent: make([]step, g.nodes), tier: make([]uint8, g.nodes)}
	for i := range t.tier {
		t.tier[i] = unreached
	}
	mark := func(n node, s step, tier uint8) {
		if t.tier[n] == unreached {
			t.parent[n], t.tier[n] = s, tier
			t.order = append(t.order, n)
		}
	}
	for _, r := range roots {
		if c == nil || !c.nodes[r] {
			mark(r, step{from: none}, 0)
		}
	}
	direct, other := 0, 0 // up to here the calls of nodes in order were followed, and the rest
	for tier := 0; direct < len(t.order); tier++ {
		level := uint8(min(tier, unreached-1))
		for ; direct < len(t.order); direct++ {
			n := t.order[direct]
			for _, e := range g.out(n) {
				if e.kind == edgeCall && t.tier[e.to] == unreached && !c.stops(&e) {
					mark(e.to, step{n, e.kind, e.at}, level)
				}
			}
		}
		level = uint8(min(tier+1, unreached-1))
		for end := len(t.order); other < end; other++ {
			n := t.order[other]
			for _, e := range g.out(n) {
				if e.kind != edgeCall && t.tier[e.to] == unreached && !c.stops(&e) {
					mark(e.to, step{n, e.kind, e.at}, level)
				}
			}
		}
	}
	return t
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
