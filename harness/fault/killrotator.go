package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// leastDead is the least wall time for which a rotator is dead: a shorter pending step may be a living
// one's.
const leastDead = 2 * time.Second

// killRotator makes the rotator die half-way, like a job whose machine is lost: authority and store
// differ until another rotator takes up the pending step.
var killRotator = Kind{
	Name: "kill-rotator",
	Does: "ends the rotator in the step with which a phase begins, after it was done at the authority and before it is published; " +
		"another takes it up when `for` is over",
	Where:    "on: store, where the steps are rehearse's own; at: accept, emit or revoke",
	Evidence: "the keyring at the store has the step as begun, for as long as no living rotator takes",
	at: func(f scenario.Fault) error {
		if f.At.After > 0 || !slices.Contains([]string{string(history.Accept), string(history.Emit), string(history.Revoke)}, f.At.Phase) {
			return errors.New("the rotator writes when accept, emit and revoke begin: at: one of these")
		}
		return nil
	},
	prepare: func(f scenario.Fault, g *Graph) error {
		switch {
		case f.On != storeName:
			return fmt.Errorf("%s is not the store: on: %s", f.On, storeName)
		case g.plan.Wall(f.For.Duration()) < leastDead:
			return fmt.Errorf("it needs a time until another is started, of at least %s at this speed: for: TIME", plan.Text(g.plan.Limits.Page(leastDead)))
		}
		return nil
	},
	bind: func(_ scenario.Fault, s *site) (Fault, error) {
		if s.Rotator == nil {
			return nil, fmt.Errorf("the steps are not rehearse's own: %w", ErrCannot)
		}
		return &killedRotator{pendingGauge: pendingGauge{site: s}}, nil
	},
}

// killedRotator is one that is to die.
type killedRotator struct {
	untilEnd
	pendingGauge
}

// Inject makes it die in the next step.
func (k *killedRotator) Inject(context.Context) error {
	k.site.Rotator.Die()
	return nil
}

// Undo starts another.
func (k *killedRotator) Undo(context.Context) error {
	k.site.Rotator.Revive()
	return nil
}

// Names of the figures of the keyring.
const (
	pending   = "pending"    // 1 where a step is under way
	pendingMS = "pending_ms" // for how long it was seen so
)

// pendingGauge looks at the keyring at the store.
type pendingGauge struct {
	site  *site
	step  keyring.Intent // that was last seen under way
	since time.Time      // when it was first
}

var _ Gauge = (*pendingGauge)(nil)

// Measure waits until a step is under way for longer than one takes.
func (g *pendingGauge) Measure(ctx context.Context, span time.Duration) Reading {
	return watch(ctx, span, g.once, longPending)
}

// Took reports whether a step stayed pending for too long.
func (*pendingGauge) Took(before, during Reading) bool {
	return len(before) > 0 && before[pending] == 0 && longPending(during)
}

// Back reports whether no step is pending.
func (*pendingGauge) Back(_, after Reading) bool { return len(after) > 0 && after[pending] == 0 }

func longPending(r Reading) bool {
	return r[pendingMS] >= float64(leastDead.Milliseconds())/2
}

func (g *pendingGauge) once(ctx context.Context) Reading {
	ring, err := g.site.Rotator.Keyring(ctx)
	if err != nil {
		return Reading{}
	}
	switch {
	case ring.Pending == nil:
		g.step = keyring.Intent{}
		return Reading{pending: 0, pendingMS: 0}
	case *ring.Pending != g.step:
		g.step, g.since = *ring.Pending, time.Now()
	}
	return Reading{pending: 1, pendingMS: float64(time.Since(g.since).Milliseconds())}
}
