package rotation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// fresh is how young a cache must be to count as just filled: two looks and
// the time of a log line.
const fresh = history.Offset(500 * time.Millisecond)

// baseline watches the old credential, and then waits for the worst moment to
// accept the new one.
func (r *rotation) baseline(ctx context.Context) error {
	if err := r.wait(ctx, r.plan.Times.Baseline, nil); err != nil {
		return err
	}
	return r.awaitFreshCache(ctx)
}

// awaitFreshCache waits for the worst moment to accept a credential. The age of
// a cache at a step changes what the step does: of the validators that learn by
// time alone, the slowest must have fetched just now, so that it will not fetch
// again for as long as it ever does. A run that passes has then not passed by
// luck, and a run that fails will fail again.
func (r *rotation) awaitFreshCache(ctx context.Context) error {
	slowest, there := r.limits.SlowestCache()
	if !there || slowest.Untold {
		return nil
	}
	// Twice, since on a busy machine the news of a fetch may come too late to be of use.
	return r.wait(ctx, 2*(r.limits.Wall(slowest.Refills())+slowest.Granule)+settle, func() bool {
		var at history.Offset
		var fetched bool
		r.see(func(v *history.View) { at, fetched = v.LastFetch[slowest.Name] })
		if !fetched || r.world.Evidence.Offset()-at > fresh {
			return false
		}
		r.youngest = slowest.Name
		return true
	})
}

func (r *rotation) accept(ctx context.Context) error {
	if err := r.make(ctx, New); err != nil {
		return err
	}
	r.made = true // from here on there may be something to take back
	if err := r.step(ctx, keyring.Accept, New); err != nil {
		return err
	}
	r.acceptedAt = r.world.Clock.Now()
	return nil
}

// verify waits out the lead and shows the canary at its end.
func (r *rotation) verify(ctx context.Context) error {
	lead := r.plan.Times.Lead - r.world.Clock.Now().Sub(r.acceptedAt)
	if err := r.wait(ctx, lead, nil); err != nil {
		return err
	}
	if !r.plan.Page.Verification.Lists("canary") {
		return nil
	}
	for _, v := range r.limits.Validators {
		if v.Authority {
			continue // it said itself that it has it, when the step was read back
		}
		if _, err := r.present(ctx, v.Name, New, history.Canary); err != nil {
			return err
		}
	}
	return nil
}

// present shows a credential once and records the probe.
func (r *rotation) present(ctx context.Context, validator, credential string, purpose history.Purpose) (history.Probe, error) {
	probe, err := r.world.Probes.Present(ctx, validator, credential, purpose)
	if err != nil {
		if ctx.Err() != nil {
			return probe, ctx.Err()
		}
		probe.Purpose, probe.Outcome, probe.Status = purpose, history.HarnessError, err.Error()
	}
	r.record(history.Event{Kind: history.KindProbe, Phase: r.phase, Service: validator, Credential: credential, Probe: &probe})
	return probe, nil
}

func (r *rotation) emit(ctx context.Context) error {
	r.emitted = true
	if err := r.step(ctx, keyring.Emit, New); err != nil {
		return err
	}
	if err := r.wait(ctx, r.plan.Times.Propagation+settle, func() bool { return len(r.emittersOn(Old, true)) == 0 }); err != nil {
		return err
	}
	r.switchedAt = r.world.Clock.Now()
	return nil
}

func (r *rotation) overlap(ctx context.Context) error {
	return r.wait(ctx, r.plan.Times.Window-r.world.Clock.Now().Sub(r.switchedAt), nil)
}

func (r *rotation) revoke(ctx context.Context) error {
	if err := r.world.Probes.Hold(ctx, Old, r.keepFor()); err != nil {
		return fmt.Errorf("hold a token of %s for the proof of its revocation: %w", Old, err)
	}
	r.revoked = true
	if err := r.step(ctx, keyring.Revoke, Old); err != nil {
		return err
	}
	if _, lacks := r.limits.Lacks(revocation); lacks {
		return nil
	}
	for _, v := range r.limits.Validators {
		r.proving.taking = append(r.proving.taking, v.Name)
	}
	return nil
}

// watch presents the old credential to every validator until it is refused,
// and the new one once at the end. It ends after the page's time, or a little
// later for one that has to refuse by then and rounds up what does not scale: to
// a fast run that is much.
func (r *rotation) watch(ctx context.Context) error {
	if err := r.renew(ctx); err != nil {
		return err
	}
	var failed error
	end := r.world.Clock.Now().Add(r.plan.Times.Watch)
	err := r.wait(ctx, r.plan.Times.Watch+r.roundsUp(r.proving.taking), func() bool {
		asked := false
		if asked, failed = r.showOld(ctx); failed != nil {
			return true
		}
		return asked && !r.world.Clock.Now().Before(end) && r.roundsUp(r.proving.taking) == 0
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	for _, v := range r.limits.Validators {
		if _, err := r.present(ctx, v.Name, New, history.NewAfter); err != nil {
			return err
		}
	}
	return nil
}
