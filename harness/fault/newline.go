package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// newline spoils a secret in the way that is hardest to see.
var newline = Kind{
	Name:     "newline",
	Does:     "appends a newline to every new secret on its way to one consumer, as an editor or echo does",
	Where:    "on: a charger, receiver or sender that reads the store or a file; before accept",
	Evidence: "what the consumer holds is not what is published at the store, by their fingerprints",
	prepare:  atReader,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{ordered{site: s, service: f.On, kind: contract.OrderValue, setting: "newline"}, newHoldingGauge(s, f.On)}, nil
	},
}
