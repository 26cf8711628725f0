package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// doubleBase64 is a secret that is whole, and not in the form in which its consumer wants it.
var doubleBase64 = Kind{
	Name:     "double-base64",
	Does:     "encodes every new secret once more in base64 on its way to one consumer, as whoever puts one into the data of a Kubernetes Secret that takes it for plain text does",
	Where:    "on: a charger, receiver or sender that reads the store or a file; before accept",
	Evidence: "what the consumer holds is not what is published at the store, by their fingerprints",
	prepare:  atReader,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{ordered{site: s, service: f.On, kind: contract.OrderValue, setting: "base64"}, newHoldingGauge(s, f.On)}, nil
	},
}
