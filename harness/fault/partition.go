package fault

import "github.com/rehearse-dev/rehearse/harness/scenario"

// partition blocks the way between two services like a firewall or a split network: connections stay
// open, and nothing comes.
var partition = Kind{
	Name:     "partition",
	Does:     "lets nothing through from one service to another: connections are taken and nothing comes; until `for` is over, or the end",
	Where:    "from: a service, to: a service that it asks; store and load too",
	Evidence: "the harness, asking over the same edge, gets no answer",
	Edge:     true,
	prepare:  onEdge,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		p, err := newProxied(f, s, "partition", "timeout", map[string]any{"timeout": 0}, true)
		return edgeFault{p, answering{s, p.via}}, err
	},
}

// edgeFault is a disturbed edge with its gauge.
type edgeFault struct {
	proxied
	Gauge
}
