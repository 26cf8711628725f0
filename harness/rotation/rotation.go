// Package rotation takes a secret through its phases, with a gate after each,
// and back again when a gate, the budget or an operator says so. It sees a
// world of interfaces and nothing of containers, HTTP or any one secret family.
//
//	baseline ─ accept ─ verify ─ emit ─ overlap ─ revoke ─ watch ─ complete
//	    │         └────────┴──────┴───────┴────────┴───────┴──► rollback
//	    └──► stopped: nothing was changed yet
package rotation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// The names of the two credentials of a rotation.
const (
	Old = "k1"
	New = "k2"
)

const (
	// tick is how often a wait looks at the budget and the operator. A decision
	// is due 500 ms after the first observation over the limit; the counts come
	// in buckets of 100 ms.
	tick = 50 * time.Millisecond
	// settle is wall time that a step may take beyond what the page plans: the
	// time of our own calls and of logs to arrive.
	settle = time.Second
	// undoTimeout bounds the undoing of faults, which runs under a context of its own.
	undoTimeout = 30 * time.Second
)

// rotation is one rotation under way.
type rotation struct {
	plan   *plan.Plan
	limits plan.Limits
	world  world.World

	phase      history.Phase
	acceptedAt time.Time // when the new credential was accepted
	switchedAt time.Time // when the last emitter had switched
	// What was done so far, which is what a rollback has to take back.
	made, emitted, revoked bool
	known                  bool        // the team's rotator was seen to have made one
	moment                 plan.Moment // into which the accept fell
	closely                bool        // look at each tick, whether anything changed or not
	overBudget             bool        // already recorded, where the budget only records
	noted                  map[history.Trigger]bool
	hands                  time.Duration // for which hands were on
	contact                contact
	proving                revocationProof
}

// Provision brings the secret into the state that a rotation starts from: one
// credential, accepted and emitted.
func Provision(ctx context.Context, steps world.Steps, evidence world.History) error {
	r := rotation{world: world.World{Clock: world.WallClock{}, Steps: steps, History: evidence}}
	if err := r.make(ctx, Old); err != nil {
		return err
	}
	if err := r.step(ctx, keyring.Accept, Old); err != nil {
		return err
	}
	return r.step(ctx, keyring.Emit, Old)
}

// Run takes the secret from Old to New as planned. It returns how the rotation ended, one of the
// history.Ended constants, which is also the last event of the history. An error means that a step
// forward or back could not be taken.
func Run(ctx context.Context, p *plan.Plan, w world.World) (string, error) {
	r := &rotation{plan: p, limits: p.Limits, world: w, noted: map[history.Trigger]bool{}}
	asking, enough := context.WithCancel(ctx)
	asked := w.Clock.Go(func() { r.keepContact(asking) })
	how, err := r.forward(ctx)
	if over := r.endRotator(context.WithoutCancel(ctx), true); over != nil {
		err = errors.Join(err, over)
	}
	enough()
	asked()
	undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	if undone := w.Faults.Undo(undo); undone != nil {
		err = errors.Join(err, fmt.Errorf("undo faults: %w", undone))
	}
	r.record(history.Event{Kind: history.KindEnd, Phase: r.phase, Detail: how})
	return how, err
}

// forward runs the phases, and the way back where they halt.
func (r *rotation) forward(ctx context.Context) (string, error) {
	phases := []struct {
		phase history.Phase
		run   func(context.Context) error
	}{
		{history.Baseline, r.baseline},
		{history.Accept, r.accept},
		{history.Verify, r.verify},
		{history.Emit, r.emit},
		{history.Overlap, r.overlap},
		{history.Revoke, r.revoke},
		{history.Watch, r.watch},
	}
	for _, p := range phases {
		err := r.enter(ctx, p.phase)
		if err == nil {
			err = p.run(ctx)
		}
		if err == nil && slices.Contains(Gated(), p.phase) {
			err = r.gate(ctx, p.phase)
		}
		if err == nil && p.phase == r.plan.RollbackFrom {
			err = r.decide(history.TriggerAsked, "the scenario rehearses the way back from here", r.world.History.Offset())
		}
		if err != nil {
			return r.leave(ctx, err)
		}
	}
	r.overRotator(ctx)
	if err := r.step(ctx, keyring.Destroy, Old); err != nil {
		return history.EndedComplete, err
	}
	r.tooLate()
	return history.EndedComplete, nil
}

