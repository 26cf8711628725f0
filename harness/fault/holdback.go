package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// holdBack keeps one replica, or one file, as it is while the others go on.
var holdBack = Kind{
	Name:     "hold-back",
	Does:     "holds one consumer back: it keeps what it has and gets nothing new from the store, or from its mounted file (a stale file); until `for` is over, or the end",
	Where:    "on: a consumer that rehearse serves and that reads the store, or a mounted file (distribution: file)",
	Evidence: "the consumer is behind what is published at the store for longer than three of its refreshes",
	prepare: func(f scenario.Fault, g *Graph) error {
		if err := g.serves(f.On, holders...); err != nil {
			return err
		}
		return g.rereads(f.On)
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		gauge := newHoldingGauge(s, f.On)
		gauge.differs = func(r Reading) bool { return r[behindMS] > float64(gauge.patience().Milliseconds()) }
		return orderedFault{ordered{site: s, service: f.On, kind: contract.OrderHold, setting: "all"}, gauge}, nil
	},
}
