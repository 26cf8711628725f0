package rotation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// fresh is how long a log line from before a step may take to arrive.
const fresh = history.Offset(500 * time.Millisecond)

// baseline watches the old credential, and then waits for the worst moment to
// accept the new one.
func (r *rotation) baseline(ctx context.Context) error {
	if err := r.wait(ctx, r.plan.Times.Baseline, nil); err != nil {
		return err
	}
	return r.awaitWorstMoment(ctx)
}

// awaitWorstMoment waits for the worst moment to accept a credential: when the slowest way to a
// validator takes as long as it ever does. A pass is then no luck of the age of a cache, and a failure
// fails again. Validators whose worst moment could not be had are recorded.
func (r *rotation) awaitWorstMoment(ctx context.Context) error {
	ahead := r.limits.LooksAhead()
	if ahead == 0 || r.plan.AnyMoment {
		return nil
	}
	timing := r.limits.Timing()
	// Longer than one full cycle of fetches: on a busy machine they may be reported late.
	began := r.world.History.Offset()
	given, until := began+2*ahead, history.Offset(0)
	if r.limits.Attached() {
		given = began // a validator not seen fetching in the baseline shows no rhythm
	}
	var m plan.Moment
	var looked history.Offset
	beats := int64(-1)
	r.closely = true
	err := r.wait(ctx, (3*ahead).Duration()+settle, func() bool {
		now := r.world.History.Offset()
		r.glance(func(v *history.View) {
			if n := v.Beats(); n != beats || now-looked >= fresh {
				m = timing.AcceptAt(v, now, max(until, now))
				beats, looked = n, now
			}
		})
		switch {
		case !m.Known || len(m.Unseen) > 0 && now < given:
			return !m.Known && now >= given
		case until == 0:
			until, beats = now+ahead, -1
			return false
		}
		return m.Now && looked == now
	})
	r.closely = false
	if err != nil {
		return err
	}
	if m.Known {
		m.Missed = timing.Missed()
	}
	r.moment = m
	return nil
}

// tellMoment records for which validators this is not the worst moment, and why.
func (r *rotation) tellMoment() {
	for _, name := range r.moment.Missed {
		r.record(history.Event{Kind: history.KindMoment, Phase: r.phase, Service: name, What: history.MomentMissed,
			Detail: "another moment is worse for it, and this one for a slower one"})
	}
	for _, name := range r.moment.Unseen {
		r.record(history.Event{Kind: history.KindMoment, Phase: r.phase, Service: name, What: history.MomentUnseen,
			Detail: "it was not seen to fetch in the time in which it should have"})
	}
}

