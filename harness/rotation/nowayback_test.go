package rotation_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// TestAGateAfterTheRevokeTurnsNothingBackThatCannotBe: where the system cannot restore
// what was revoked, a gate that does not hold then is told, and nothing is tried.
func TestAGateAfterTheRevokeTurnsNothingBackThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cannot    map[string]string
		ended     string
		decisions []string
	}{
		"there is a way back": {nil, history.EndedRolledBack, []string{"rollback: gate"}},
		"there is none":       {map[string]string{"restore": "it gives no key back"}, history.EndedComplete, []string{"record: gate"}},
	} {
		p := planned(t, "gates: enforce\n")
		p.Limits.Cannot = tt.cannot
		r := rehearse(t, p, simulated.Options{Validators: map[string]simulated.Behaviour{"search": keeps}})
		r.wantNoError(t)
		if r.how != tt.ended {
			t.Errorf("%s: got %s, want %s", name, r.how, tt.ended)
		}
		wantEqual(t, name+": decisions", r.decisions(), tt.decisions)
		for _, e := range r.events(history.KindDecision) {
			if got := strings.Contains(e.Decision.Why, "there is no way back: it gives no key back"); got != (tt.cannot != nil) {
				t.Errorf("%s: got %q", name, e.Decision.Why)
			}
		}
	}
}
