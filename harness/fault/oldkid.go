package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// oldKid makes an issuer sign with its new key under the kid of the old one, as happens where the
// header of a refreshed token is copied (ory/hydra#3573): verifiers check the signature with the wrong
// key.
var oldKid = Kind{
	Name:     "old-kid",
	Does:     "makes an issuer write the kid of its old key into the tokens that it signs with the new one; its key set has both under their own",
	Where:    "on: an issuer that rehearse serves",
	Evidence: "the harness, asking for a token, gets one under another kid than that of the key that the issuer says it signed with",
	prepare:  atIssuer,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{
			ordered{site: s, service: f.On, kind: contract.OrderKid, setting: "old"},
			showing{tokenLook{s, f.On}.once, func(r Reading) bool { return r[misnamed] > 0 }},
		}, nil
	},
}
