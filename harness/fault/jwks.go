package fault

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// mostLimit is half as often as the gauge asks (watchEvery).
const mostLimit = scenario.Rate(5)

// jwks makes an issuer answer something else than its key set. The body of an error matters: some
// libraries ignore the status.
var jwks = Kind{
	Name:     "jwks",
	Does:     "makes an issuer answer for its key set with `answer`: 429, 500, 503, 503-empty (an empty set in the body), empty or garbage; with `limit` only to requests beyond so many (1/s)",
	Where:    "on: an issuer that rehearse serves",
	Evidence: "the harness, asking for the set, gets none; with a limit up to 5/s, when it asks more often than that",
	prepare: func(f scenario.Fault, g *Graph) error {
		if err := known("answer", f.Answer, "429", "500", "503", "503-empty", "empty", "garbage"); err != nil {
			return err
		}
		if f.Limit > mostLimit {
			return fmt.Errorf("limit: %s is more often than the harness asks to see it: at most %s", f.Limit, mostLimit)
		}
		return atIssuer(f, g)
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		setting := f.Answer
		if f.Limit > 0 {
			setting += " " + strconv.FormatFloat(float64(f.Limit), 'f', -1, 64)
		}
		return orderedFault{
			ordered{site: s, service: f.On, kind: contract.OrderJWKS, setting: setting},
			keySetGauge{site: s, service: f.On, differs: func(_, now Reading) bool { return now[status] != http.StatusOK || now[keys] == 0 }, waits: f.Limit > 0},
		}, nil
	},
}
