package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// oneWay are healthy scenarios with a sender that cannot be made to sign with
// the old secret again once it emits the new one.
var oneWay = map[string]bool{"webhook-secret/healthy-shopify": true}

// TestTheWayBack takes every healthy rotation back from every phase: the old
// credential is emitted and accepted again, the new one withdrawn, nothing was
// refused on the way, and authority and store agree.
func TestTheWayBack(t *testing.T) {
	t.Parallel()
	names, err := scenarios.List()
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	for _, name := range names {
		if !strings.Contains(name, "/healthy") {
			continue
		}
		for _, phase := range scenario.RollbackPhases() {
			t.Run(name+" from "+phase, func(t *testing.T) {
				t.Parallel()
				from := history.Phase(phase)
				barred := oneWay[name] && from != history.Accept && from != history.Verify
				for seed := range int64(min(seeds, 5)) {
					wantWayBack(t, rehearseBack(t, name, from, simulated.Options{Seed: seed + 1}), from, barred)
				}
			})
		}
	}
}

// wantWayBack checks a rehearsal that was to be taken back from a phase; where
// that is barred it must say so.
func wantWayBack(t *testing.T, r *rehearsal, from history.Phase, barred bool) {
	t.Helper()
	v, back := r.verdict, r.verdict.Rollback
	if barred {
		if v.Verdict != judge.Fail || back.Proven {
			t.Errorf("verdict: got %s (%s), rollback %+v, want a fail that is not proven", v.Verdict, v.Why, back)
		}
		return
	}
	if v.Verdict != judge.Pass || v.AuthFailures != judge.Flat {
		t.Errorf("verdict: got %s, %s (%s), want pass, flat", v.Verdict, v.AuthFailures, v.Why)
	}
	if !back.Happened || !back.AskedFor || !back.Proven || back.Agreement != judge.Agree || back.FlatMS != 0 || back.From != string(from) {
		t.Errorf("rollback: got %+v, want one from %s that was asked for and is proven, at which all agree and nothing was refused", back, from)
	}
	for _, e := range r.limits.Emitters {
		if got := r.view.Emitting[e.Name]; got != "k1" && e.OnPage {
			t.Errorf("%s emits %s at the end, want k1", e.Name, got)
		}
	}
	if _, withdrawn := r.view.Steps["withdraw"]["k2"]; !withdrawn {
		t.Error("k2 was not withdrawn")
	}
	if _, destroyed := r.view.Steps["destroy"]["k1"]; destroyed {
		t.Error("k1 was destroyed, want that it exists")
	}
}
