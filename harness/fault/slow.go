package fault

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// slowRate is what a slow edge lets through, in KB/s in each direction: the
	// least that toxiproxy can be set to.
	slowRate = 1
	// slowAdds is what that adds to the harness's own question, which with its
	// answer is some 250 bytes; slowMost bounds it.
	slowAdds = 150 * time.Millisecond
	slowMost = 2 * time.Second
)

// slow narrows an edge to a trickle, like a saturated line.
var slow = Kind{
	Name:     "slow",
	Does:     "lets 1 KB/s through from one service to another, in each direction; until `for` is over, or the end",
	Where:    "from: a service, to: a service that it asks; store and load too",
	Evidence: "the harness, asking over the same edge, waits longer for its few bytes",
	Edge:     true,
	prepare:  onEdge,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		p, err := newProxied(f, s, "slow", "bandwidth", map[string]any{"rate": slowRate}, true)
		return edgeFault{p, delayed{site: s, via: p.via, most: slowMost, adds: slowAdds}}, err
	},
}
