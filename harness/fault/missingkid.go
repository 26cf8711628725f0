package fault

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// missingKid makes an issuer's tokens lack a kid. Some libraries refuse these, others try every key.
var missingKid = Kind{
	Name:     "missing-kid",
	Does:     "makes an issuer leave the kid out of its tokens",
	Where:    "on: an issuer that rehearse serves",
	Evidence: "the harness, asking for a token, gets one without a kid",
	prepare:  atIssuer,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{
			ordered{site: s, service: f.On, kind: contract.OrderKid, setting: "none"},
			showing{tokenLook{s, f.On}.once, func(r Reading) bool { return r[hasKid] == 0 }},
		}, nil
	},
}
