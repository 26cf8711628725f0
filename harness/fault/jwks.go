package fault

import (
	"net/http"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// jwks makes an issuer answer for its key set with something else. What is in
// the body of an error matters: there are libraries that do not look at a status.
var jwks = Kind{
	Name:     "jwks",
	Does:     "makes an issuer answer for its key set with `answer`: 429, 500, 503, 503-empty (an empty set in the body), empty or garbage",
	Where:    "on: an issuer that rehearse serves",
	Evidence: "the harness, asking for the set, gets none",
	prepare: func(f scenario.Fault, g *Graph) error {
		if err := known("answer", f.Answer, "429", "500", "503", "503-empty", "empty", "garbage"); err != nil {
			return err
		}
		return atIssuer(f, g)
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{
			ordered{site: s, service: f.On, kind: disturbJWKS, setting: f.Answer},
			keySetGauge{site: s, service: f.On, differs: func(_, now Reading) bool { return now[status] != http.StatusOK || now[keys] == 0 }},
		}, nil
	},
}
