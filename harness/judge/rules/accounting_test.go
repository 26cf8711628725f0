package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestAccounting(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
	}{
		{"all agree", nil, judge.Pass, "agree: 12108, 12108, 12108, 12108"},
		{"with retries", []change{refuse("app", "k2", 45, 46, 1), retried}, judge.Pass, "agree: 12108, 12118, 12118, 12118 (10 retries)"},
		{"held back, on record", []change{totals(func(t *history.Totals) { t.Scheduled, t.NotSent = t.Scheduled+5, 5 })}, judge.Pass, "agree: 12113, 12108, 12108, 12108 (5 held back)"},
		{"no answer, and served all the same", []change{unavailable("app", 45, 45.1), totals(func(t *history.Totals) { t.Served += 4 })}, judge.Pass, "(6 lost on the way)"},
		{"seen from both sides", []change{totals(func(t *history.Totals) {
			t.Scheduled, t.Sent, t.Recorded, t.Served, t.Unanswered, t.Twice = t.Scheduled-5, t.Sent-5, t.Recorded-5, t.Served-5, 5, 5
		})}, judge.Pass, "agree: 12103, 12103, 12103, 12103 (5 served whose answer was lost)"},
		{"a service that does not count", []change{totals(func(t *history.Totals) { t.Complete, t.Served = false, 0 })}, judge.Pass, "not every service counts what it served"},
		{"no totals", []change{noTotals}, judge.Inconclusive, "the run has no totals"},
		{"nothing sent", []change{totals(func(t *history.Totals) { *t = history.Totals{Complete: true} })}, judge.Inconclusive, "nothing was sent"},
		{"due and not sent", []change{totals(func(t *history.Totals) { t.Scheduled += 7 })}, judge.Inconclusive, "12115 were due, 12108 sent"},
		{"due and no time for it", []change{totals(func(t *history.Totals) { t.Scheduled, t.Behind = t.Scheduled+7, 7 })}, judge.Pass, "12115, 12108, 12108, 12108 (7 not begun in time)"},
		{"sent and not due", []change{totals(func(t *history.Totals) { t.Scheduled-- })}, judge.Inconclusive, "12107 were due"},
		{"sent and not recorded", []change{totals(func(t *history.Totals) { t.Recorded-- })}, judge.Inconclusive, "12108 were sent and 12107 recorded"},
		{"recorded and not in the history", []change{totals(func(t *history.Totals) {
			t.Scheduled, t.Sent, t.Recorded, t.Served = t.Scheduled+9, t.Sent+9, t.Recorded+9, t.Served+9
		})}, judge.Inconclusive, "12117 were recorded, and the history has 12100 and 8 probes"},
		{"served and never sent", []change{totals(func(t *history.Totals) { t.Served++ })}, judge.Inconclusive, "12109 served"},
		{"sent, answered and not served", []change{totals(func(t *history.Totals) { t.Served-- })}, judge.Inconclusive, "12107 served"},
		{"a retry that nobody counted", []change{refuse("app", "k2", 45, 46, 1), retried, totals(func(t *history.Totals) { t.Retried = 0 })}, judge.Inconclusive, "(with 0 retries"},
		{"out of order", []change{move(history.KindPhase, "verify", at(45))}, judge.Inconclusive, "out of order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "accounting", tt.want)
			if got := rule(t, v, "accounting").Detail; !strings.Contains(got, tt.says) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.says)
			}
			if tt.want != judge.Pass && v.Verdict == judge.Pass {
				t.Error("verdict: got pass, want none: the measurement cannot be trusted")
			}
		})
	}
}
