package rotation

import (
	"context"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// wait waits until done says so (nil: never) or d is over, and looks at the
// budget and the operator meanwhile.
func (r *rotation) wait(ctx context.Context, d time.Duration, done func() bool) error {
	return r.poll(ctx, d, done, r.look)
}

// poll waits until done says so (nil: never) or d is over, and ends at the
// first error of look, which is asked as often.
func (r *rotation) poll(ctx context.Context, d time.Duration, done func() bool, look func() error) error {
	deadline := r.world.Clock.Now().Add(d)
	for {
		if done != nil && done() {
			return nil
		}
		if err := look(); err != nil {
			return err
		}
		left := deadline.Sub(r.world.Clock.Now())
		if left <= 0 {
			return nil
		}
		if err := r.pause(ctx, min(tick, left), left); err != nil {
			return err
		}
	}
}

// pause waits for a time or, where time is virtual and nothing happens, for more of it.
func (r *rotation) pause(ctx context.Context, least, most time.Duration) error {
	patient, ok := r.world.Clock.(world.Patient)
	switch {
	case !ok:
		return r.world.Clock.Sleep(ctx, least)
	case r.closely || r.rotator() != nil: // what a rotator of the team's own does is seen when it is looked at
		most = least
	}
	return patient.Pause(ctx, least, most)
}

// look takes what came in between: an operator's command, a check of the team's own
// that holds, an overrun of the timebox or the budget, silence of the store.
func (r *rotation) look() error {
	select {
	case command := <-r.world.Operator.Interrupt():
		if err := r.obey(command); err != nil {
			return err
		}
	default:
	}
	if err := r.stopped(); err != nil {
		return err
	}
	if err := r.timebox(time.Time{}); err != nil {
		return err
	}
	if err := r.store(); err != nil {
		return err
	}
	return r.budget()
}
