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

// rollBack is a rotation too: accept old → wait until learned → emit old → wait until drained →
// withdraw new, each only where the way forward made it necessary; then the proof. It asks neither
// gates nor operator nor budget.
func (r *rotation) rollBack(ctx context.Context) (string, error) {
	r.phase = history.Rollback
	r.record(history.Event{Kind: history.KindPhase, Phase: history.Rollback})
	steps := []struct {
		needed bool
		run    func(context.Context) error
	}{
		{r.revoked, r.restore},
		// Where the new one took the old one's place, that gives it back.
		{r.emitted || r.limits.InPlace(), r.emitOld},
		{r.made && !r.stays(), func(ctx context.Context) error { return r.stepBack(ctx, keyring.Withdraw, New) }},
	}
	for _, s := range steps {
		if !s.needed {
			continue
		}
		if err := s.run(ctx); err != nil {
			if ctx.Err() != nil {
				return history.EndedInterrupted, nil
			}
			return history.EndedRolledBack, fmt.Errorf("roll back: %w", err)
		}
	}
	if err := r.prove(ctx); err != nil {
		if ctx.Err() != nil {
			return history.EndedInterrupted, nil
		}
		return history.EndedRolledBack, fmt.Errorf("prove the rollback: %w", err)
	}
	return history.EndedRolledBack, nil
}

// stays reports whether the new credential may stay: an authority that had published it before the run
// and cannot withdraw it is unchanged, as long as nobody emitted it.
func (r *rotation) stays() bool {
	_, cannot := r.limits.Cannot[string(keyring.Withdraw)]
	return cannot && !r.emitted
}

// restore accepts the old credential again and waits until every validator on the page takes it for
// good, at most for the largest bound.
func (r *rotation) restore(ctx context.Context) error {
	if err := r.stepBack(ctx, keyring.Restore, Old); err != nil {
		return err
	}
	restored := r.world.History.Offset()
	longest := time.Duration(0)
	for _, v := range r.limits.Validators {
		if g1 := r.limits.G1(v); v.OnPage && g1 != runbook.Forever {
			longest = max(longest, r.limits.Wall(g1+cooldown(v))+v.Granule)
		}
	}
	var failed error
	err := r.waitBack(ctx, longest+settle, func() bool {
		if r.world.History.Offset()-restored < fresh {
			return false // what was logged before the restore may still be on its way
		}
		if slices.ContainsFunc(r.limits.Validators, func(v plan.Validator) bool { return v.OnPage && !r.takenBack(v) }) {
			return false
		}
		var all bool
		all, failed = r.allTakeBack(ctx)
		return all || failed != nil
	})
	return errors.Join(err, failed)
}

// allTakeBack shows the old credential to every validator on the page and reports whether every answer
// takes it: a log tells of one replica only.
func (r *rotation) allTakeBack(ctx context.Context) (bool, error) {
	before := map[string]int64{}
	said := func(v plan.Validator) (a history.Answers) {
		r.glance(func(view *history.View) { a = view.Said(v.Name, Old, history.Back) })
		return a
	}
	var to []plan.Validator
	for _, v := range r.limits.Validators {
		if v.OnPage {
			to = append(to, v)
			before[v.Name] = said(v).Refused
		}
	}
	err := r.sideBySide(to, func(v plan.Validator) error {
		return r.showTimes(ctx, v, Old, history.Back, func(shown int64) bool {
			return shown >= v.InARow() || said(v).Refused > before[v.Name]
		})
	})
	return !slices.ContainsFunc(to, func(v plan.Validator) bool { return said(v).Refused > before[v.Name] }), err
}

// takenBack says whether a validator takes the restored credential, whatever it fetches next. That it
// took it before the restore proves nothing: its next fetch may still bring a set without it.
func (r *rotation) takenBack(v plan.Validator) bool {
	if v.Authority {
		return true
	}
	if v.Reads {
		var read bool
		r.see(func(view *history.View) {
			_, holds := view.Holds[v.Name][Old]
			read = holds && view.LastFetch[v.Name] > view.Steps[string(keyring.Restore)][Old]
		})
		return read
	}
	now := r.world.History.Offset()
	var published, holds, canFetch bool
	r.see(func(view *history.View) {
		at := view.PublishedAt[v.From][Old]
		cached := at > view.Steps[string(keyring.Revoke)][Old] && now-at < history.Offset(r.limits.Wall(v.Shared))
		published = slices.Contains(view.Published[v.From], Old) && !cached
		_, holds = view.Holds[v.Name][Old]
		canFetch = v.OnMiss && now-view.LastFetch[v.Name] >= history.Offset(r.limits.Wall(cooldown(v)))
	})
	return published && (holds || canFetch)
}

// cooldown is the least time between fetches that unknown credentials cause at
// a validator, in page time.
func cooldown(v plan.Validator) time.Duration { return runbook.Libraries[v.Library].Cooldown }

// stepBack is step, after the store answers.
func (r *rotation) stepBack(ctx context.Context, step keyring.Step, credential string) error {
	if err := r.awaitStore(ctx); err != nil {
		return err
	}
	return r.step(ctx, step, credential)
}

// emitOld switches the emitters back and waits until nothing uses the new credential any more, at most
// for as long as that can live; a compromised one is not waited for.
func (r *rotation) emitOld(ctx context.Context) error {
	if err := r.stepBack(ctx, keyring.Emit, Old); err != nil {
		return err
	}
	if err := r.waitBack(ctx, r.plan.Times.Propagation+settle, func() bool { return len(r.emittersOn(New, true)) == 0 }); err != nil {
		return err
	}
	if r.plan.Compromised || !r.emitted {
		return nil // compromised: what was made with it must stop working now
	}
	var drained func() bool // a consumer that presents at times of its own: the whole time must pass
	if r.limits.JudgedAt == history.FromLoad {
		drained = r.drained
	}
	return r.waitBack(ctx, r.limits.Wall(r.limits.G2())+settle, drained)
}

