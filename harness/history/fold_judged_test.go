package history_test

import (
	"reflect"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// slowly rehearses a built-in scenario at speed 1 in the simulated world.
func slowly(t *testing.T, name string) (*history.History, plan.Limits) {
	t.Helper()
	loaded, err := scenario.Load(scenarios.FS, scenarios.File(name), scenario.WithFaults(fault.Names()...))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{Speed: 1})
	if err != nil {
		t.Fatal(err)
	}
	h := simulatedtest.Rehearse(t, p, simulated.Options{Fine: true}).History
	limits, err := rules.Limits(h)
	if err != nil {
		t.Fatal(err)
	}
	return h, limits
}

// TestFoldedIsJudgedTheSame judges hours of rotations as they were counted and
// folded: all that a verdict says must be the same.
func TestFoldedIsJudgedTheSame(t *testing.T) {
	again := history.Unfolded()
	defer again()
	for _, name := range []string{
		"jwt-signing-key/stale-cache", "webhook-secret/healthy",
	} {
		t.Run(name, func(t *testing.T) {
			h, limits := slowly(t, name)
			folded := history.Folded(h)
			if len(folded.Events) > len(h.Events)*4/5 { // most is near to something in a rotation of two hours
				t.Errorf("folded it has %d events of %d, want a fifth less: nothing was tried", len(folded.Events), len(h.Events))
			}
			t.Logf("%d events, folded %d", len(h.Events), len(folded.Events))
			want, got := rules.Judge(h, limits), rules.Judge(folded, limits)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("folded it is judged\n%+v\nand as it was counted\n%+v", got, want)
			}
		})
	}
}
