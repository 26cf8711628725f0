package rotation_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// script is a rotator that is seen to take steps some seconds after its start, and
// ends then; what is seen changes the simulated world.
type script struct {
	accept, emit, revoke, ends float64 // 0: never
	fails                      error
	stop, back                 bool
	blind                      error

	world.Steps
	clock  world.Clock
	began  time.Time
	halted bool
}

func (s *script) after(seconds float64) time.Time {
	return s.began.Add(time.Duration(seconds * float64(time.Second)))
}

func (s *script) Rotates(keyring.Step) bool { return true }
func (s *script) Lets() (stop, back bool)   { return s.stop, s.back }

func (s *script) Start(context.Context) error {
	s.began = s.clock.Now()
	return nil
}

func (s *script) Halt(context.Context) error {
	s.halted = true
	return nil
}

func (s *script) Await(ctx context.Context) {
	if !s.began.IsZero() && s.ends > 0 {
		_ = s.clock.Sleep(ctx, s.after(s.ends).Sub(s.clock.Now()))
	}
}

func (s *script) Progress() world.Progress {
	p := world.Progress{Taken: map[keyring.Step]world.Taken{}, Is: "that is how it stands", Blind: s.blind}
	now := s.clock.Now()
	for step, at := range map[keyring.Step]float64{keyring.Accept: s.accept, keyring.Emit: s.emit, keyring.Revoke: s.revoke} {
		if at > 0 && !s.halted && !now.Before(s.after(at)) {
			p.Taken[step], p.Identifier = world.Taken{NotYet: s.after(at - 0.5), Seen: s.after(at)}, "kid"
		}
	}
	if s.halted {
		p.Over, p.OverAt, p.Err = true, now, errors.New("it was stopped")
	} else if s.ends > 0 && !now.Before(s.after(s.ends)) {
		p.Over, p.OverAt, p.Err = true, s.after(s.ends), s.fails
	}
	return p
}

// rotated rehearses with a rotator.
func rotated(t *testing.T, s *script, patch string, o simulated.Options) *rehearsal {
	t.Helper()
	p := planned(t, patch)
	p.Limits.Rotated = []string{"accept", "emit", "revoke"}
	p.Rehearsal.Attach = &scenario.Attach{Rotator: &scenario.Rotator{Timeout: runbook.Duration(40 * time.Second)}}
	return rehearseIn(t, p, o, func(w *world.World, _ context.CancelFunc) {
		s.Steps, s.clock = w.Steps, w.Clock
		w.Steps = s
	})
}

