package rotation_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// TestTheRevokeIsAskedForAgain has a person approve the revoke while its gate says no:
// they are told what it says, and the answer is on record.
func TestTheRevokeIsAskedForAgain(t *testing.T) {
	t.Parallel()
	holds := map[history.Phase]time.Duration{history.Revoke: 2 * time.Second}
	for _, tt := range []struct {
		name     string
		patch    string
		confirms []world.Command
		steps    string
		did      []string // parts of what is on record, in order
		not      string   // is in none of it
	}{
		{"all the same", secondSigner, []world.Command{world.Approved}, forth, []string{"approved the revoke of k1 although the gate said no (", "twin still uses k1"}, "did not"},
		{"not yet, and then all the same", secondSigner, []world.Command{world.Wait, world.Approved}, forth,
			[]string{"did not approve the revoke of k1 after all, since the gate says no: ", "approved the revoke of k1 although the gate said no ("}, ""},
		{"back", secondSigner, []world.Command{world.RollBack}, backEmit, []string{"asked to roll back"}, "approved the revoke"},
		{"the gate says yes", "", []world.Command{world.RollBack}, forth, []string{"approved the revoke of k1, after 2s on hold"}, "although"},
		{"the gate is off", secondSigner + "gates: \"off\"\n", []world.Command{world.RollBack}, forth, []string{"approved the revoke of k1, after 2s on hold"}, "although"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			patch := tt.patch
			if !strings.Contains(patch, "gates") {
				patch += "gates: observe\n"
			}
			r := rehearse(t, planned(t, patch), simulated.Options{Holds: holds, Confirms: tt.confirms})
			r.wantNoError(t)
			if got := r.steps(); got != tt.steps {
				t.Errorf("steps: got  %s\nwant %s", got, tt.steps)
			}
			did := strings.Join(r.did(), "\n")
			rest := did
			for _, part := range tt.did {
				_, after, ok := strings.Cut(rest, part)
				if rest = after; !ok {
					t.Errorf("on record: got %q, want %q in it, after what comes before", did, part)
				}
			}
			if tt.not != "" && strings.Contains(did, tt.not) {
				t.Errorf("on record: got %q, want nothing of %q", did, tt.not)
			}
		})
	}
}

// unable is an operator who cannot be asked once more.
type unable struct{ world.Operator }

// TestNobodyToBeAskedAgain goes on where the operator cannot be: the gate is on
// record all the same.
func TestNobodyToBeAskedAgain(t *testing.T) {
	t.Parallel()
	r := rehearseIn(t, planned(t, secondSigner+"gates: observe\n"), simulated.Options{Holds: map[history.Phase]time.Duration{history.Revoke: time.Second}},
		func(w *world.World, _ context.CancelFunc) { w.Operator = unable{w.Operator} })
	r.wantNoError(t)
	wantEqual(t, "what the operator did", r.did(), []string{"approved the revoke of k1, after 1s on hold"})
}

// TestProofsRunOnHold presents the old credential while a person is waited for after
// the revoke, so that what is measured is when it was refused.
func TestProofsRunOnHold(t *testing.T) {
	t.Parallel()
	r := rehearse(t, plannedOf(t, keyPage, keyBase, ""), simulated.Options{Holds: map[history.Phase]time.Duration{history.Watch: 3 * time.Minute}})
	r.wantNoError(t)
	revoked := r.view.Steps["revoke"]["k1"]
	first := history.Offset(0)
	for _, e := range r.events(history.KindProbe) {
		if e.Probe.Purpose == history.OldAfter && first == 0 {
			first = e.At
		}
		if e.Probe.Outcome == history.HarnessError {
			t.Errorf("a probe at %s: got %s, want what was made before the revoke to last", e.At.Wall(), e.Probe.Status)
		}
	}
	if after := (first - revoked).Duration(); first == 0 || after > 200*time.Millisecond {
		t.Errorf("k1 was first presented %s after the revoke, want at once", after)
	}
	if held := r.view.OnHold(0, r.view.Now).Duration(); held != 3*time.Minute {
		t.Errorf("on hold: got %s, want 3m", held)
	}
	if watched := (r.view.Now - r.view.PhaseStart[history.Watch]).Duration(); watched < r.limits.Wall(r.limits.Watch) {
		t.Errorf("watched for %s, want all of the page's watch", watched)
	}
}

// TestALagCountsFromTheRevoke has a provider that goes on taking a revoked key for
// longer than the window lasts: what was changed before the revoke does not make it
// forget sooner.
func TestALagCountsFromTheRevoke(t *testing.T) {
	t.Parallel()
	p := plannedOf(t, keyPage, strings.Replace(keyBase, "{serve: provider}", "{serve: provider, lag: 4m}", 1), "gates: observe\n")
	r := rehearse(t, p, simulated.Options{})
	r.wantNoError(t)
	lagged := (r.view.Forgot["payments"]["k1"] - r.view.Steps["revoke"]["k1"]).Duration()
	if want := p.Wall(4 * time.Minute); lagged < want-time.Millisecond || lagged > want+time.Second {
		t.Errorf("payments took k1 for %s after the revoke, want %s", lagged, want)
	}
}
