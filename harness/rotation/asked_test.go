package rotation_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

func TestRollbackFrom(t *testing.T) {
	t.Parallel()
	for phase, steps := range map[history.Phase]string{
		history.Accept: backAccept, history.Verify: backAccept, history.Emit: backEmit,
		history.Overlap: backEmit, history.Revoke: backRevoke, history.Watch: backRevoke,
	} {
		t.Run(string(phase), func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, "rollback_from: "+string(phase)+"\n"), simulated.Options{})
			r.wantNoError(t)
			r.wantEnd(t, history.EndedRolledBack, steps)
			r.wantFailures(t)
			wantEqual(t, "decisions", r.decisions(), []string{"rollback: asked"})
			wantEqual(t, "phases", r.phases(), until(phase))
			if a := r.events(history.KindAgreement); len(a) != 1 || !a[0].Agreement.Compared || len(a[0].Agreement.Differences) > 0 {
				t.Errorf("agreement: got %+v, want one in which all agree", a)
			}
		})
	}
}

// Where accepting the new credential took the old one's place, the old one is
// given it back although it was emitted all the time.
func TestRollbackGivesThePlaceBack(t *testing.T) {
	t.Parallel()
	p := planned(t, "rollback_from: verify\n")
	p.Limits.Validators[0].Authority, p.Limits.Validators[0].Keys = true, 1
	r := rehearse(t, p, simulated.Options{})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedRolledBack, "accept k2, emit k1, withdraw k2")
}

// A gate that stops the run before the phase from which it was to be taken back
// is what turned it back.
func TestGateComesBeforeWhatWasAsked(t *testing.T) {
	t.Parallel()
	r := rehearse(t, planned(t, staleCache+"rollback_from: overlap\n"), simulated.Options{})
	wantEqual(t, "decisions", r.decisions(), []string{"rollback: gate"})
}

// TestCompromised does not wait until what the new credential made is out of use.
func TestCompromised(t *testing.T) {
	t.Parallel()
	const refresh = 2 * time.Minute // page time
	quick := simulated.Options{Validators: map[string]simulated.Behaviour{"checkout": {Refresh: refresh}}}
	waits := rehearse(t, planned(t, "rollback_from: overlap\n"), quick)
	waits.wantFailures(t)
	r := rehearse(t, planned(t, "rollback_from: overlap\ncompromised: true\n"), quick)
	r.wantNoError(t)
	r.wantEnd(t, history.EndedRolledBack, backEmit)
	waited := (r.view.Steps["withdraw"]["k2"] - r.view.Steps["emit"]["k1"]).Duration()
	if least := r.limits.Wall(r.limits.LongestLife); waited >= least {
		t.Errorf("k2 was withdrawn %s after k1 was emitted again, want before %s, for which it is in use", waited, least)
	}
	r.wantFailures(t, "checkout k2")
}

// askedLate are steps after the last of which the operator asks for the way back.
type askedLate struct {
	world.Steps
	commands chan world.Command
}

func (s askedLate) Do(ctx context.Context, step keyring.Step, credential string) error {
	if step == keyring.Destroy {
		s.commands <- world.RollBack
	}
	return s.Steps.Do(ctx, step, credential)
}

// lateOperator is the operator of those.
type lateOperator struct {
	world.Operator
	commands chan world.Command
}

func (o lateOperator) Interrupt() <-chan world.Command { return o.commands }

// TestTooLate has an operator ask for the way back when nothing is left to go
// back to.
func TestTooLate(t *testing.T) {
	t.Parallel()
	r := rehearseIn(t, planned(t, ""), simulated.Options{}, func(w *world.World, _ context.CancelFunc) {
		commands := make(chan world.Command, 1)
		w.Steps, w.Operator = askedLate{w.Steps, commands}, lateOperator{w.Operator, commands}
	})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedComplete, forth)
	said := r.events(history.KindOperator)
	if len(said) != 1 || !strings.Contains(said[0].Detail, "refused, since k1 was destroyed") {
		t.Errorf("operator: got %+v, want that it was refused and why", said)
	}
}
