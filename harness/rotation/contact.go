package rotation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// contactEvery is the time between questions to the store, contactWithin the timeout of each.
	contactEvery  = 500 * time.Millisecond
	contactWithin = time.Second
	// longestPause bounds the time between questions where time is virtual.
	longestPause = time.Hour
	// leastSilence is the shortest wall time for which the store must be silent to count as lost,
	// whatever the speed.
	leastSilence = 2 * time.Second
	// storePatience bounds how long a step of the way back waits for the store.
	storePatience = 30 * time.Second
)

// contact knows whether the store answers. A rotation that cannot reach the store can neither go on nor
// back, and should not begin what it may be unable to end.
type contact struct {
	mu    sync.Mutex
	lost  bool
	since history.Offset // when the first unanswered question was asked
	why   error
}

// keepContact asks the store at intervals until ctx ends. Steps without world.Contacter never lose
// contact.
func (r *rotation) keepContact(ctx context.Context) {
	store, ok := r.world.Steps.(world.Contacter)
	for ok && ctx.Err() == nil {
		asked := r.world.History.Offset()
		asking, cancel := context.WithTimeout(ctx, contactWithin)
		err := store.Contact(asking)
		cancel()
		if ctx.Err() == nil {
			r.contact.heard(asked, err)
		}
		// The only error is the end of the wait, which the loop handles above.
		_ = r.pause(ctx, contactEvery, longestPause)
	}
}

func (c *contact) heard(asked history.Offset, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && !c.lost {
		c.since = asked
	}
	c.lost, c.why = err != nil, err
}

// silence says since when the store is silent, and the error of the last question.
func (c *contact) silence() (since history.Offset, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since, c.why
}

// silenceAllowed is how long the store may be silent: as long as the page allows a change to arrive.
func (r *rotation) silenceAllowed() time.Duration {
	return max(r.limits.Wall(r.limits.Propagation), leastSilence)
}

// store turns the rotation back where the store was silent for too long.
func (r *rotation) store() error {
	since, why := r.contact.silence()
	silent := r.world.History.Offset() - since
	if why == nil || silent.Duration() <= r.silenceAllowed() {
		return nil
	}
	return r.overLimit(history.TriggerStore, since, fmt.Sprintf("nothing was heard of the store for %s, and %s is what it has: %v",
		plan.Text(r.limits.Page(silent.Duration())), plan.Text(r.limits.Page(r.silenceAllowed())), why))
}

// overLimit acts on a trigger by the mode of the gates: it turns back, records it once, or does
// nothing.
func (r *rotation) overLimit(trigger history.Trigger, since history.Offset, why string) error {
	switch {
	case r.enforced():
		return r.decide(trigger, why, since)
	case r.plan.Gates == scenario.Off || r.noted[trigger]:
		return nil
	}
	r.noted[trigger] = true
	r.record(history.Event{Kind: history.KindDecision, Phase: r.phase, Decision: &history.Decision{
		Action: history.ActionRecord, Trigger: trigger, Why: why, Since: since,
	}})
	return nil
}

// awaitStore waits on the way back until the store answers, at most storePatience: a step that fails
// because the store is silent would have to be repeated.
func (r *rotation) awaitStore(ctx context.Context) error {
	store, ok := r.world.Steps.(world.Contacter)
	if !ok {
		return nil
	}
	deadline := r.world.Clock.Now().Add(storePatience)
	for {
		err := r.asked(ctx, store)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if !r.world.Clock.Now().Before(deadline) {
			return fmt.Errorf("wait %s for the store to answer: %w", storePatience, err)
		}
		if err := r.world.Clock.Sleep(ctx, contactEvery); err != nil {
			return err
		}
	}
}

func (r *rotation) asked(ctx context.Context, store world.Contacter) error {
	ctx, cancel := context.WithTimeout(ctx, contactWithin)
	defer cancel()
	return store.Contact(ctx)
}
