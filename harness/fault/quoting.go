package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// quoting is a secret that is whole, and not in the form in which its consumer wants it.
var quoting = Kind{
	Name:     "quoting",
	Does:     "puts every new secret between quotes on its way to one consumer, as a dotenv file does that is read without taking them away",
	Where:    "on: a charger, receiver or sender that reads the store or a file; before accept",
	Evidence: "what the consumer holds is not what is published at the store, by their fingerprints",
	prepare:  atReader,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{ordered{site: s, service: f.On, kind: contract.OrderValue, setting: "quoted"}, newHoldingGauge(s, f.On)}, nil
	},
}
