package rotation

import (
	"context"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// wait waits until done returns true (nil: never) or d has passed, and watches the triggers meanwhile.
func (r *rotation) wait(ctx context.Context, d time.Duration, done func() bool) error {
	return r.poll(ctx, d, done, r.look)
}

// poll waits until done returns true (nil: never) or d has passed, and ends at the first error of look,
// which it calls as often.
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

// pause waits for least or, where time is virtual and nothing happens, up to most.
func (r *rotation) pause(ctx context.Context, least, most time.Duration) error {
	patient, ok := r.world.Clock.(world.Patient)
	switch {
	case !ok:
		return r.world.Clock.Sleep(ctx, least)
	case r.closely || r.rotator() != nil: // a rotator's steps show only when somebody looks
		most = least
	}
	return patient.Pause(ctx, least, most)
}

// look acts on what happened meanwhile: an operator's command, a check of attach.stop_when, an overrun
// of timebox or budget, a silent store.
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