func (r *rotation) accept(ctx context.Context) error {
	r.tellMoment()
	if rotator := r.rotator(); rotator != nil {
		return r.startRotator(ctx, rotator)
	}
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

// verify waits out the lead and shows the canary at its end, to authorities too: an accepted credential
// may have been taken back since. A pooler is not asked: it would log in anew with the right password,
// and from then on let in clients that it had turned away.
func (r *rotation) verify(ctx context.Context) error {
	if rotator := r.rotator(); rotator != nil {
		return r.verifySeen(ctx, rotator)
	}
	lead := r.plan.Times.Lead - r.world.Clock.Now().Sub(r.acceptedAt)
	if err := r.wait(ctx, lead, nil); err != nil {
		return err
	}
	if !r.plan.Runbook.Verification.Lists("canary") {
		return nil
	}
	return r.showCanary(ctx)
}

// showCanary shows the new credential to every validator that is to have learned it.
func (r *rotation) showCanary(ctx context.Context) error {
	var to []plan.Validator
	for _, v := range r.limits.Validators {
		if !r.plan.Pools(v.Name) {
			to = append(to, v)
		}
	}
	if err := r.show(ctx, New, history.Canary, to); err != nil {
		return err
	}
	return r.showControl(ctx, New, history.Canary, 1, to)
}

// showControl shows a credential with a spoilt signature or value to the validators that took the
// original: an acceptance means something only of a validator that refuses this. It comes after the
// series, so that the control's kid teaches them nothing new.
func (r *rotation) showControl(ctx context.Context, credential string, after history.Purpose, times int64, to []plan.Validator) error {
	spoiler, ok := r.world.Probes.(world.Spoiler)
	if !ok {
		return nil
	}
	return r.sideBySide(to, func(v plan.Validator) error {
		taken := false
		r.glance(func(view *history.View) { taken = view.Said(v.Name, credential, after).Taken > 0 })
		if !taken || !spoiler.Spoils(v.Name) {
			return nil
		}
		return r.showTimes(ctx, v, credential, history.Control, func(shown int64) bool { return shown >= times || v.Authority }) // which may lock an account
	})
}

// present shows a credential once and records the probe.
func (r *rotation) present(ctx context.Context, validator, credential string, purpose history.Purpose) (history.Probe, error) {
	return r.presentIn(ctx, r.phase, validator, credential, purpose)
}

// presentIn is present for what runs beside the phases: the caller names the phase.
func (r *rotation) presentIn(ctx context.Context, phase history.Phase, validator, credential string, purpose history.Purpose) (history.Probe, error) {
	probe, err := r.world.Probes.Present(ctx, validator, credential, purpose)
	if err != nil {
		if ctx.Err() != nil {
			return probe, ctx.Err()
		}
		probe.Purpose, probe.Outcome, probe.Status = purpose, history.HarnessError, err.Error()
	}
	if purpose.Invented() && probe.Outcome == history.OK && r.tellsApart(validator, credential, probe.Status) {
		probe.Outcome = history.Unavailable
	}
	if purpose == history.Control {
		credential = ""
	}
	r.record(history.Event{Kind: history.KindProbe, Phase: phase, Service: validator, Credential: credential, Probe: &probe})
	return probe, nil
}

// tellsApart reports whether a validator answers what nobody issued with an error of HTTP that it
// did not answer to the credential itself. Where the scenario leaves 403 out of how it refuses, that
// is the answer to somebody known; but who answers 200 to a credential and 403 to the same one with
// its signature spoilt has not taken the latter.
func (r *rotation) tellsApart(validator, credential, status string) (apart bool) {
	if status < "400" || len(status) != 3 {
		return false
	}
	r.glance(func(view *history.View) {
		for key, answers := range view.Answers {
			if key.Validator != validator || key.Credential != credential || key.Purpose.Invented() || answers.Last.Outcome != history.OK {
				continue
			}
			if apart = answers.Last.Status != status; !apart {
				return
			}
		}
	})
	return apart
}

func (r *rotation) emit(ctx context.Context) error {
	rotator := r.rotator()
	if rotator != nil {
		if err := r.awaitEmit(ctx, rotator); err != nil {
			return err
		}
	} else {
		r.emitted = true
		if err := r.step(ctx, keyring.Emit, New); err != nil {
			return err
		}
	}
	var failed error
	err := r.wait(ctx, r.plan.Times.Propagation+settle, func() bool {
		if rotator != nil {
			failed = r.seenOf(ctx, rotator)
		}
		return failed != nil || r.revoked || len(r.emittersOn(Old, true)) == 0
	})
	if err != nil || failed != nil {
		return errors.Join(err, failed)
	}
	r.switchedAt = r.world.Clock.Now()
	return nil
}

func (r *rotation) overlap(ctx context.Context) error {
	if rotator := r.rotates(keyring.Revoke); rotator != nil {
		return r.await(ctx, rotator, keyring.Revoke)
	}
	if err := r.wait(ctx, r.plan.Times.Window-r.world.Clock.Now().Sub(r.switchedAt), nil); err != nil {
		return err
	}
	return r.showUnused(ctx)
}

// showUnused shows the old credential once, at the end of the overlap, to every authority of a team's own:
// nobody uses it any more, so nobody else would notice that it was withdrawn before its revoke.
func (r *rotation) showUnused(ctx context.Context) error {
	if _, lacks := r.limits.Lacks(revocation); lacks || !r.limits.Attached() || r.limits.Expires > 0 {
		return nil
	}
	for _, v := range r.limits.Validators {
		if !v.Authority || r.plan.Pools(v.Name) || v.Keys == 1 {
			continue
		}
		if _, err := r.present(ctx, v.Name, Old, history.Still); err != nil {
			return err
		}
	}
	return nil
}

func (r *rotation) revoke(ctx context.Context) error {
	if r.rotates(keyring.Revoke) != nil {
		r.toProve()
		return nil
	}
	if err := r.world.Probes.Hold(ctx, Old, r.keepFor()); err != nil {
		return fmt.Errorf("hold a token of %s for the proof of its revocation: %w", Old, err)
	}
	if err := r.showStill(ctx); err != nil {
		return err
	}
	r.revoked = true
	if err := r.step(ctx, keyring.Revoke, Old); err != nil {
		return err
	}
	r.toProve()
	return nil
}

// showStill shows the old credential, before its revoke, to every validator that shares the secret and
// refused each canary: one that refuses this too has room for one credential, and is not late.
func (r *rotation) showStill(ctx context.Context) error {
	var to []plan.Validator
	for _, v := range r.limits.Validators {
		var canary history.Answers
		r.glance(func(view *history.View) { canary = view.Said(v.Name, New, history.Canary) })
		if v.Reads && !v.Authority && canary.Refused > 0 && canary.Taken == 0 {
			to = append(to, v)
		}
	}
	return r.show(ctx, Old, history.Still, to)
}

// toProve begins to show the old credential to every validator, where there is anything to show.
func (r *rotation) toProve() {
	if _, lacks := r.limits.Lacks(revocation); !lacks {
		r.proving.of = r.limits.Validators
	}
}

// watch shows the old credential to every validator until the end, and then the new one.
func (r *rotation) watch(ctx context.Context) error {
	if err := r.renew(ctx); err != nil {
		return err
	}
	if err := r.refusing(ctx); err != nil {
		return err
	}
	if err := r.show(ctx, New, history.NewAfter, r.limits.Validators); err != nil {
		return err
	}
	if err := r.showControl(ctx, New, history.NewAfter, inVain, r.limits.Validators); err != nil {
		return err
	}
	if r.world.LookLast != nil {
		r.world.LookLast(ctx)
	}
	return nil
}
