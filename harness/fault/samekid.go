package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// sameKid makes an issuer name its new key like the old one: verifiers that have that kid look for no
// other key.
var sameKid = Kind{
	Name:     "same-kid",
	Does:     "makes an issuer publish every new key, and sign with it, under the kid of the old one",
	Where:    "on: an issuer that rehearse serves",
	Evidence: "the harness, asking for the set, finds more keys than kids in it",
	prepare:  atIssuer,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{
			ordered{site: s, service: f.On, kind: contract.OrderKid, setting: "same"},
			keySetGauge{site: s, service: f.On, waits: true, differs: func(_, now Reading) bool { return now[keys] > now[kids] }},
		}, nil
	},
}
