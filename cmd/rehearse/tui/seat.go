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

// seat is where the operator sits: what the keys decide comes to the rotation
// through it.
type seat struct {
	now func() time.Time

	mu         sync.Mutex
	hold       bool          // stop before each phase
	confirm    bool          // stop before the revoke, also without hold
	asked      history.Phase // that is waited for; empty: none
	says       string        // what the gate says no to, where that is asked
	since      time.Time     // it is
	gone       bool          // nobody sits here any more
	controls   world.Controls
	answers    chan world.Command
	interrupts chan world.Command
}

var (
	_ world.Operator  = (*seat)(nil)
	_ world.Confirmer = (*seat)(nil)
	_ world.Equipped  = (*seat)(nil)
)

func newSeat(hold, confirm bool, now func() time.Time) *seat {
	return &seat{now: now, hold: hold, confirm: confirm, answers: make(chan world.Command, 1), interrupts: make(chan world.Command, 1)}
}

// Equip takes the controls of the run.
func (s *seat) Equip(c world.Controls) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.controls = c
}

// Approve lets a phase begin, and on hold waits for a person to say so.
func (s *seat) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	select {
	case command := <-s.interrupts: // it came just before
		return command, nil
	default:
	}
	s.mu.Lock()
	if !s.stops(next) {
		s.mu.Unlock()
		return world.GoOn, ctx.Err()
	}
	s.mu.Unlock()
	return s.wait(ctx, next, "")
}

// Confirm asks whether a phase is to begin although its gate says no.
func (s *seat) Confirm(ctx context.Context, next history.Phase, says string) (world.Command, error) {
	return s.wait(ctx, next, says)
}

// wait waits for what a person says to a phase, and to what its gate says.
func (s *seat) wait(ctx context.Context, next history.Phase, says string) (world.Command, error) {
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return "", errNoScreen
	}
	s.asked, s.says, s.since = next, says, s.now()
	answers := s.answers
	s.mu.Unlock()
	defer s.heard(answers)
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
func (s *seat) heard(answers <-chan world.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.says = "", ""
	select {
	case late, open := <-answers:
		if open && late != world.Approved && late != world.Wait {
			replace(s.interrupts, late)
		}
	default:
	}
}

// stops reports whether a person is waited for before a phase; s.mu is held.
func (s *seat) stops(next history.Phase) bool {
	return s.hold || s.confirm && next == history.Revoke
}

// Interrupt delivers what is decided in the middle of a phase.
func (s *seat) Interrupt() <-chan world.Command { return s.interrupts }

// seatState is what the screen shows of the seat.
type seatState struct {
	hold  bool
	asked history.Phase
	says  string
	since time.Time
	ready bool
}

// state is how things stand at the seat.
func (s *seat) state() seatState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return seatState{s.hold, s.asked, s.says, s.since, s.controls != nil}
}

// command says what is to happen next: to the phase that is waited for, else to
// the one under way. The last one stands, also over a word to go on that nobody
// has taken yet.
func (s *seat) command(c world.Command) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.interrupts
	if s.asked != "" {
		to = s.answers
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
	default: // the seat was left
	}
}

// goOn lets the phase begin that is waited for; false where there is none. It
// takes no command back.
func (s *seat) goOn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == "" {
		return false
	}
	select {
	case s.answers <- world.Approved:
	default:
	}
	return true
}

// setHold makes the run stop before each phase, or lets phases begin by
// themselves, also the one that is waited for.
func (s *seat) setHold(hold bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = hold
	if s.asked != "" && s.says == "" && !s.stops(s.asked) {
		select {
		case s.answers <- world.Approved:
		default:
		}
	}
}

// holds says whether the run stops before each phase.
func (s *seat) holds() bool { return s.state().hold }

// leave makes nobody sit here any more: what is on hold ends with an error.
func (s *seat) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gone {
		s.gone = true
		close(s.answers)
		s.answers = nil // later sends wait for nobody, and are dropped
	}
}

// hands are the controls; nil before the services are up.
func (s *seat) hands() world.Controls {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.controls
}
