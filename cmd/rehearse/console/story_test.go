package console

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestBaselineSaysWhatItWaitsFor tells the time beyond the planned one: until
// the slowest validator learns as late as it can.
func TestBaselineSaysWhatItWaitsFor(t *testing.T) {
	l := plan.Limits{Speed: 60, Validators: []plan.Validator{{Name: "search", Learns: 15 * time.Minute}}}
	got := told(t, l, Options{Baseline: 5 * time.Minute},
		history.Event{Kind: history.KindCredential, Credential: "k1"},
		history.Event{At: at(100), Kind: history.KindPhase, Phase: history.Baseline}, counted(10_100, "search", "k1", 5, 0))
	for _, want := range []string{
		"k1 alone under load, for 5m (5s), and until the worst moment for search, within 15m (15s) more\n",
		"· baseline, waits for the worst moment for search, 0s to the end · 5 attempts",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

// TestObservedGateIsToldOnce leaves out the decision that only says it again.
func TestObservedGateIsToldOnce(t *testing.T) {
	const why = "search has not taken k2"
	got := told(t, limits, Options{},
		history.Event{Kind: history.KindGate, Gate: &history.Gate{Phase: history.Verify, Mode: "observe", Detail: why, Consumer: "search"}},
		history.Event{Kind: history.KindDecision, Decision: &history.Decision{Action: history.ActionRecord, Trigger: history.TriggerGate, Why: "the gate of verify does not hold: " + why}})
	if strings.Count(got, why) != 1 || !strings.Contains(got, "(only observed: enforced, it would stop here)") {
		t.Errorf("got %q, want it told once, with what an enforced gate would do", got)
	}
}

// TestThePageStandsStillOnHold tells the page time of a phase without the time in which
// a person was waited for.
func TestThePageStandsStillOnHold(t *testing.T) {
	l := plan.Limits{Speed: 60}
	got := told(t, l, Options{},
		history.Event{At: at(100), Kind: history.KindOperator, Began: at(10), Detail: "went on to baseline"},
		history.Event{At: at(100), Kind: history.KindPhase, Phase: history.Baseline},
		history.Event{At: at(25_100), Kind: history.KindOperator, Began: at(5_100), Detail: "went on to accept"},
		history.Event{At: at(25_100), Kind: history.KindPhase, Phase: history.Accept})
	if !strings.Contains(got, "▸ baseline  page 0s") || !strings.Contains(got, "▸ accept    page 5m ·") {
		t.Errorf("got %q, want accept at 5m of the page: it was on hold for 20 of 25 seconds", got)
	}
}
