package rotation_test

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// TestRollbackFromWatch goes back at many moments after the revoke: whatever a
// validator has forgotten by then, or is about to forget with its next fetch,
// the old credential must be taken everywhere before emitters switch back to it.
func TestRollbackFromWatch(t *testing.T) {
	t.Parallel()
	quick := simulated.Options{Validators: map[string]simulated.Behaviour{
		"checkout": {Refresh: 5 * time.Minute, OnMiss: true, Cooldown: 5 * time.Minute},
	}}
	for _, tt := range []struct {
		name    string
		options simulated.Options
		after   []time.Duration // wall time into the watch
	}{
		{"before search fetches", simulated.Options{Seed: 4}, []time.Duration{0, 9250 * time.Millisecond, 9620 * time.Millisecond}},
		{"when search has forgotten", simulated.Options{Seed: 4}, []time.Duration{12 * time.Second, 41 * time.Second}},
		{"while checkout cools down", quick, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}},
	} {
		for _, after := range tt.after {
			t.Run(tt.name+" after "+after.String(), func(t *testing.T) {
				t.Parallel()
				o := tt.options
				o.Commands = []simulated.Command{{At: simulated.Moment{Phase: history.Watch, After: after}, Command: world.RollBack}}
				r := rehearse(t, planned(t, ""), o)
				r.wantNoError(t)
				r.wantEnd(t, history.EndedRolledBack, backRevoke)
				r.wantFailures(t)
			})
		}
	}
}

func TestRollbackIsProven(t *testing.T) {
	t.Parallel()
	r := rehearse(t, planned(t, staleCache), simulated.Options{})
	withdrawn := r.view.Steps["withdraw"]["k2"]
	shown := map[string]history.Probe{}
	for _, e := range r.events(history.KindProbe) {
		if e.Probe.Purpose != history.Restored {
			continue
		}
		shown[e.Service] = *e.Probe
		if flat := (e.At - withdrawn).Duration(); flat < time.Second {
			t.Errorf("%s was shown the old credential %s after the rollback, want at least 1s of traffic before", e.Service, flat)
		}
	}
	for _, name := range []string{"checkout", "search"} {
		if got := shown[name].Outcome; got != history.OK {
			t.Errorf("the old credential at %s after the rollback: got %q, want %s", name, got, history.OK)
		}
	}
}

// TestRollbackDrains checks that the new credential is withdrawn only when
// nothing that was made with it is in use any more.
func TestRollbackDrains(t *testing.T) {
	t.Parallel()
	r := rehearse(t, planned(t, ""), simulated.Options{Answers: map[history.Phase]world.Command{history.Revoke: world.RollBack}})
	withdrawn := r.view.Steps["withdraw"]["k2"]
	for _, key := range r.view.Keys() {
		if key.Credential != "k2" || key.Source != history.FromLoad {
			continue
		}
		if n := r.view.Sum(key, withdrawn-history.Offset(900*time.Millisecond), r.view.Now+1).Attempts; n > 0 {
			t.Errorf("%s used k2 %d times around its withdrawal or later, want none", key.Presenter, n)
		}
	}
	r.wantFailures(t)
}
