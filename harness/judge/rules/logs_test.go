package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

func logged(service string, success, failure bool) history.Event {
	return history.Event{At: at(61), Kind: history.KindLogged, Service: service, Logged: &history.Logged{Success: success, Failure: failure}}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	asks := limit(func(l *plan.Limits) { l.Checks = []string{"logs"} })
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
	}{
		{"not on the page", []change{add(logged("search", false, false))}, judge.Skipped, ""},
		{"not looked at", []change{asks}, judge.Skipped, ""},
		{"both", []change{asks, add(logged("search", true, true), logged("checkout", true, true))}, judge.Pass, ""},
		{"only what is taken", []change{asks, add(logged("search", true, false))}, judge.Skipped, "search does not log the identifier of a credential that is refused"},
		{"only what is refused", []change{asks, add(logged("search", false, true))}, judge.Skipped, "that is taken"},
		{"neither", []change{asks, add(logged("search", false, false))}, judge.Skipped, "that is taken, nor of one that is refused"},
		{"one that only signs", []change{asks, add(logged("auth", false, false))}, judge.Pass, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "logs", tt.want)
			wantSaid(t, v, "logs", tt.says)
			if v.Verdict != judge.Pass {
				t.Errorf("verdict: got %s (%s), want pass: it is a warning", v.Verdict, v.Why)
			}
		})
	}
}
