package rotation

import (
	"context"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// approve asks the operator whether a phase may begin. A person may take their time: meanwhile the
// budget is watched as in every wait, and the history records the decision and how long it took.
func (r *rotation) approve(ctx context.Context, phase history.Phase) error {
	asked := r.world.History.Offset()
	command, although, err := r.approved(ctx, phase)
	if err != nil {
		return err
	}
	if err := r.obey(command); err != nil {
		return err
	}
	if command != world.Approved {
		return nil
	}
	held := r.world.History.Offset() - asked
	did := "went on to " + string(phase)
	if phase == history.Revoke {
		did = "approved the revoke of " + Old
	}
	r.record(history.Event{
		Kind: history.KindOperator, Phase: r.phase, Began: asked,
		Detail: fmt.Sprintf("%s%s, after %s on hold", did, although, plan.Text(held.Duration())),
	})
	if phase == history.Accept {
		// The moment that the baseline waited for has passed.
		return r.awaitWorstMoment(ctx)
	}
	return nil
}

// approved asks until the operator's answer stands. An operator who approves the revoke while its gate
// does not hold is told why and asked once more: they may not have read it, or approved before the gate
// failed. although is the reason that they were told and overrode.
func (r *rotation) approved(ctx context.Context, phase history.Phase) (command world.Command, although string, err error) {
	confirmer, ok := r.world.Operator.(world.Confirmer)
	for {
		command, err = r.ask(ctx, phase, func(ctx context.Context) (world.Command, error) { return r.world.Operator.Approve(ctx, phase) })
		if err != nil || command != world.Approved || phase != history.Revoke || !ok {
			return command, "", err
		}
		says := r.saysNo(ctx)
		if says == "" {
			return command, "", nil
		}
		command, err = r.ask(ctx, phase, func(ctx context.Context) (world.Command, error) { return confirmer.Confirm(ctx, phase, says) })
		if err != nil || command != world.Wait {
			return command, " although the gate said no (" + says + ")", err
		}
		r.record(history.Event{
			Kind: history.KindOperator, Phase: r.phase,
			Detail: fmt.Sprintf("did not approve the revoke of %s after all, since the gate says no: %s", Old, says),
		})
	}
}

// saysNo tells why the gate before the revoke does not hold now; "" where it holds or gates are off.
func (r *rotation) saysNo(ctx context.Context) string {
	if r.plan.Gates == scenario.Off {
		return ""
	}
	_, refusals := r.check(ctx, history.Overlap)
	return whys(refusals)
}

// ask waits for the operator's answer about a phase, or for whatever ends the way forward first.
func (r *rotation) ask(ctx context.Context, phase history.Phase, question func(context.Context) (world.Command, error)) (world.Command, error) {
	var command world.Command
	var failed error
	asking, withdraw := context.WithCancel(ctx)
	waiting, answered := context.WithCancel(ctx)
	person := r.world.Clock.Go(func() {
		defer answered()
		command, failed = question(asking)
	})
	defer person()
	defer withdraw()
	began := r.world.Clock.Now()
	for waiting.Err() == nil {
		if err := r.onHold(ctx, phase, began); err != nil {
			return "", err
		}
		// The only error is the end of the wait, which the loop handles above.
		_ = r.pause(waiting, tick, tick)
	}
	person()
	r.handsOn(began)
	if failed != nil {
		return "", fmt.Errorf("ask the operator before %s: %w", phase, failed)
	}
	return command, nil
}

// onHold does what must go on while a person decides about a phase: it watches the triggers and, before
// the watch, presents the old credential.
func (r *rotation) onHold(ctx context.Context, phase history.Phase, since time.Time) error {
	// An operator who answers at once is not waited for.
	if phase == history.Watch && r.world.Clock.Now().Sub(since) >= probeEvery {
		if err := r.showOldOnHold(ctx); err != nil {
			return err
		}
	}
	if err := r.timebox(since); err != nil {
		return err
	}
	if err := r.store(); err != nil {
		return err
	}
	return r.budget()
}
