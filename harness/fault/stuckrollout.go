package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// stuckRollout makes the rollouts of a consumer never end, while the one who changed its Secret
// believes that they did.
var stuckRollout = Kind{
	Name: "stuck-rollout",
	Does: "has the rollouts of a consumer get stuck by `by`: paused, image (that of its new pod cannot be pulled) or node (none takes the new pod: they are cordoned, or full); " +
		"it goes on with what it was started with. When `for` is over it is rolled out with what is published. Outside of a cluster it is not started anew, whatever the reason",
	Where:    "on: a charger, querier, sender or receiver on the page with distribution: env or secret-env",
	Evidence: "the consumer is behind what is published at the store for longer than a rollout takes",
	prepare: func(f scenario.Fault, g *Graph) error {
		if err := known("by", f.By, string(world.RolloutPaused), string(world.RolloutImage), string(world.RolloutNode)); err != nil {
			return err
		}
		return g.rolledOut(f.On)
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		return s.disturbsRollouts(f.On, world.RolloutTrouble(f.By))
	},
}

// earlyRollout restarts a consumer too early, in the wrong order of a deployment.
var earlyRollout = Kind{
	Name: "early-rollout",
	Does: "has a consumer rolled out before its Secret is written: the new pod has the secret that was there before. " +
		"When `for` is over it is rolled out once more, with what is published",
	Where:    "on: a charger, querier, sender or receiver on the page with distribution: env or secret-env",
	Evidence: "the consumer is behind what is published at the store for longer than a rollout takes",
	prepare:  func(f scenario.Fault, g *Graph) error { return g.rolledOut(f.On) },
	bind:     func(f scenario.Fault, s *site) (Fault, error) { return s.disturbsRollouts(f.On, world.RolloutEarly) },
}

// rolledOut checks that a consumer is restarted for what is published.
func (g *Graph) rolledOut(name string) error {
	if err := g.serves(name, "charger", "querier", "receiver", "sender"); err != nil {
		return err
	}
	if s, _ := g.service(name); runbook.Way(s.Distribution) != runbook.Env || s.Pinned || !s.OnPage {
		return fmt.Errorf("%s is not started anew for what is published: %w", name, ErrCannot)
	}
	return nil
}

// rolloutTakes is longer than an undisturbed rollout takes; wall time. The pod of a stand-in is ready
// some 2 s after it was asked for, in a cluster of one machine.
const rolloutTakes = 6 * time.Second

func (s *site) disturbsRollouts(service string, by world.RolloutTrouble) (Fault, error) {
	if s.Rollouts == nil {
		return nil, fmt.Errorf("what is delivered is not the run's own: %w", ErrCannot)
	}
	gauge := newHoldingGauge(s, service)
	gauge.differs = func(r Reading) bool { return r[behindMS] > float64(rolloutTakes.Milliseconds()) }
	return disturbedRollouts{Gauge: gauge, site: s, service: service, by: by}, nil
}

type disturbedRollouts struct {
	untilEnd
	Gauge
	site    *site
	service string
	by      world.RolloutTrouble
}

// Inject makes them go wrong from now on.
func (d disturbedRollouts) Inject(ctx context.Context) error {
	return d.site.Rollouts(ctx, d.service, d.by)
}

// Undo puts them right, and delivers what is published.
func (d disturbedRollouts) Undo(ctx context.Context) error {
	return d.site.Rollouts(ctx, d.service, "")
}
