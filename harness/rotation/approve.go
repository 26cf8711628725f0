package rotation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// approve asks the operator for a phase. A person may take their time: the
// budget is looked at meanwhile, as in every wait, and what they decided is on
// record with the time that it took.
func (r *rotation) approve(ctx context.Context, phase history.Phase) error {
	asked := r.world.Evidence.Offset()
	command, err := r.ask(ctx, phase)
	if err != nil {
		return err
	}
	if err := r.obey(command); err != nil {
		return err
	}
	if command != world.Approved {
		return nil
	}
	held := r.world.Evidence.Offset() - asked
	did := "went on to " + string(phase)
	if phase == history.Revoke {
		did = "approved the revoke of " + Old
	}
	r.record(history.Event{
		Kind: history.KindOperator, Phase: r.phase,
		Detail: fmt.Sprintf("%s, after %s on hold", did, plan.Text(held.Duration())),
	})
	if phase == history.Accept {
		// The moment that the baseline waited for has passed.
		return r.awaitFreshCache(ctx)
	}
	return nil
}

// ask waits for the operator's answer, or for what ends the way forward before
// it comes.
func (r *rotation) ask(ctx context.Context, phase history.Phase) (world.Command, error) {
	var command world.Command
	var failed error
	asking, withdraw := context.WithCancel(ctx)
	waiting, answered := context.WithCancel(ctx)
	var question sync.WaitGroup
	question.Go(func() {
		defer answered()
		command, failed = r.world.Operator.Approve(asking, phase)
	})
	defer question.Wait()
	defer withdraw()
	began := r.world.Clock.Now()
	for waiting.Err() == nil {
		if err := r.onHold(began); err != nil {
			return "", err
		}
		// Its only error is the end of the wait, which is looked at above.
		_ = r.world.Clock.Sleep(waiting, tick)
	}
	question.Wait()
	r.handsOn(began)
	if failed != nil {
		return "", fmt.Errorf("ask the operator before %s: %w", phase, failed)
	}
	return command, nil
}

// onHold is what is looked at while a person is waited for, since a moment.
func (r *rotation) onHold(since time.Time) error {
	if err := r.timebox(since); err != nil {
		return err
	}
	if err := r.store(); err != nil {
		return err
	}
	return r.budget()
}
