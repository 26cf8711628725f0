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

// approve asks the operator for a phase. A person may take their time: the
// budget is looked at meanwhile, as in every wait, and what they decided is on
// record with the time that it took.
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

// approved asks for a phase until there is an answer that stands. Who approves the
// revoke while its gate says no is told so, and asked once more: they may have gone
// on without reading, or it was said before they were asked. although is what they
// were told and went on.
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

// saysNo is what the gate before the revoke says now where it does not hold; gates
// that are off say nothing.
func (r *rotation) saysNo(ctx context.Context) string {
	if r.plan.Gates == scenario.Off {
		return ""
	}
	_, refusals := r.check(ctx, history.Overlap)
	return whys(refusals)
}

// ask waits for the operator's answer to a question about a phase, or for what ends
// the way forward before it comes.
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
		// Its only error is the end of the wait, which is looked at above.
		_ = r.pause(waiting, tick, tick)
	}
	person()
	r.handsOn(began)
	if failed != nil {
		return "", fmt.Errorf("ask the operator before %s: %w", phase, failed)
	}
	return command, nil
}

// onHold is what is looked at, and goes on, while a person is waited for before a
// phase, since a moment.
func (r *rotation) onHold(ctx context.Context, phase history.Phase, since time.Time) error {
	// Who answers at once is not waited for.
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
