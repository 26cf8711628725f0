package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// A rotator of the team's own takes the steps in its own time; the phases follow what
// it was seen to do:
//
//	accept ─ verify ─ emit ─ overlap ─ revoke ─ watch
//	   │        │      │        │        └ seen: the old one is taken no more
//	   │        │      │        └ until that is seen
//	   │        │      └ seen: the new one is in use
//	   │        └ until that is seen; a canary shortly before the lead of the page is over
//	   └ the rotator is started; seen: the new one is accepted
//
// It may do them in another order: what is seen is recorded when it is seen.

// rotates is the rotator that takes a step in place of the run; nil where the run takes it.
func (r *rotation) rotates(step keyring.Step) world.Rotator {
	if rotator, ok := r.world.Steps.(world.Rotator); ok && r.limits.Rotator() && rotator.Rotates(step) {
		return rotator
	}
	return nil
}

// rotator is the team's own rotator; nil: there is none.
func (r *rotation) rotator() world.Rotator { return r.rotates(keyring.Accept) }

// ofRotation are the steps of a rotation, each with its credential, in order.
var ofRotation = []keyring.Intent{{Step: keyring.Accept, Credential: New}, {Step: keyring.Emit, Credential: New}, {Step: keyring.Revoke, Credential: Old}}

// startRotator starts a rotator and returns when it was seen to have accepted the new credential.
func (r *rotation) startRotator(ctx context.Context, rotator world.Rotator) error {
	// The rotator may revoke at any time: what must outlive the revoke is made first.
	if err := r.world.Probes.Hold(ctx, Old, r.keepFor()); err != nil {
		return fmt.Errorf("hold a token of %s for the proof of its revocation: %w", Old, err)
	}
	err := rotator.Start(ctx)
	r.recordRotator("started", err)
	if err != nil {
		return &StepError{Step: rotatorStep, Credential: New, Err: err}
	}
	r.made = true // from here on there may be something to take back
	if err := r.await(ctx, rotator, keyring.Accept); err != nil {
		return err
	}
	r.acceptedAt = rotator.Progress().Taken[keyring.Accept].Seen
	return nil
}

// rotatorStep stands for what the rotator does besides the steps of a keyring.
const rotatorStep = "rotator"

// recordRotator records what became of the rotator; an error is a step that failed.
func (r *rotation) recordRotator(what string, err error) {
	e := history.Event{Kind: history.KindRotator, Phase: r.phase, What: what}
	if err != nil {
		e = history.Event{Kind: history.KindStep, Phase: r.phase, Step: rotatorStep, Credential: New, Detail: err.Error()}
	}
	r.record(e)
}

// await waits until a step of the rotator was seen, or a later one, and records the steps seen. It
// returns an error where the rotator ended without it.
func (r *rotation) await(ctx context.Context, rotator world.Rotator, step keyring.Step) error {
	var failed error
	err := r.wait(ctx, r.plan.RotatorTimeout()+r.graceFor(step)+settle, func() bool {
		failed = r.seenOf(ctx, rotator)
		return failed != nil || r.taken(step) || r.overFor(rotator, step)
	})
	switch {
	case err != nil || failed != nil:
		return errors.Join(err, failed)
	case r.taken(step):
		return nil
	}
	p := rotator.Progress()
	if p.Blind != nil && p.Err == nil {
		return fmt.Errorf("what the rotator does cannot be seen: %w", p.Blind)
	}
	if p.Identifier != "" { // it made a credential, and got no further
		if err := r.meet(ctx); err != nil {
			return err
		}
	}
	failed = r.untaken(step, p)
	i := slices.IndexFunc(ofRotation, func(i keyring.Intent) bool { return i.Step == step })
	r.record(history.Event{Kind: history.KindStep, Phase: r.phase, Step: string(step), Credential: ofRotation[i].Credential, Detail: failed.Error()})
	return &StepError{Step: string(step), Credential: ofRotation[i].Credential, Err: failed}
}

// taken reports whether a step, or a later one of the rotation, was recorded.
func (r *rotation) taken(step keyring.Step) (taken bool) {
	from := slices.IndexFunc(ofRotation, func(i keyring.Intent) bool { return i.Step == step })
	r.glance(func(v *history.View) {
		for _, intent := range ofRotation[from:] {
			_, ok := v.Steps[string(intent.Step)][intent.Credential]
			taken = taken || ok
		}
	})
	return taken
}

