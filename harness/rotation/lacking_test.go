package rotation_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// TestWithoutEvidence goes through to the end where nothing can show that the
// old credential is refused, and nothing tells what search has taken: no gate
// stops a rotation for what it cannot know, and each says so.
func TestWithoutEvidence(t *testing.T) {
	t.Parallel()
	p := planned(t, "override: {verification: {checks: [logs]}}\n")
	p.Limits.RuleSources = []plan.RuleSource{{Rule: "revocation", From: "no token outlives it", None: true}}
	for i := range p.Limits.Validators {
		p.Limits.Validators[i].Untold = p.Limits.Validators[i].Name == "search"
	}
	r := rehearse(t, p, simulated.Options{})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedComplete, forth)
	if refused := r.refused(); len(refused) > 0 {
		t.Errorf("gates refused: %q, want none", refused)
	}
	for _, e := range r.events(history.KindProbe) {
		if e.Probe.Purpose == history.OldAfter {
			t.Errorf("%s was shown k1 after the revoke, want nothing shown", e.Service)
		}
	}
	for _, e := range r.events(history.KindGate) {
		if told := strings.Contains(e.Gate.Detail, "nothing tells of search"); told != (e.Gate.Phase == history.Verify) {
			t.Errorf("the gate of %s says %q", e.Gate.Phase, e.Gate.Detail)
		}
	}
}
