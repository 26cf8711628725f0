package rotation

import (
	"context"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// probeEvery is how often the old credential is presented to a validator that
	// still takes it: the precision of "refused after".
	probeEvery = 100 * time.Millisecond
	// patience is how long a person may take before the watch, and what was made with
	// the old credential still be there to be presented, where the run makes it itself.
	patience = time.Hour
)

// proving is the proof that the old credential is refused, from the revoke on.
type proving struct {
	taking []string  // validators that were not seen refusing it
	next   time.Time // when it is presented again
	began  bool      // connections were made anew
}

// keepFor is how long what is made with the old credential must live to be presented
// until the end of the watch.
func (r *rotation) keepFor() time.Duration {
	life := r.plan.Times.Watch + time.Minute
	if !r.limits.Attached() { // a team's own endpoint gives what it gives
		life += patience
	}
	return life
}

// showOld presents the old credential, where it is time to, to every validator that
// has not refused it yet; false: it was not time.
func (r *rotation) showOld(ctx context.Context) (asked bool, err error) {
	now := r.world.Clock.Now()
	if now.Before(r.proving.next) {
		return false, nil
	}
	r.proving.next = now.Add(probeEvery)
	var still []string
	for _, name := range r.proving.taking {
		probe, err := r.present(ctx, name, Old, history.OldAfter)
		if err != nil {
			return true, err
		}
		if probe.Outcome != history.AuthFailure {
			still = append(still, name)
		}
	}
	r.proving.taking = still
	return true, nil
}

// showOldOnHold goes on with the proof while a person is waited for before the watch:
// who refuses the old credential in that time has not refused it late.
func (r *rotation) showOldOnHold(ctx context.Context) error {
	if err := r.renew(ctx); err != nil {
		return err
	}
	_, err := r.showOld(ctx)
	return err
}

// roundsUp is the most by which one of these is late of its bound because of what
// it is kept to, of those whose bound lies within the watch; wall time.
func (r *rotation) roundsUp(names []string) (most time.Duration) {
	for _, name := range names {
		v, _ := r.limits.Validator(name)
		if r.limits.G3(v) <= r.limits.Watch {
			most = max(most, v.Granule)
		}
	}
	return most
}

// renew has every emitter make its connections anew: one that still presents
// the old credential would not be found out for as long as those live.
func (r *rotation) renew(ctx context.Context) error {
	renewer, able := r.world.Probes.(world.Renewer)
	if !able || r.proving.began {
		return nil
	}
	r.proving.began = true
	for _, e := range r.limits.Emitters {
		told, err := renewer.Renew(ctx, e.Name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil: // whoever is not there makes nothing, and is missed elsewhere
			r.record(history.Event{Kind: history.KindRenewed, Phase: r.phase, Service: e.Name, Detail: err.Error()})
		case told:
			r.record(history.Event{Kind: history.KindRenewed, Phase: r.phase, Service: e.Name})
		}
	}
	return nil
}
