package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// truncated gives a consumer less than the whole secret.
var truncated = Kind{
	Name:     "truncated",
	Does:     "cuts the end off every new secret on its way to one consumer, as a field of a fixed width does",
	Where:    "on: a charger, receiver or sender that reads the store or a file; before accept",
	Evidence: "what the consumer holds is not what is published at the store, by their fingerprints",
	prepare:  atReader,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{ordered{site: s, service: f.On, kind: contract.OrderValue, setting: "truncated"}, newHoldingGauge(s, f.On)}, nil
	},
}