// seenOf records the steps that the rotator was seen to take since the last question.
func (r *rotation) seenOf(ctx context.Context, rotator world.Rotator) error {
	p := rotator.Progress()
	for _, intent := range ofRotation {
		at, seen := p.Taken[intent.Step]
		recorded := false
		r.glance(func(v *history.View) { _, recorded = v.Steps[string(intent.Step)][intent.Credential] })
		if !seen || recorded || !rotator.Rotates(intent.Step) {
			continue
		}
		if err := r.meet(ctx); err != nil {
			return err
		}
		if err := r.world.Steps.Do(ctx, intent.Step, intent.Credential); err != nil {
			return &StepError{Step: string(intent.Step), Credential: intent.Credential, Err: err}
		}
		switch intent.Step {
		case keyring.Emit:
			r.emitted = true
		case keyring.Revoke:
			r.revoked = true
		}
		now, offset := r.world.Clock.Now(), r.world.History.Offset()
		began := max(0, offset-history.Offset(now.Sub(at.NotYet)))
		r.record(history.Event{Kind: history.KindStep, Phase: r.phase, Step: string(intent.Step), Credential: intent.Credential, Began: began})
	}
	if p.Odd != nil {
		return &StepError{Step: rotatorStep, Credential: New, Err: p.Odd}
	}
	return nil
}

// meet records the new credential, once.
func (r *rotation) meet(ctx context.Context) error {
	if r.known {
		return nil
	}
	r.known = true
	return r.make(ctx, New)
}

// graceFor is how long after its success a rotator's step may still show: changes take time to arrive,
// and what it leaves to expire takes the time of the page.
func (r *rotation) graceFor(step keyring.Step) time.Duration {
	grace := r.plan.Times.Propagation + settle
	switch step {
	case keyring.Emit:
		grace += r.plan.Times.Lead
	case keyring.Revoke:
		grace += r.plan.Times.Window
	}
	return grace
}

// overFor reports whether a rotator has ended and a step will not come any more.
func (r *rotation) overFor(rotator world.Rotator, step keyring.Step) bool {
	p := rotator.Progress()
	grace := r.graceFor(step)
	if p.Err != nil {
		grace = r.plan.Times.Propagation + settle // what it did before it failed may still show
	}
	return over(p, r.world.Clock.Now(), grace)
}

// longestLook bounds the wait for a look under way: the commands that look are slow on a slow machine.
const longestLook = 2 * time.Minute

// over reports whether a rotator ended long enough ago and was looked at since: only then does an
// unseen step mean that it was not taken.
func over(p world.Progress, now time.Time, grace time.Duration) bool {
	last := p.OverAt.Add(grace)
	switch {
	case !p.Over || now.Before(last):
		return false
	case p.Looked.IsZero() || p.Blind != nil:
		return true
	}
	return !p.Looked.Before(last) || !now.Before(last.Add(longestLook))
}

// untaken is the error for a step that was not seen.
func (r *rotation) untaken(step keyring.Step, p world.Progress) error {
	did := "and was seen to do nothing before"
	switch {
	case r.emitted:
		did = fmt.Sprintf("after it had %s in use", New)
	case r.taken(keyring.Accept):
		did = fmt.Sprintf("after it had %s accepted", New)
	}
	is := ""
	switch {
	case p.Blind != nil:
		is = "; it cannot be looked at: " + p.Blind.Error()
	case p.Is != "":
		is = ": " + p.Is
	}
	switch {
	case p.Err != nil:
		return fmt.Errorf("the rotator failed %s%s: %w", did, is, p.Err)
	case p.Over:
		return fmt.Errorf("the rotator ended with success %s, and %s later nothing more was seen%s", did, plan.Text(r.limits.Page(r.graceFor(step)).Round(time.Second)), is)
	}
	return fmt.Errorf("the rotator was started and is not seen to end, %s%s", did, is)
}

// verifySeen waits until the rotator was seen to emit, and shows the canary shortly before the page's
// lead is over where it has not by then.
func (r *rotation) verifySeen(ctx context.Context, rotator world.Rotator) error {
	if at := r.canaryAt(); at > 0 && r.plan.Runbook.Verification.Lists("canary") {
		var failed error
		err := r.wait(ctx, at-r.world.Clock.Now().Sub(r.acceptedAt), func() bool {
			failed = r.seenOf(ctx, rotator)
			return failed != nil || r.taken(keyring.Emit) || r.overFor(rotator, keyring.Emit)
		})
		if err != nil || failed != nil {
			return errors.Join(err, failed)
		}
		if !r.taken(keyring.Emit) {
			if err := r.showCanary(ctx); err != nil {
				return err
			}
		}
	}
	return r.await(ctx, rotator, keyring.Emit)
}

