package fault

import (
	"context"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// wrongAlgorithm makes the next signing key one of the other type. A verifier limited to one algorithm
// refuses its tokens, whatever it learned.
var wrongAlgorithm = Kind{
	Name:     "wrong-algorithm",
	Does:     "makes the next signing key one of the other type: RS256 in place of ES256, or the other way round",
	Where:    "on: an issuer that rehearse serves; before accept, when the key is made",
	Evidence: "the harness, asking for the set, finds a key of another type than the page's",
	prepare:  atIssuer,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		gauge := keySetGauge{site: s, service: f.On, waits: true, differs: func(_, now Reading) bool { return now[otherType] > 0 }}
		return otherAlgorithm{site: s, keySetGauge: gauge}, nil
	},
}

type otherAlgorithm struct {
	site *site
	keySetGauge
	untilEnd
}

// Inject changes the type of the next key.
func (o otherAlgorithm) Inject(context.Context) error {
	other := "RS256"
	if o.site.plan.Runbook.Format.Type == other {
		other = "ES256"
	}
	o.site.format.Store(&other)
	return nil
}

// Undo restores the type for later keys; the one that was made stays.
func (o otherAlgorithm) Undo(context.Context) error {
	o.site.format.Store(nil)
	return nil
}

// Back reports whether the next key will be right: a key cannot change its type.
func (o otherAlgorithm) Back(_, _ Reading) bool { return o.site.format.Load() == nil }
