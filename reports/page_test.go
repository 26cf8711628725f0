package reports

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestPageIsFilledWithWhatWasFound(t *testing.T) {
	tests := []struct {
		model                     *Model
		field, says, found, holds string
	}{
		{passModel(), "scope", "session-signing-key, jwt-signing-key: signs the sessions issued by auth", "k1 kid-1, then k2 kid-2", "–"},
		{passModel(), "storage", "vault, secret/data/auth/key, distribution by jwks, /.well-known/jwks.json", "vault 1.21.0", "–"},
		{passModel(), "consumers: auth", "emit, refresh 45s", "used k2 21.6s after it was told to", "–"},
		{passModel(), "consumers: checkout", "validate, learns within 5m", "learned after 7.2s; forgot after 14m", "yes"},
		{passModel(), "rollout: lead", "16m", "needs 6m15s for checkout", "yes"},
		{passModel(), "rollout: propagation", "30s", "the last emitter switched after 21.6s", "–"},
		{passModel(), "rollout: watch", "20m", "needs 1h1m15s for checkout", "no"},
		{passModel(), "overlap: window", "45m", "needs 10m30s after the last emitter's switch", "yes"},
		{passModel(), "overlap: exception", "old-app until 1d: its release still rolls out", "–", "–"},
		{passModel(), "verification: objective", "99.9% of first attempts", "100 % were no auth failures", "yes"},
		{passModel(), "verification: check", "canary", "taken by each that was asked, 1 validator", "yes"},
		{passModel(), "rollback", "over 1% auth failures for 10s; identity on-call decides; restore-accept, then restore-emit", "was not taken", "–"},
		{passModel(), "schedule", "every 90d, @identity-team, next review 2027-02-01, hands-on 45m", "rehearsed 2026-11-23", "–"},
		{failModel(), "consumers: search", "not on the page", "learned after 14m50s; did not forget", "no"},
		{failModel(), "rollout: lead", "5m", "needs 16m15s for search", "no"},
		{failModel(), "rollout: watch", "20m", "no time is enough for search", "no"},
		{failModel(), "rollback", "over 1% auth failures for 10s; identity on-call decides; restore-accept, then restore-emit",
			"taken in overlap: budget: 12 % of attempts failed for 10s; proven", "yes"},
	}
	for _, tt := range tests {
		t.Run(tt.model.Scenario+" "+tt.field, func(t *testing.T) {
			var seen [][]string
			for _, row := range page(tt.model).Rows {
				if row[0] != tt.field {
					continue
				}
				if row[1] == tt.says && row[2] == tt.found && row[3] == tt.holds {
					return
				}
				seen = append(seen, row)
			}
			t.Errorf("got %q, want %q, %q, %q", seen, tt.says, tt.found, tt.holds)
		})
	}
}

func TestPageOfARunThatEndedEarly(t *testing.T) {
	m := passModel()
	m.Phases = []judge.PhaseSpan{{Name: history.Baseline, EndMS: 5000}}
	m.Validators = []judge.ValidatorReport{{Name: "checkout", OnPage: true, LearnedAfterMS: -1, ForgotAfterMS: -1, BoundMS: 1000, ForgetBoundMS: 1000}}
	m.Rules = []judge.Rule{{ID: "auth-failures-flat", Outcome: judge.Inconclusive}}
	m.Timeline = nil
	for _, row := range page(m).Rows {
		switch row[0] {
		case "consumers: checkout":
			if row[3] != "–" {
				t.Errorf("a consumer that had nothing to learn yet: got %q, want that nothing can be said", row)
			}
		case "verification: objective":
			if row[3] != "cannot tell" {
				t.Errorf("the objective: got %q, want that it cannot be told", row)
			}
		}
	}
	m.Runbook = nil
	if got := page(m); len(got.Rows) != 0 || got.Note == "" {
		t.Errorf("without a page: got %+v, want a note alone", got)
	}
}