// At speed 90 the page wants 11 s from accept to emit, and 7 s from there to the revoke.
func TestRotator(t *testing.T) {
	t.Parallel()
	const observe = "gates: observe\non_budget: record\n"
	for _, tt := range []struct {
		name   string
		script script
		patch  string
		how    string
		steps  string
		says   string   // the failed step
		broken []string // bounds
		fails  []string
	}{
		{"in good time", script{accept: 1, emit: 13, revoke: 22, ends: 23}, observe, history.EndedComplete, "accept k2, emit k2, revoke k1, destroy k1", "", nil, nil},
		{"and ends before it is seen", script{accept: 2, emit: 14, revoke: 23, ends: 22.8}, observe, history.EndedComplete, "accept k2, emit k2, revoke k1, destroy k1", "", nil, nil},
		{"emits too early", script{accept: 1, emit: 3, revoke: 22, ends: 23}, observe, history.EndedComplete, "accept k2, emit k2, revoke k1, destroy k1", "", []string{"G1 search 3m"}, []string{"search k2"}},
		{"revokes too early", script{accept: 1, emit: 13, revoke: 15, ends: 16}, observe, history.EndedComplete, "accept k2, emit k2, revoke k1, destroy k1", "", []string{"G2  1m"}, nil},
		{"too early, and may be stopped", script{accept: 1, emit: 3, revoke: 22, ends: 23, stop: true, back: true}, "", history.EndedRolledBack, "accept k2, emit k2, emit k1, withdraw k2", "", []string{"G1 search 3m"}, nil},
		{"may be stopped, and has no way back", script{accept: 1, emit: 3, revoke: 22, ends: 23, stop: true}, "", history.EndedStopped, "accept k2, emit k2", "", []string{"G1 search 3m"}, nil},
		{"does nothing", script{ends: 1}, observe, history.EndedStopped, "accept k2!", "the rotator ended with success and was seen to do nothing before, and 3m later nothing more was seen: that is how it stands", nil, nil},
		{"does half", script{accept: 1, ends: 2}, observe, history.EndedStopped, "accept k2, emit k2!", "the rotator ended with success after it had k2 accepted, and 21m later", nil, nil},
		{"does not revoke", script{accept: 1, emit: 13, ends: 14, back: true}, observe, history.EndedRolledBack, "accept k2, emit k2, revoke k1!, emit k1, withdraw k2", "after it had k2 in use", nil, nil},
		{"fails", script{accept: 1, emit: 13, ends: 14, fails: errors.New("exit status 1")}, observe, history.EndedStopped, "accept k2, emit k2, revoke k1!", "the rotator failed after it had k2 in use: that is how it stands: exit status 1", nil, nil},
		{"fails when all is done", script{accept: 1, emit: 13, revoke: 22, ends: 23, fails: errors.New("exit status 1")}, observe, history.EndedComplete, "accept k2, emit k2, revoke k1, rotator k2!, destroy k1", "it was seen to do all, and then: exit status 1", nil, nil},
		{"hangs", script{accept: 1, ends: 40, fails: errors.New("it took longer than 40s")}, observe, history.EndedStopped, "accept k2, emit k2!", "the rotator failed after it had k2 accepted: that is how it stands: it took longer than 40s", nil, nil},
		{"cannot be seen", script{ends: 1, blind: errors.New("no answer")}, observe, history.EndedStopped, "", "", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rotated(t, &tt.script, tt.patch, simulated.Options{})
			r.wantEnd(t, tt.how, tt.steps)
			r.wantFailures(t, tt.fails...)
			var broken []string
			for _, b := range r.limits.BoundsSeen(plan.Sight{View: r.view, Old: "k1", New: "k2"}) {
				if !b.Held {
					broken = append(broken, b.Rule+" "+b.Validator+" "+plan.Text(b.Planned.Truncate(time.Minute)))
				}
			}
			wantEqual(t, "bounds that do not hold", broken, tt.broken)
			said := ""
			for _, e := range r.events(history.KindStep) {
				said += e.Detail
			}
			if !strings.Contains(said, tt.says) || tt.says == "" && said != "" {
				t.Errorf("the step that failed says %q, want %q in it", said, tt.says)
			}
			if tt.script.blind != nil && (r.err == nil || !strings.Contains(r.err.Error(), "what the rotator does cannot be seen: no answer")) {
				t.Errorf("error: got %v, want that it cannot be seen", r.err)
			}
		})
	}
}

// TestRotatorThatNobodyMayStop goes on where a rotation would be turned back, and notes it.
func TestRotatorThatNobodyMayStop(t *testing.T) {
	t.Parallel()
	s := &script{accept: 1, emit: 3, revoke: 22, ends: 23}
	r := rotated(t, s, "gates: \"off\"\non_budget: rollback\n", simulated.Options{})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedComplete, "accept k2, emit k2, revoke k1, destroy k1")
	wantEqual(t, "decisions", r.decisions(), []string{"record: budget"})
	if why := r.events(history.KindDecision)[0].Decision.Why; !strings.HasSuffix(why, "; nobody may stop the rotator (attach.rotator.stop, may_end), and it goes on") {
		t.Errorf("it is noted as %q", why)
	}
}

// TestRotatorThatIsInterrupted is stopped where that is allowed, and waited for where not.
func TestRotatorThatIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, stop := range []bool{true, false} {
		s := &script{accept: 1, emit: 13, revoke: 22, ends: 23, stop: stop}
		r := rotated(t, s, "gates: observe\n", simulated.Options{
			Commands: []simulated.Command{{At: simulated.Moment{Phase: history.Verify, After: 2 * time.Second}, Command: world.Abort}},
		})
		r.wantNoError(t)
		r.wantEnd(t, history.EndedInterrupted, "accept k2")
		if s.halted != stop {
			t.Errorf("stopped: got %v, want %v", s.halted, stop)
		}
	}
}