// drained reports whether nothing uses the new credential any more, over a time in which every session
// comes up twice.
func (r *rotation) drained() bool {
	turns := time.Second
	for _, c := range r.limits.Clients {
		if c.Rate > 0 {
			turns = max(turns, time.Duration(2*float64(c.Sessions)/c.Rate*float64(time.Second)))
		}
	}
	now := r.world.History.Offset()
	emitted := history.Offset(0)
	r.glance(func(v *history.View) { emitted = v.Steps[string(keyring.Emit)][Old] })
	return now-emitted >= history.Offset(turns) && r.uses(New, now-history.Offset(turns), now+1) == 0
}

// uses counts the judged attempts with a credential in [from, to).
func (r *rotation) uses(credential string, from, to history.Offset) int64 {
	var n int64
	r.see(func(v *history.View) {
		for key := range v.Cells {
			if key.Source == r.limits.JudgedAt && key.Credential == credential {
				sum := v.Sum(key, from, to)
				n += sum.Answered()
			}
		}
	})
	return n
}

// proof is how long failures must have been flat for a rollback to be proven,
// in wall time.
const proof = time.Second

// prove waits until emitters have read that the new credential is withdrawn, watches the traffic, and
// shows the old one to every validator. Whether that proves the rollback, the judge decides.
func (r *rotation) prove(ctx context.Context) error {
	if err := r.waitBack(ctx, r.plan.Times.Propagation+settle, r.withdrawn); err != nil {
		return err
	}
	if err := r.waitBack(ctx, proof+settle, nil); err != nil {
		return err
	}
	// What was made with a compromised credential is refused until it is gone, and so is an emitter
	// that has not yet read the replacement.
	longest := r.limits.G2()
	if switching := r.limits.Switching(); switching != runbook.Forever {
		longest = max(longest, switching)
	}
	if err := r.waitBack(ctx, r.limits.Wall(longest)+settle, r.flat); err != nil {
		return err
	}
	if err := r.showBack(ctx); err != nil {
		return err
	}
	return r.compare(ctx)
}

// showBack shows the old credential to every validator, and the withdrawn one.
func (r *rotation) showBack(ctx context.Context) error {
	if err := r.show(ctx, Old, history.Restored, r.limits.Validators); err != nil {
		return err
	}
	if err := r.showControl(ctx, Old, history.Restored, inVain, r.limits.Validators); err != nil {
		return err
	}
	return r.sideBySide(r.limits.Validators, func(v plan.Validator) error { return r.showWithdrawn(ctx, v) })
}

// showWithdrawn shows the withdrawn credential to a validator: once or, where it is compromised, until
// every replica refuses it, at most for as long as the page allows after the withdraw.
func (r *rotation) showWithdrawn(ctx context.Context, v plan.Validator) error {
	bound, pace := time.Duration(0), probeEvery
	if g3 := r.limits.G3(v); g3 != runbook.Forever {
		bound = r.limits.Wall(g3) + v.Granule + onceMore
	}
	if v.Authority {
		pace = authorityEvery
	}
	pace = min(max(pace, bound/100), slowestProbe)
	for {
		probe, err := r.present(ctx, v.Name, New, history.Withdrawn)
		if err != nil || !r.plan.Compromised || probe.Outcome == history.HarnessError {
			return err
		}
		var a history.Answers
		var since history.Offset
		r.glance(func(view *history.View) {
			a = view.Said(v.Name, New, history.Withdrawn)
			since = r.world.History.Offset() - view.Steps[string(keyring.Withdraw)][New]
		})
		if a.InARow >= v.InARow() || since > history.Offset(bound) && a.Asked()+a.Unanswered >= v.InARow() {
			return nil
		}
		if err := r.world.Clock.Sleep(ctx, pace); err != nil {
			return err
		}
	}
}

// compare records whether authority and store agree.
func (r *rotation) compare(ctx context.Context) error {
	a := history.Agreement{Why: "the steps are commands of the team, which cannot say"}
	if comparer, ok := r.world.Steps.(world.Comparer); ok {
		differences, err := comparer.Compare(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a = history.Agreement{Compared: err == nil, Differences: differences}
		if err != nil {
			a.Why = err.Error()
		}
	}
	r.record(history.Event{Kind: history.KindAgreement, Phase: r.phase, Agreement: &a})
	return nil
}

// flat reports whether nothing was refused for as long as the proof asks.
func (r *rotation) flat() bool {
	now, flat := r.world.History.Offset(), true
	r.see(func(v *history.View) {
		for key := range v.Cells {
			if key.Source == r.limits.JudgedAt && (key.Credential == Old || key.Credential == New) {
				flat = flat && v.Sum(key, now-history.Offset(2*proof), now+1).AuthFailures == 0
			}
		}
	})
	return flat
}

// withdrawn reports whether no emitter publishes the new credential any more.
func (r *rotation) withdrawn() bool {
	if r.stays() {
		return true
	}
	gone := true
	r.glance(func(v *history.View) {
		for _, set := range v.Published {
			gone = gone && !slices.Contains(set, New)
		}
	})
	return gone
}

// waitBack is wait on the way back, which only the end of the context stops.
func (r *rotation) waitBack(ctx context.Context, d time.Duration, done func() bool) error {
	return r.poll(ctx, d, done, func() error { return nil })
}