// canaryAt is how long after the accept the canary is shown: sooner it could teach a validator the
// credential, and later the rotator's users have shown it already.
func (r *rotation) canaryAt() time.Duration {
	longest := r.plan.Times.Lead * 9 / 10
	for _, v := range r.limits.Validators {
		if g1 := r.limits.G1(v); v.OnPage && g1 != runbook.Forever {
			longest = max(longest, r.limits.Wall(g1)+v.Granule)
		}
	}
	return min(longest, r.plan.Times.Lead)
}

// awaitEmit waits for the emit where the revoke was seen first.
func (r *rotation) awaitEmit(ctx context.Context, rotator world.Rotator) error {
	var failed error
	err := r.wait(ctx, r.plan.RotatorTimeout(), func() bool {
		failed = r.seenOf(ctx, rotator)
		return failed != nil || r.emitted || r.overFor(rotator, keyring.Emit)
	})
	if err != nil || failed != nil || r.emitted {
		return errors.Join(err, failed)
	}
	failed = r.untaken(keyring.Emit, rotator.Progress())
	r.record(history.Event{Kind: history.KindStep, Phase: r.phase, Step: string(keyring.Emit), Credential: New, Detail: failed.Error()})
	return &StepError{Step: string(keyring.Emit), Credential: New, Err: failed}
}

// endRotator waits for a running rotator to end, and stops it where stop is set and the team allows it:
// two must not change one secret at a time.
func (r *rotation) endRotator(ctx context.Context, stop bool) error {
	rotator := r.rotator()
	if rotator == nil || !r.made || rotator.Progress().Over {
		return nil
	}
	if may, _ := rotator.Lets(); stop && may {
		err := rotator.Halt(ctx)
		r.recordRotator("stopped", err)
		if err != nil {
			return &StepError{Step: rotatorStep, Credential: New, Err: err}
		}
		return nil
	}
	rotator.Await(ctx)
	return nil
}

// overRotator waits for the end of a rotator that was seen to take every step, and records a failure
// all the same.
func (r *rotation) overRotator(ctx context.Context) {
	rotator := r.rotator()
	if rotator == nil {
		return
	}
	rotator.Await(ctx)
	if err := rotator.Progress().Err; err != nil {
		r.recordRotator("", fmt.Errorf("it was seen to do all, and then: %w", err))
		return
	}
	r.recordRotator("ended", nil)
}

// unheld reports whether nobody may stop the rotator. A rotation that should be turned back then goes
// on, and the history says so.
func (r *rotation) unheld() bool {
	rotator := r.rotator()
	if rotator == nil || !r.made || rotator.Progress().Over {
		return false
	}
	may, _ := rotator.Lets()
	return !may
}

// unturned records once that the rotation should be turned back and cannot be.
func (r *rotation) unturned(d history.Decision) error {
	if r.noted[d.Trigger] && d.Trigger != history.TriggerOperator {
		return nil
	}
	r.noted[d.Trigger] = true
	d.Action, d.Why = history.ActionRecord, d.Why+"; nobody may stop the rotator (attach.rotator.stop, may_end), and it goes on"
	r.record(history.Event{Kind: history.KindDecision, Phase: r.phase, Decision: &d})
	return nil
}

// asksFor reports whether the operator is asked about a phase: a rotator that was started begins its
// later phases by itself.
func (r *rotation) asksFor(phase history.Phase) bool {
	switch phase {
	case history.Baseline, history.Accept:
		return true
	case history.Revoke:
		return r.rotates(keyring.Revoke) == nil
	}
	return r.rotator() == nil
}

// nothingSeen reports whether a rotator was seen to change nothing.
func (r *rotation) nothingSeen() bool { return r.rotator() != nil && !r.known }

// stranded reports whether a rotator changed what cannot be taken back.
func (r *rotation) stranded() bool {
	rotator := r.rotator()
	if rotator == nil || !r.made {
		return false
	}
	_, back := rotator.Lets()
	return !back
}
