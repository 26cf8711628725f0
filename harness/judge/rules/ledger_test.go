package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	books := func(l history.Ledger) change {
		return add(history.Event{At: at(61), Kind: history.KindLedger, Ledger: &l})
	}
	twice := func(earlier, credential, was string, idempotent bool) history.Irregular {
		return history.Irregular{
			What: history.DoneTwice, Presenter: "billing", Validator: "payments", Credential: credential, Earlier: earlier,
			Was: was, Idempotent: idempotent, First: at(29), Last: at(30), Count: 3,
		}
	}
	of := func(wrong history.Irregular) change {
		return books(history.Ledger{Orders: 100, Done: 100, Effects: 103, Irregular: []history.Irregular{wrong}})
	}
	unconfirmed := history.Irregular{
		What: history.Unconfirmed, Presenter: "billing", Validator: "payments", Credential: "k1", Was: "401", First: at(41), Last: at(41), Count: 1,
	}
	notDone := history.Irregular{What: history.NotDone, Presenter: "billing", Validator: "payments", Credential: "k1", First: at(5), Last: at(5), Count: 1}
	for _, tt := range []struct {
		name     string
		changes  []change
		want     judge.Outcome
		says     string
		cause    judge.Cause
		causedBy string
	}{
		{"none is kept", nil, judge.Skipped, "no ledger", "", ""},
		{"each once", []change{books(history.Ledger{Orders: 101, Done: 100, Effects: 100})}, judge.Pass, "100 orders", "", ""},
		{"retries replayed", []change{books(history.Ledger{Orders: 9, Done: 9, Effects: 9, Replayed: 4})}, judge.Pass, "kept 4 retries from doing it again", "", ""},
		{"by those who do not tell", []change{books(history.Ledger{Untold: 7})}, judge.Pass, "7 orders were done, none twice", "", ""},
		{"by some who do not tell", []change{books(history.Ledger{Orders: 3, Done: 3, Effects: 3, Untold: 7})}, judge.Pass, "7 more were done", "", ""},
		{"nothing ordered", []change{books(history.Ledger{})}, judge.Inconclusive, "nothing was ordered", "", ""},
		{"does not add up", []change{books(history.Ledger{Orders: 9, Done: 9, Effects: 8})}, judge.Inconclusive, "nothing shows which", "", ""},
		{"twice without a name", []change{of(twice("k1", "k2", "401", false))}, judge.Fail,
			"answered with a refusal (401), and no idempotency key said", judge.CauseNotIdempotent, "emit"},
		{"twice, named by the credential too", []change{of(twice("k1", "k2", "504", true))}, judge.Fail,
			"only together with the credential", judge.CauseKeyScoped, "emit"},
		{"twice under one name", []change{of(twice("k2", "k2", "504", true))}, judge.Fail, "and ignored it", judge.CauseNotIdempotent, "emit"},
		{"done and told failed", []change{of(unconfirmed)}, judge.Fail, "were told that it failed", judge.CauseAfterEffect, "revoke"},
		{"told done and not done", []change{of(notDone)}, judge.Fail, "did not do it", judge.CauseUnknown, "baseline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "ledger", tt.want)
			if tt.want != judge.Fail {
				wantSaid(t, v, "ledger", "")
				if got := rule(t, v, "ledger").Detail; !strings.Contains(got, tt.says) {
					t.Errorf("detail: got %q, want it to say %q", got, tt.says)
				}
				return
			}
			wantSaid(t, v, "ledger", tt.says)
			f := v.Findings[0]
			if f.Cause != tt.cause || f.CausedBy != tt.causedBy || f.Consumer != "billing" || f.Fix == "" {
				t.Errorf("got %+v, want caused by %s, %s, at billing, with a fix", f, tt.causedBy, tt.cause)
			}
			if v.Verdict != judge.Fail || v.Ledger["done"] != 103 {
				t.Errorf("verdict and ledger: got %s and %v, want fail and 103 done", v.Verdict, v.Ledger)
			}
		})
	}
}
