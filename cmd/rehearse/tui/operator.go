package tui

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// errNoScreen is the end of a game day whose screen is gone: nobody can be
// asked, and the rotation must not go on by itself.
var errNoScreen = errors.New("the screen is gone, and nobody can be asked")

// operator is the person at the keys: what they decide goes to the rotation
// through it.
type operator struct {
	now func() time.Time

	mu         sync.Mutex
	hold       bool          // stop before each phase
	confirm    history.Phase // stop before this one, also without hold; "": before none
	asked      history.Phase // that is waited for; empty: none
	says       string        // what the gate says no to, where that is asked
	since      time.Time     // it is
	gone       bool          // nobody is at the keys any more
	controls   world.Controls
	answers    chan world.Command
	interrupts chan world.Command
}

var (
	_ world.Operator  = (*operator)(nil)
	_ world.Confirmer = (*operator)(nil)
	_ world.Equipped  = (*operator)(nil)
)

func newOperator(hold bool, confirm history.Phase, now func() time.Time) *operator {
	return &operator{now: now, hold: hold, confirm: confirm, answers: make(chan world.Command, 1), interrupts: make(chan world.Command, 1)}
}

// Equip takes the controls of the run.
func (o *operator) Equip(c world.Controls) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.controls = c
}

// Approve lets a phase begin, and on hold waits for a person to say so.
func (o *operator) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	select {
	case command := <-o.interrupts: // it came just before
		return command, nil
	default:
	}
	o.mu.Lock()
	if !o.stops(next) {
		o.mu.Unlock()
		return world.GoOn, ctx.Err()
	}
	o.mu.Unlock()
	return o.wait(ctx, next, "")
}

// Confirm asks whether a phase is to begin although its gate says no.
func (o *operator) Confirm(ctx context.Context, next history.Phase, says string) (world.Command, error) {
	return o.wait(ctx, next, says)
}

// wait waits for what a person says to a phase, and to what its gate says.
func (o *operator) wait(ctx context.Context, next history.Phase, says string) (world.Command, error) {
	o.mu.Lock()
	if o.gone {
		o.mu.Unlock()
		return "", errNoScreen
	}
	o.asked, o.says, o.since = next, says, o.now()
	answers := o.answers
	o.mu.Unlock()
	defer o.heard(answers)
	select {
	case command, open := <-answers:
		if !open {
			return "", errNoScreen
		}
		return command, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// heard ends the waiting for a person. What came just then counts as said in the
// middle of the phase, unless it was a word to go on.
func (o *operator) heard(answers <-chan world.Command) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked, o.says = "", ""
	select {
	case late, open := <-answers:
		if open && late != world.Approved && late != world.Wait {
			replace(o.interrupts, late)
		}
	default:
	}
}

// stops reports whether a person is waited for before a phase; o.mu is held.
func (o *operator) stops(next history.Phase) bool {
	return o.hold || next == o.confirm
}

// Interrupt delivers what is decided in the middle of a phase.
func (o *operator) Interrupt() <-chan world.Command { return o.interrupts }

// operatorState is what the screen shows of what the operator decided and is asked.
type operatorState struct {
	hold  bool
	asked history.Phase
	says  string
	since time.Time
	ready bool
}

// state is what the operator decided and is asked now.
func (o *operator) state() operatorState {
	o.mu.Lock()
	defer o.mu.Unlock()
	return operatorState{o.hold, o.asked, o.says, o.since, o.controls != nil}
}

// command says what is to happen next: to the phase that is waited for, else to
// the one under way. The last one stands, also over a word to go on that nobody
// has taken yet.
func (o *operator) command(c world.Command) {
	o.mu.Lock()
	defer o.mu.Unlock()
	to := o.interrupts
	if o.asked != "" {
		to = o.answers
	}
	replace(to, c)
}

// replace puts a command in the place of what nobody has taken yet; nobody else
// sends meanwhile.
func replace(to chan world.Command, c world.Command) {
	select {
	case <-to:
	default:
	}
	select {
	case to <- c:
	default: // the operator was left
	}
}

// goOn lets the phase begin that is waited for; false where there is none. It
// takes no command back.
func (o *operator) goOn() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.asked == "" {
		return false
	}
	select {
	case o.answers <- world.Approved:
	default:
	}
	return true
}

// setHold makes the run stop before each phase, or lets phases begin by
// themselves, also the one that is waited for.
func (o *operator) setHold(hold bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hold = hold
	if o.asked != "" && o.says == "" && !o.stops(o.asked) {
		select {
		case o.answers <- world.Approved:
		default:
		}
	}
}

// holds says whether the run stops before each phase.
func (o *operator) holds() bool { return o.state().hold }

// leave makes nobody sit here any more: what is on hold ends with an error.
func (o *operator) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.gone {
		o.gone = true
		close(o.answers)
		o.answers = nil // later sends wait for nobody, and are dropped
	}
}

// hands are the controls; nil before the services are up.
func (o *operator) hands() world.Controls {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.controls
}
