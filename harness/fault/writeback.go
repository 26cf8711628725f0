package fault

import (
	"context"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// writeBack writes a consumer's Secret back from outside the rotation, like a controller that
// reconciles it from an unchanged repository or another store.
var writeBack = Kind{
	Name: "write-back",
	Does: "has a controller write the Secret, ConfigMap or file of a consumer back to what it was at the start, and again after each change, " +
		"since the source that it reconciles from was not changed; when `for` is over it was, and the consumer gets what is published",
	Where:    "on: a charger, querier or sender with distribution: secret-volume, config-map or file",
	Evidence: "the consumer is behind what is published at the store for longer than three of its refreshes",
	prepare: func(f scenario.Fault, g *Graph) error {
		if err := g.serves(f.On, "charger", "querier", "sender"); err != nil {
			return err
		}
		if s, _ := g.service(f.On); runbook.Way(s.Distribution) != runbook.File || s.Pinned {
			return fmt.Errorf("%s has no file that follows what is published: %w", f.On, ErrCannot)
		}
		return nil
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		if s.WriteBack == nil {
			return nil, fmt.Errorf("what is delivered is not the run's own: %w", ErrCannot)
		}
		gauge := newHoldingGauge(s, f.On)
		gauge.differs = func(r Reading) bool { return r[behindMS] > float64(gauge.patience().Milliseconds()) }
		return writtenBack{Gauge: gauge, site: s, service: f.On}, nil
	},
}

type writtenBack struct {
	untilEnd
	Gauge
	site    *site
	service string
}

// Inject writes it back, now and after each change.
func (w writtenBack) Inject(ctx context.Context) error { return w.site.WriteBack(ctx, w.service, true) }

// Undo delivers what is published.
func (w writtenBack) Undo(ctx context.Context) error { return w.site.WriteBack(ctx, w.service, false) }
