package fault

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// leastShift is the smallest shift: iat and Date show whole seconds only.
const leastShift = 2 * time.Second

// clock shifts the clock of one service. A verifier without leeway refuses tokens of an issuer that is
// ahead; a receiver that is ahead or behind finds deliveries out of tolerance. The shift is wall time
// at every speed, as iat and these tolerances are.
var clock = Kind{
	Name:     "clock",
	Does:     "puts the clock of one service ahead by `shift`, or behind by a negative one (wall time, at least 2s: what is seen of a clock is in whole seconds)",
	Where:    "on: an issuer, verifier or receiver that rehearse serves",
	Evidence: "the harness, asking an issuer for a token, gets one that was issued at another time than it asked; asking others, an answer of another Date",
	prepare: func(f scenario.Fault, g *Graph) error {
		if f.Shift.Duration().Abs() < leastShift {
			return fmt.Errorf("it needs a shift of %s or more, or -%s or less", leastShift, leastShift)
		}
		return g.serves(f.On, "issuer", "verifier", "receiver")
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		shift := f.Shift.Duration()
		order := ordered{site: s, service: f.On, kind: contract.OrderClock, setting: shift.String()}
		if service, _ := s.service(f.On); service.Serve == "issuer" {
			return orderedFault{order, showing{tokenLook{s, f.On}.once, shifted(shift)}}, nil
		}
		return orderedFault{order, showing{toldDate{s, f.On}.once, shifted(shift)}}, nil
	},
}

// shifted reports whether a clock is nearer to the shifted time than to the right one. On average half
// a second is cut off.
func shifted(shift time.Duration) func(Reading) bool {
	return func(r Reading) bool {
		shows := time.Duration(r[ahead])*time.Millisecond + time.Second/2
		return (shows - shift).Abs() < shows.Abs()
	}
}

// toldDate looks at the Date of the answer that a service gives to anything.
type toldDate struct {
	site    *site
	service string
}

func (d toldDate) once(ctx context.Context) Reading {
	asked := time.Now()
	_, header, _, err := d.site.fetch(ctx, d.service, "/healthz")
	if err != nil {
		return Reading{}
	}
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return Reading{} // no Date, no reading
	}
	return Reading{ahead: float64(date.Sub(asked).Milliseconds())}
}
