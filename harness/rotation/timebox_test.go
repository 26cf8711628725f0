package rotation_test

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// decided is the one decision of a rehearsal, and when it was made.
func (r *rehearsal) decided(t *testing.T) (history.Decision, history.Offset) {
	t.Helper()
	decisions := r.events(history.KindDecision)
	if len(decisions) != 1 {
		t.Fatalf("decisions: got %v, want one", r.decisions())
	}
	return *decisions[0].Decision, decisions[0].At
}

// wantSoon checks that a decision came within the aim after what it is about.
func wantSoon(t *testing.T, since, at history.Offset) {
	t.Helper()
	if took := (at - since).Duration(); took < 0 || took > 500*time.Millisecond {
		t.Errorf("decided %s after the first moment over the limit, want within 500ms", took)
	}
}

// The timebox is about hands: as long as the page has it, whatever the speed,
// and the waits of the page do not count.
func TestTimebox(t *testing.T) {
	t.Parallel()
	boxed := func(box string) string { return "override: {schedule: {timebox: " + box + "}}\n" }
	held := func(phase history.Phase, d time.Duration) simulated.Options {
		return simulated.Options{Holds: map[history.Phase]time.Duration{phase: d}}
	}
	for _, tt := range []struct {
		name, patch string
		options     simulated.Options
		how, steps  string
		decisions   []string
	}{
		{"nobody waits, the waits are long", boxed("1s"), simulated.Options{}, history.EndedComplete, forth, nil},
		{"a person is within it", boxed("1m"), held(history.Revoke, 50*time.Second), history.EndedComplete, forth, nil},
		{"a person is over it", boxed("1m"), held(history.Revoke, 2*time.Minute), history.EndedRolledBack, backEmit, []string{"rollback: timebox"}},
		{"a person takes long before anything is changed", boxed("1m"), held(history.Accept, 2*time.Minute), history.EndedComplete, forth, nil},
		{"over it, and gates only observe", boxed("1m") + "gates: observe\n", held(history.Revoke, 2*time.Minute), history.EndedComplete, forth, []string{"record: timebox"}},
		{"over it, and gates are off", boxed("1m") + "gates: \"off\"\n", held(history.Revoke, 2*time.Minute), history.EndedComplete, forth, nil},
		{"none on the page", "", held(history.Revoke, time.Hour), history.EndedComplete, forth, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, tt.patch), tt.options)
			r.wantNoError(t)
			r.wantEnd(t, tt.how, tt.steps)
			wantEqual(t, "decisions", r.decisions(), tt.decisions)
			if len(tt.decisions) > 0 {
				d, at := r.decided(t)
				wantSoon(t, d.Since, at)
			}
		})
	}
}
