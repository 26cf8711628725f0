package tui

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// answer is what Approve came to.
type answer struct {
	command world.Command
	err     error
}

// approve asks a operator in the background.
func approve(ctx context.Context, s *operator, next history.Phase) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		command, err := s.Approve(ctx, next)
		answers <- answer{command, err}
	}()
	return answers
}

func TestApprove(t *testing.T) {
	for _, tt := range []struct {
		name    string
		hold    bool
		confirm history.Phase
		next    history.Phase // default emit
		do      func(*operator)
		want    answer
		soon    bool // it does not wait for a person
	}{
		{name: "confirm another phase than the revoke", confirm: history.Revoke, want: answer{world.GoOn, nil}, soon: true},
		{name: "confirm the revoke", confirm: history.Revoke, next: history.Revoke, do: func(s *operator) { s.goOn() }, want: answer{world.Approved, nil}},
		{
			name: "hold no more approves no revoke that is to be confirmed", hold: true, confirm: history.Revoke, next: history.Revoke,
			do: func(s *operator) { s.setHold(false); s.command(world.RollBack) }, want: answer{world.RollBack, nil},
		},
		{name: "without hold", want: answer{world.GoOn, nil}, soon: true},
		{name: "go on", hold: true, do: func(s *operator) { s.goOn() }, want: answer{world.Approved, nil}},
		{name: "roll back", hold: true, do: func(s *operator) { s.command(world.RollBack) }, want: answer{world.RollBack, nil}},
		{name: "abort", hold: true, do: func(s *operator) { s.command(world.Abort) }, want: answer{world.Abort, nil}},
		{name: "hold no more", hold: true, do: func(s *operator) { s.setHold(false) }, want: answer{world.Approved, nil}},
		{name: "a command is not taken back by going on", hold: true, do: func(s *operator) { s.command(world.RollBack); s.goOn() }, want: answer{world.RollBack, nil}},
		{name: "nobody is there any more", hold: true, do: func(s *operator) { s.leave() }, want: answer{"", errNoScreen}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newOperator(tt.hold, tt.confirm, time.Now)
				answers := approve(t.Context(), s, cmp.Or(tt.next, history.Emit))
				synctest.Wait()
				if asked := s.state().asked; (asked == "") != tt.soon {
					t.Errorf("asked for %q before anybody did anything", asked)
				}
				if tt.do != nil {
					tt.do(s)
				}
				got := <-answers
				if got.command != tt.want.command || !errors.Is(got.err, tt.want.err) {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				if asked := s.state().asked; asked != "" {
					t.Errorf("asked for %q afterwards, want nothing", asked)
				}
			})
		})
	}
}

func TestApproveEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newOperator(true, "", time.Now)
		answers := approve(ctx, s, history.Emit)
		synctest.Wait()
		cancel()
		if got := <-answers; !errors.Is(got.err, context.Canceled) {
			t.Errorf("got %+v, want the context's end", got)
		}
	})
}

// TestStaleAnswers has words that come when nobody waits for them: they must
// not let a later phase begin.
func TestStaleAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newOperator(true, "", time.Now)
		if s.goOn() {
			t.Error("went on where nothing waits")
		}
		answers := approve(t.Context(), s, history.Accept)
		synctest.Wait()
		s.goOn()
		s.goOn() // pressed twice
		<-answers
		answers = approve(t.Context(), s, history.Verify)
		synctest.Wait()
		select {
		case got := <-answers:
			t.Errorf("verify began by a word that was for accept: %+v", got)
		default:
		}
		s.command(world.Abort)
		if got := <-answers; got.command != world.Abort {
			t.Errorf("got %+v, want abort", got)
		}
	})
}

// TestInterrupts come in the middle of a phase, or just before one.
func TestInterrupts(t *testing.T) {
	s := newOperator(false, "", time.Now)
	s.command(world.RollBack)
	s.command(world.Abort) // the last one stands
	if got := <-s.Interrupt(); got != world.Abort {
		t.Errorf("got %q, want abort", got)
	}
	s.command(world.RollBack)
	if got, err := s.Approve(t.Context(), history.Revoke); got != world.RollBack || err != nil {
		t.Errorf("got %q, %v before the next phase, want roll-back", got, err)
	}
}

// A command that comes when the rotation was just told to go on is not lost,
// whether it has heard that already or not.
func TestCommandAfterGoingOn(t *testing.T) {
	s := newOperator(true, "", time.Now)
	s.asked = history.Revoke
	s.goOn()
	s.command(world.RollBack)
	if got := <-s.answers; got != world.RollBack {
		t.Errorf("not heard yet: got %q, want roll-back", got)
	}
	s.command(world.RollBack)
	s.heard(s.answers) // the word before it
	if got := <-s.Interrupt(); got != world.RollBack || s.asked != "" {
		t.Errorf("just heard: got %q, and still asked for %q; want roll-back", got, s.asked)
	}
}

func TestLeftOperator(t *testing.T) {
	s := newOperator(true, "", time.Now)
	s.leave()
	s.leave()
	s.goOn()
	if _, err := s.Approve(t.Context(), history.Emit); !errors.Is(err, errNoScreen) {
		t.Errorf("got %v, want that nobody can be asked", err)
	}
	s.setHold(false)
	if got, err := s.Approve(t.Context(), history.Emit); got != world.GoOn || err != nil {
		t.Errorf("without hold: got %q, %v; want go-on", got, err)
	}
}
