package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// reloaded is that the run started a service anew, in seconds of the run.
func reloaded(service string, began, done float64) change {
	return add(history.Event{At: at(done), Began: at(began), Kind: history.KindDelivered, What: history.Reload, Service: service})
}

// TestAStartTakesRealTime: what a start takes is not scaled, so nobody is blamed for what is late only since
// it counts as a multiple on the page. The bound of search ends 18.25s after the revoke, at 58.75s.
func TestAStartTakesRealTime(t *testing.T) {
	t.Parallel()
	quiet := kernel(0.04, nil)
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
	}{
		{"done too late, begun in time", []change{quiet, reloaded("search", 42, 59.95), still(60, 41, 59.9)}, judge.Inconclusive,
			"making search reload took 17.95s of real time, from 42s to 59.95s of the run: at a speed of 60 that counts as 17m57s of the page's, and at the page's own pace search might not be late; rehearse again at a speed of 28 or less"},
		{"late long after it was done", []change{quiet, reloaded("search", 42, 50), still(60, 41, 59.9)}, judge.Fail, "search took k1 until 19m24s"},
		{"begun when it was late already", []change{quiet, reloaded("search", 58.9, 59.95), still(60, 41, 59.9)}, judge.Fail, "search took k1 until 19m24s"},
		{"another was started", []change{quiet, reloaded("checkout", 42, 59.95), still(60, 41, 59.9)}, judge.Fail, "search took k1 until 19m24s"},
		{"kept for good", []change{quiet, reloaded("search", 42, 59.95), still(0, 41, 50, 60.4), asks(70, history.OldAfter, history.OK)}, judge.Fail, "search still took k1"},
		{"refuses the new one while it starts", []change{quiet, reloaded("search", 27, 40.1), refuse("app", "k2", 28.4, 40, 10)}, judge.Inconclusive, "making search reload took 13.1s"},
		{"refuses the new one after it started", []change{quiet, reloaded("search", 27, 29), refuse("app", "k2", 28.4, 40, 10)}, judge.Fail, "app was refused"},
		{"the start was quick", []change{quiet, reloaded("search", 42, 42.5)}, judge.Pass, "stayed flat"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			said := v.Why
			for _, f := range v.Findings {
				said += "; " + f.Message
				if tt.want == judge.Inconclusive && f.Level == judge.Error {
					t.Errorf("got %s, want nobody named", text(f))
				}
			}
			if v.Verdict != tt.want || !strings.Contains(said, tt.says) {
				t.Errorf("got %s, %q, want %s with %q", v.Verdict, said, tt.want, tt.says)
			}
		})
	}
}
