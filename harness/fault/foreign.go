package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// foreignSecret gives a consumer a secret that is right, and of somewhere else.
var foreignSecret = Kind{
	Name:     "foreign-secret",
	Does:     "gives one consumer the secret of another environment in place of every new one",
	Where:    "on: a charger, receiver or sender that reads the store or a file; before accept",
	Evidence: "what the consumer holds is not what is published at the store, by their fingerprints",
	prepare:  atReader,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{ordered{site: s, service: f.On, kind: contract.OrderValue, setting: "foreign"}, newHoldingGauge(s, f.On)}, nil
	},
}
