package harness

import (
	"context"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// paced changes the rates of clients at the moments that the scenario gives, as faults are injected.
type paced struct {
	world.Faults
	traffic *traffic
}

var _ world.Faults = paced{}

// Begin applies the changes at the begin of a phase, and starts timers for later ones.
func (p paced) Begin(ctx context.Context, phase history.Phase) {
	for _, client := range p.traffic.run.plan.Rehearsal.Load {
		_, changes := client.Pace()
		for _, change := range changes {
			if history.Phase(change.At.Phase) == phase {
				p.later(client.Client, change)
			}
		}
	}
	p.Faults.Begin(ctx, phase)
}

// later changes a client's rate once its moment has come; the goroutine is the
// traffic's.
func (p paced) later(client string, change scenario.RateStep) {
	t := p.traffic
	after := t.run.plan.Wall(change.At.After.Duration())
	t.tasks.Go(func() {
		if after > 0 && (world.WallClock{}).Sleep(t.ctx, after) != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.ctx, rateWithin)
		defer cancel()
		if err := t.client.SetRate(ctx, client, float64(change.Rate)); err != nil {
			if t.ctx.Err() == nil {
				t.run.trouble(fmt.Errorf("at %s: %w", change.At, err))
			}
			return
		}
		rate := float64(change.Rate)
		t.run.evidence.Record(history.Event{At: t.run.evidence.Offset(), Kind: history.KindRate, Service: client, Rate: &rate})
	})
}

// rateWithin bounds how long the load may take to change a rate.
const rateWithin = 5 * time.Second
