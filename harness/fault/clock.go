package fault

import (
	"errors"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// clock puts the clock of an issuer ahead: to a verifier without leeway its
// tokens are from the future. It is wall time at every speed, as iat is.
var clock = Kind{
	Name:     "clock",
	Does:     "puts the clock of an issuer ahead by `shift` (wall time; iat is in whole seconds)",
	Where:    "on: an issuer that rehearse serves",
	Evidence: "the harness, asking for a token, gets one that was issued later than it asked",
	prepare: func(f scenario.Fault, g *Graph) error {
		if f.Shift <= 0 {
			return errors.New("it needs a shift: 5s")
		}
		return atIssuer(f, g)
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		half := float64(f.Shift.Duration().Milliseconds()) / 2 // the other half is for whole seconds
		return orderedFault{
			ordered{site: s, service: f.On, kind: disturbClock, setting: f.Shift.Duration().String()},
			tokenGauge{s, f.On, func(r Reading) bool { return r[ahead] >= half }},
		}, nil
	},
}
