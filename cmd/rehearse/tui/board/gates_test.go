package board

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// TestTheScreenAsksTheGates replays rotations whose gates do not hold. Just before
// each of them the screen says that something is missing, and whom it names names
// the gate too.
func TestTheScreenAsksTheGates(t *testing.T) {
	t.Parallel()
	for name, refuses := range map[string]bool{
		"jwt-signing-key/healthy": false, "jwt-signing-key/stale-cache": true, "jwt-signing-key/short-overlap": true,
		"jwt-signing-key/missed-consumer": true, "jwt-signing-key/missed-signer": true, "jwt-signing-key/single-key": true,
		"jwt-signing-key/revoked-key-accepted": true, "api-key/healthy": false, "api-key/missed-consumer": true,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, h := rehearsed(t, name)
			d := newDesk(p.Limits)
			d.run.Baseline = p.Rehearsal.Baseline.Duration()
			d.run.OnPage = nil
			for _, c := range p.Runbook.Consumers {
				d.run.OnPage = append(d.run.OnPage, c.Name)
			}
			gates := 0
			for _, e := range h.Events {
				if e.Kind == history.KindGate && !e.Gate.Held && len(d.gates[e.Gate.Phase]) == 0 {
					gates++
					d.clock = d.began.Add(e.At.Duration())
					if said := look(d, func(s *State) string { return s.check(e.Gate.Phase).Text }); !strings.HasPrefix(said, "waits: ") || !strings.Contains(said, e.Gate.Consumer) {
						t.Errorf("before the gate of %s: got %q, want it to wait for %s, which it refuses for: %s", e.Gate.Phase, said, e.Gate.Consumer, e.Gate.Detail)
					}
				}
				d.tell(e)
			}
			if refuses != (gates > 0) {
				t.Errorf("gates that do not hold: got %d, want some: %t", gates, refuses)
			}
		})
	}
}

// rehearsed is a built-in scenario with its gates observed, and what happened.
func rehearsed(t *testing.T, name string) (*plan.Plan, *history.History) {
	t.Helper()
	loaded, err := scenario.Load(scenarios.FS, scenarios.File(name))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{Gates: scenario.Observe})
	if err != nil {
		t.Fatal(err)
	}
	return p, simulatedtest.Rehearse(t, p, simulated.Options{}).History
}
