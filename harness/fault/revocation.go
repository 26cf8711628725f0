package fault

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// revocationLag makes a provider report a key as disabled and go on accepting it, like edge caches of
// keys: a shorter watch sees nothing wrong.
var revocationLag = Kind{
	Name:     "revocation-lag",
	Does:     "has a provider go on accepting every key that is disabled, until `for` is over or the end",
	Where:    "on: a provider; before revoke or with it",
	Evidence: "the rotation's own probe, with the old key after the revoke, is let in",
	at: func(f scenario.Fault) error {
		if history.Phase(f.At.Phase) == history.Watch || f.At.Phase == string(history.Revoke) && f.At.After > 0 {
			return errors.New("the key is disabled as soon as revoke begins: at: revoke, or before")
		}
		return nil
	},
	prepare: func(f scenario.Fault, g *Graph) error { return g.serves(f.On, "provider") },
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return orderedFault{
			ordered{site: s, service: f.On, kind: contract.OrderRevoke, setting: "late"},
			revokedGauge{site: s, provider: f.On},
		}, nil
	},
}

// Names of the figures of a key that was revoked.
const (
	letIn  = "let_in"  // revoked credentials that were last let in when they were probed
	putOff = "put_off" // disabled keys that the provider still accepts, by its dashboard
)

// revokedGauge looks at the rotation's own probes with the old key after the revoke, and at the
// provider's dashboard.
type revokedGauge struct {
	site     *site
	provider string
}

var _ Gauge = revokedGauge{}

// Measure waits until one is let in.
func (g revokedGauge) Measure(ctx context.Context, span time.Duration) Reading {
	return watch(ctx, span, g.once, func(r Reading) bool { return r[letIn] > 0 })
}

// Took reports whether a probe was let in.
func (revokedGauge) Took(before, during Reading) bool {
	return len(before) > 0 && before[letIn] == 0 && during[letIn] > 0
}

// Back reports whether the provider accepts no disabled key any more. The probes may have ended before.
func (revokedGauge) Back(_, after Reading) bool { return len(after) > 0 && after[putOff] == 0 }

func (g revokedGauge) once(ctx context.Context) Reading {
	code, _, body, err := g.site.fetch(ctx, g.provider, "/dashboard.json")
	var page struct {
		Keys []struct {
			PutOff bool `json:"put_off"`
		}
	}
	if err != nil || code != http.StatusOK || json.Unmarshal(body, &page) != nil {
		return Reading{}
	}
	r := Reading{letIn: 0, putOff: 0}
	for _, key := range page.Keys {
		if key.PutOff {
			r[putOff]++
		}
	}
	g.site.History.See(func(v *history.View) {
		for _, probe := range v.Probes[g.provider] {
			if probe.Purpose == history.OldAfter && probe.Outcome == history.OK {
				r[letIn]++
			}
		}
	})
	return r
}
