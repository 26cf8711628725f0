package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// everywhere is an operator who takes so long before each phase.
func everywhere(d time.Duration) map[history.Phase]time.Duration {
	holds := map[history.Phase]time.Duration{}
	for _, phase := range history.Phases() {
		holds[phase] = d
	}
	return holds
}

// TestGameDays has a person take their time, at any pace: what is healthy passes,
// and what is known to be bad fails, with who is to be looked at.
func TestGameDays(t *testing.T) {
	t.Parallel()
	paces := []time.Duration{time.Second, 7 * time.Second, 45 * time.Second, 2 * time.Minute}
	for _, tt := range []struct {
		scenario string
		want     judge.Outcome
		who      string
	}{
		{"jwt-signing-key/healthy", judge.Pass, ""},
		{"api-key/healthy", judge.Pass, ""},
		{"webhook-secret/healthy", judge.Pass, ""},
		{"jwt-signing-key/stale-cache", judge.Fail, "search"},
		{"jwt-signing-key/short-overlap", judge.Fail, "app"},
		{"api-key/missed-consumer", judge.Fail, "nightly"},
	} {
		for _, pace := range paces {
			t.Run(tt.scenario+" at "+pace.String(), func(t *testing.T) {
				t.Parallel()
				r := rehearse(t, tt.scenario, simulated.Options{Holds: everywhere(pace)})
				if r.verdict.Verdict != tt.want {
					t.Errorf("verdict: got %s (%s), want %s", r.verdict.Verdict, r.verdict.Why, tt.want)
				}
				named := slices.ContainsFunc(failing(r.verdict), func(f judge.Finding) bool { return f.Consumer == tt.who })
				if tt.who != "" && !named {
					t.Errorf("findings: got %v, want one about %s", r.verdict.Findings, tt.who)
				}
			})
		}
	}
}

// TestAProviderOnHold holds a rotation between the revoke and the watch. The proof
// goes on meanwhile; that a provider is asked late makes it no late one, unless it takes
// the old credential then.
func TestAProviderOnHold(t *testing.T) {
	t.Parallel()
	r := rehearse(t, "api-key/healthy", simulated.Options{Holds: map[history.Phase]time.Duration{history.Watch: 7 * time.Second}})
	if r.verdict.Verdict != judge.Pass {
		t.Errorf("verdict: got %s (%s), want pass", r.verdict.Verdict, r.verdict.Why)
	}
	watch := r.view.PhaseStart[history.Watch]
	unproven := &history.History{Events: slices.DeleteFunc(slices.Clone(r.history.Events), func(e history.Event) bool {
		return e.Kind == history.KindProbe && e.Probe.Purpose == history.OldAfter && e.At < watch
	})}
	refused := history.Event{At: watch, Kind: history.KindProbe, Phase: history.Watch, Service: "payments", Credential: "k1",
		Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.AuthFailure, Status: "401"}}
	i := slices.IndexFunc(unproven.Events, func(e history.Event) bool { return e.Kind == history.KindPhase && e.Phase == history.Watch })
	unproven.Events = slices.Insert(unproven.Events, i+1, refused)
	if v := rules.Judge(unproven, r.limits); v.Verdict != judge.Pass {
		t.Errorf("asked late, and refused then: got %s (%s), want pass", v.Verdict, v.Why)
	}
	taken := refused
	taken.Probe = &history.Probe{Purpose: history.OldAfter, Outcome: history.OK, Status: "200"}
	unproven.Events = slices.Insert(unproven.Events, i+1, taken)
	if v := rules.Judge(unproven, r.limits); v.Verdict != judge.Fail || !strings.Contains(v.Findings[0].Message, "took k1 until") {
		t.Errorf("asked late, and taken then: got %s (%s), want fail", v.Verdict, v.Why)
	}
}

// TestHeldBecauseOfTheHold says why nobody was refused under a lead and a window that
// are too short, what would have been, and the figure that is needed.
func TestHeldBecauseOfTheHold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		scenario string
		before   history.Phase
		says     []string
	}{
		{"jwt-signing-key/stale-cache", history.Emit, []string{
			"held because of the hold: the lead is 5m and must be at least 16m15s for search", "of page time, so that the lead lasted", "without the hold it would have refused it for",
		}},
		{"jwt-signing-key/short-overlap", history.Revoke, []string{
			"held because of the hold: the window is", "presented k1 to search", "without the hold it would have been refused",
		}},
	} {
		t.Run(tt.scenario, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, tt.scenario, simulated.Options{Holds: map[history.Phase]time.Duration{tt.before: 2 * time.Minute}})
			i := slices.IndexFunc(r.verdict.Findings, func(f judge.Finding) bool { return f.RuleID == "bounds" })
			if i < 0 {
				t.Fatalf("findings: got %v, want one of the bounds", r.verdict.Findings)
			}
			f := r.verdict.Findings[i]
			for _, want := range tt.says {
				if !strings.Contains(f.Message, want) {
					t.Errorf("says %q, want %q in it", f.Message, want)
				}
			}
			if f.Level != judge.Error || f.Fix == "" || r.verdict.Verdict != judge.Fail {
				t.Errorf("got %s, verdict %s; want an error with a figure that fails the run", text(f), r.verdict.Verdict)
			}
		})
	}
}
