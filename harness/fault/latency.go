package fault

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// defaultLatency is far from what a loopback has and near to what a request
// across an ocean takes.
const defaultLatency = 300 * time.Millisecond

// latency delays every answer on an edge, by wall time at every speed, as requests take wall time.
var latency = Kind{
	Name:     "latency",
	Does:     "delays every answer from one service to another by `latency` (wall time, default 300ms); until `for` is over, or the end",
	Where:    "from: a service, to: a service that it asks; store and load too",
	Evidence: "the harness, asking over the same edge, gets even its fastest answer so much later",
	Edge:     true,
	prepare:  onEdge,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		delay := f.Latency.Duration()
		if delay == 0 {
			delay = defaultLatency
		}
		p, err := newProxied(f, s, "latency", "latency", map[string]any{"latency": delay.Milliseconds()}, false)
		// An answer may come in two pieces, each of which is delayed.
		return edgeFault{p, delayed{site: s, via: p.via, most: 2 * delay, adds: delay * 9 / 10}}, err
	},
}
