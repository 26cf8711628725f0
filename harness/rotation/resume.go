package rotation

import (
	"context"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Unfinished is what a rotator left that died in the middle of a rotation.
type Unfinished struct {
	Keyring *keyring.Keyring
	// Finish completes the step that was under way. Otherwise the rotation is taken back.
	Finish bool
	// Alive says that consumers are still there, who must learn and drain.
	Alive bool
}

// Resume makes authority and store agree again after a rotator has died, from the step that the keyring
// has as pending. It takes the rotation back, since nobody saw what happened meanwhile: the old
// credential accepted and emitted, the new one withdrawn. It finishes the pending step only where the
// way back is closed, after a destroy was begun, or where Unfinished says so. It returns what it did,
// in a sentence, and records whether authority and store agree.
func Resume(ctx context.Context, p *plan.Plan, w world.World, u Unfinished) (did string, err error) {
	r := &rotation{plan: p, limits: p.Limits, world: w, noted: map[history.Trigger]bool{}, made: true}
	began := false
	r.see(func(v *history.View) {
		r.phase = v.Phase
		_, began = v.PhaseStart[history.Rollback]
	})
	did, steps := u.way(r.limits.InPlace())
	if len(steps) > 0 && !began {
		r.decide(history.TriggerError, "the rotator died"+u.during(), r.world.History.Offset())
		r.phase = history.Rollback
		r.record(history.Event{Kind: history.KindPhase, Phase: history.Rollback})
	}
	for _, s := range steps {
		if err := r.step(ctx, s.Step, s.Credential); err != nil {
			return "", fmt.Errorf("resume: %w", err)
		}
		if u.Alive {
			if err := r.waitBack(ctx, r.settles(s), nil); err != nil {
				return "", err
			}
		}
	}
	if u.Alive {
		if err := r.showBack(ctx); err != nil {
			return "", err
		}
	}
	if err := r.compare(ctx); err != nil {
		return "", err
	}
	r.record(history.Event{Kind: history.KindEnd, Phase: r.phase, Detail: history.EndedRolledBack})
	return did, nil
}

// during is " in the STEP of CREDENTIAL", where one was under way.
func (u Unfinished) during() string {
	if p := u.Keyring.Pending; p != nil {
		return fmt.Sprintf(" in the %s of %s", p.Step, p.Credential)
	}
	return ""
}

// way lists the steps to take, and tells them in words. inPlace says that accepting the new credential
// replaced the old one.
func (u Unfinished) way(inPlace bool) (did string, steps []keyring.Intent) {
	ring, pending := u.Keyring, u.Keyring.Pending
	old, fresh := ring.Credentials[Old], ring.Credentials[New]
	doing := func(step keyring.Step, name string) bool {
		return pending != nil && *pending == keyring.Intent{Step: step, Credential: name}
	}
	switch {
	case old.Status == keyring.Destroyed:
		return Old + " was destroyed: there is nothing to go back to, and nothing was under way", nil
	case doing(keyring.Destroy, Old):
		return "finished the destroy of " + Old + ": its value may be gone, so there is nothing to go back to", []keyring.Intent{*pending}
	case fresh.Status == "" && pending == nil:
		return "nothing was changed yet", nil
	case u.Finish && pending == nil:
		return "no step was under way", nil
	case u.Finish, fresh.Status == "":
		return fmt.Sprintf("finished the %s of %s", pending.Step, pending.Credential), []keyring.Intent{*pending}
	}
	if old.Status == keyring.Disabled || doing(keyring.Revoke, Old) || doing(keyring.Restore, Old) {
		steps = append(steps, keyring.Intent{Step: keyring.Restore, Credential: Old})
	}
	if ring.Emit == New || doing(keyring.Emit, New) || doing(keyring.Emit, Old) || inPlace {
		steps = append(steps, keyring.Intent{Step: keyring.Emit, Credential: Old})
	}
	if fresh.Status != keyring.Disabled || doing(keyring.Withdraw, New) {
		steps = append(steps, keyring.Intent{Step: keyring.Withdraw, Credential: New})
	}
	if len(steps) == 0 {
		return "it had been taken back already", nil
	}
	return fmt.Sprintf("taken back to %s: %s is withdrawn", Old, New), steps
}

// settles is the longest time that consumers may need for a step of the way back: nobody has followed
// their logs.
func (r *rotation) settles(s keyring.Intent) time.Duration {
	switch s.Step {
	case keyring.Restore:
		longest := time.Duration(0)
		for _, v := range r.limits.Validators {
			if g1 := r.limits.G1(v); v.OnPage && g1 != runbook.Forever {
				longest = max(longest, r.limits.Wall(g1+cooldown(v))+v.Granule)
			}
		}
		return longest + settle
	case keyring.Emit:
		return r.plan.Times.Propagation + r.limits.Wall(r.limits.G2()) + settle
	case keyring.Withdraw:
		return r.plan.Times.Propagation + settle
	}
	return 0
}