// leave turns what ended the way forward into an ending.
func (r *rotation) leave(ctx context.Context, err error) (string, error) {
	var h *halt
	r.endProof(true)
	switch {
	case ctx.Err() != nil || errors.Is(err, errAborted):
		return history.EndedInterrupted, nil
	case errors.As(err, &h) && h.decision.Action == history.ActionStop:
		return history.EndedStopped, nil
	case errors.As(err, &h):
		if over := r.endRotator(ctx, true); over != nil || r.nothingSeen() {
			return history.EndedStopped, over
		}
		return r.rollBack(ctx)
	}
	// A failed step may have left authority and store apart: the way back makes them agree, and the
	// error is returned all the same.
	if !r.made {
		return history.EndedStopped, err
	}
	trigger, crossed := history.TriggerError, errors.Is(err, world.ErrOtherRotation)
	if crossed {
		trigger = history.TriggerAnother
	}
	if over := r.endRotator(ctx, true); over != nil {
		return history.EndedStopped, errors.Join(err, over)
	}
	if r.nothingSeen() {
		return history.EndedStopped, err
	}
	r.decide(trigger, err.Error(), r.world.History.Offset())
	if r.stranded() {
		return history.EndedStopped, err
	}
	how, back := r.rollBack(ctx)
	if crossed && errors.Is(back, world.ErrOtherRotation) {
		back = nil // the same failure stops the way back: one error is enough
	}
	return how, errors.Join(err, back)
}

// enter asks the operator and begins a phase.
func (r *rotation) enter(ctx context.Context, phase history.Phase) error {
	if r.asksFor(phase) {
		if err := r.approve(ctx, phase); err != nil {
			return err
		}
	}
	r.begin(ctx, phase)
	return nil
}

func (r *rotation) begin(ctx context.Context, phase history.Phase) {
	r.phase = phase
	r.record(history.Event{Kind: history.KindPhase, Phase: phase})
	r.world.Faults.Begin(ctx, phase)
}

func (r *rotation) record(e history.Event) {
	e.At = r.world.History.Offset()
	r.world.History.Record(e)
}

// step takes one step and records it, also when it failed.
func (r *rotation) step(ctx context.Context, step keyring.Step, credential string) error {
	e := history.Event{
		Kind: history.KindStep, Phase: r.phase, Step: string(step), Credential: credential, Began: r.world.History.Offset(),
	}
	began := r.world.Clock.Now()
	err := r.world.Steps.Do(ctx, step, credential)
	r.handsOn(began)
	if err != nil {
		e.Detail = err.Error()
		err = &StepError{Step: string(step), Credential: credential, Err: err}
	}
	r.record(e)
	return err
}

// StepError is in the chain of Run's error where a step could not be taken.
type StepError struct {
	Step, Credential string
	Err              error
}

// Error names the step and the reason, once, where the reason names the step too.
func (e *StepError) Error() string {
	which := fmt.Sprintf("%s %s: ", e.Step, e.Credential)
	return which + strings.TrimPrefix(e.Err.Error(), which)
}

// Unwrap is why it could not be taken.
func (e *StepError) Unwrap() error { return e.Err }

func (r *rotation) make(ctx context.Context, name string) error {
	identifier, err := r.world.Steps.Make(ctx, name)
	if err != nil {
		failed := &StepError{Step: "make", Credential: name, Err: err}
		r.record(history.Event{Kind: history.KindStep, Phase: r.phase, Step: failed.Step, Credential: name, Detail: err.Error()})
		return failed
	}
	r.record(history.Event{Kind: history.KindCredential, Phase: r.phase, Credential: name, Identifier: identifier})
	return nil
}

func (r *rotation) see(f func(*history.View)) {
	if counts, ok := r.world.History.(world.CatchUp); ok {
		counts.CatchUp()
	}
	r.glance(f)
}

// glance is see without catching up on counts, which may lag where time is virtual.
func (r *rotation) glance(f func(*history.View)) { r.world.History.See(f) }
