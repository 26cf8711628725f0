package simulation

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestWhatVaries draws the time that a shared cache keeps an answer: somebody is refused
// where that is long, and nobody where it is not. What else varies changes nothing.
func TestWhatVaries(t *testing.T) {
	const runs = 40
	l := loaded(t, "jwt-signing-key/shared-cache")
	minutes := func(least, most int) scenario.Distribution {
		return scenario.Distribution{Uniform: []runbook.Duration{runbook.Duration(least) * runbook.Duration(time.Minute), runbook.Duration(most) * runbook.Duration(time.Minute)}}
	}
	l.Scenario.Vary = map[string]scenario.Distribution{
		"services.cdn.ttl":        minutes(1, 60),
		"services.search.refresh": minutes(1, 9), // by which it does nothing: its library fetches
	}
	draw := func() []Sample {
		p, err := plan.Build(l, plan.Options{Simulated: true, Gates: scenario.Off, OnBudget: scenario.BudgetRecord, Seed: 11})
		if err != nil {
			t.Fatal(err)
		}
		samples, err := Draw(t.Context(), p, runs, func() {})
		if err != nil {
			t.Fatal(err)
		}
		return samples
	}
	samples := draw()
	longest, shortest := time.Duration(0), time.Duration(math.MaxInt64) // of those in which nobody, and somebody was refused
	for _, s := range samples {
		ttl := s.Drawn["services.cdn.ttl"]
		if s.Refused > 0 {
			shortest = min(shortest, ttl)
		} else {
			longest = max(longest, ttl)
		}
	}
	if longest == 0 || shortest > time.Hour || longest > shortest+10*time.Minute {
		t.Errorf("nobody is refused up to %s, and somebody from %s on: want both, and the second for longer ones", longest, shortest)
	}
	varied := VariedOf(samples)
	if len(varied) != 2 || varied[0].Path != "services.cdn.ttl" || varied[0].Longer.Estimate < varied[0].Shorter.Estimate+0.3 {
		t.Errorf("on what most hangs: got %+v, want the cache first, and that longer is worse", varied)
	}
	if again := draw(); !reflect.DeepEqual(again, samples) {
		t.Error("drawn again with the same seeds: got others, want the same")
	}
}
