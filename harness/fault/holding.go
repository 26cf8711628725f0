package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Names of the figures of what a consumer holds.
const (
	behind   = "behind"        // published entries that it has not, others that it still has, and an emit that it does not know of
	spoiled  = "spoiled"       // entries that it has in another form than they are published in
	behindMS = "behind_for_ms" // since when it is
)

// rereads checks that a consumer reads what is published again: one that is restarted for it cannot be
// disturbed in that.
func (g *Graph) rereads(name string) error {
	if s, _ := g.service(name); runbook.Way(s.Distribution) == runbook.Env || s.Pinned {
		return fmt.Errorf("%s does not read again what is published: %w", name, ErrCannot)
	}
	return nil
}

// holdingGauge compares what a consumer says it holds with what is published at the store, by
// fingerprints.
type holdingGauge struct {
	site    *site
	service string
	differs func(Reading) bool
	since   *time.Time // when it was first seen behind
}

var _ Gauge = holdingGauge{}

// newHoldingGauge looks for spoilt entries or, for other faults, for a consumer that lags for longer
// than reading takes.
func newHoldingGauge(s *site, service string) holdingGauge {
	return holdingGauge{
		site: s, service: service, since: new(time.Time), differs: func(r Reading) bool { return r[spoiled] > 0 },
	}
}

// patience is how long an undisturbed consumer may lag: three of its refreshes, and some time to ask.
func (g holdingGauge) patience() time.Duration {
	s, _ := g.site.service(g.service)
	return 3*g.site.plan.Wall(s.Refresh.Duration()) + g.site.plan.Wall(s.Delay.Duration()) + time.Second
}

// Measure compares until there is a difference, which shows with the next published credential.
func (g holdingGauge) Measure(ctx context.Context, span time.Duration) Reading {
	return watch(ctx, span, g.once, g.differs)
}

// Took reports whether a difference appeared.
func (g holdingGauge) Took(before, during Reading) bool {
	return len(before) > 0 && !g.differs(before) && len(during) > 0 && g.differs(during)
}

// Back reports whether there is no difference.
func (g holdingGauge) Back(_, after Reading) bool {
	return len(after) > 0 && after[behind] == 0 && after[spoiled] == 0
}

func (g holdingGauge) once(ctx context.Context) Reading {
	if g.site.Published == nil {
		return Reading{}
	}
	published, err := g.site.Published(ctx)
	if err != nil {
		return Reading{}
	}
	code, _, body, err := g.site.fetch(ctx, g.service, contract.DisturbPath)
	var held contract.Held
	if err != nil || code != http.StatusOK || json.Unmarshal(body, &held) != nil {
		return Reading{}
	}
	r := Reading{behind: 0, spoiled: 0, behindMS: 0}
	want := contract.HeldOf(published)
	if want.Emit != held.Emit {
		r[behind]++
	}
	gone := maps.Clone(held.Keys)
	for name, print := range want.Keys {
		has, ok := held.Keys[name]
		delete(gone, name)
		switch {
		case !ok:
			r[behind]++
		case has != print:
			r[spoiled]++
		}
	}
	r[behind] += float64(len(gone))
	switch {
	case r[behind] == 0:
		*g.since = time.Time{}
	case g.since.IsZero():
		*g.since = time.Now()
	default:
		r[behindMS] = float64(time.Since(*g.since).Milliseconds())
	}
	return r
}
