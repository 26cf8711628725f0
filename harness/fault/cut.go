package fault

import "github.com/rehearse-dev/rehearse/harness/scenario"

// cut resets every open and new connection of an edge, like a load balancer without a backend.
var cut = Kind{
	Name:     "cut",
	Does:     "resets the connections from one service to another, open and new ones; until `for` is over, or the end",
	Where:    "from: a service, to: a service that it asks; store and load too",
	Evidence: "the harness, asking over the same edge, gets its connections reset",
	Edge:     true,
	prepare:  onEdge,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		p, err := newProxied(f, s, "cut", "reset_peer", map[string]any{"timeout": 0}, false)
		return edgeFault{p, answering{s, p.via}}, err
	},
}
