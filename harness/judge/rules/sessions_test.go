package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	held := func(moment float64, client string, n int64) change {
		return add(history.Event{At: at(moment), Kind: history.KindSession, Service: client, Count: n, Detail: client + "-1: auth is down"})
	}
	for _, tt := range []struct {
		name     string
		changes  []change
		want     judge.Outcome
		causedBy string
		counts   map[string]int64 // of the findings, by presenter
		level    judge.Level      // of the findings
	}{
		{"all refreshed", nil, judge.Pass, "", nil, ""},
		{"a few, inside the objective", []change{held(45, "app", 3)}, judge.Pass, "revoke", map[string]int64{"app": 3}, judge.Warning},
		{"one whose count is not told", []change{held(45, "app", 0)}, judge.Pass, "revoke", map[string]int64{"app": 1}, judge.Warning},
		{"one, of a budget of less than one", []change{objective(0.99999), held(45, "app", 1)}, judge.Pass, "revoke", map[string]int64{"app": 1}, judge.Warning},
		{"two, of a budget of less than one", []change{objective(0.99999), held(45, "app", 2)}, judge.Fail, "revoke", map[string]int64{"app": 2}, judge.Error},
		{"one that did not", []change{held(45, "app", 300)}, judge.Fail, "revoke", map[string]int64{"app": 300}, judge.Error},
		{"the same again", []change{held(45, "app", 3), held(46, "app", 400)}, judge.Fail, "revoke", map[string]int64{"app": 403}, judge.Error},
		{"of two clients", []change{held(45, "app", 300), held(46, "web", 300)}, judge.Fail, "revoke", map[string]int64{"app": 300, "web": 300}, judge.Error},
		{"under a fault", []change{add(fault(at(44), "pause", "auth", "injected", false)), held(45, "app", 300)}, judge.Fail, "pause", map[string]int64{"app": 300}, judge.Error},
		{"before anything was changed", []change{held(5, "app", 300)}, judge.Fail, "baseline", map[string]int64{"app": 300}, judge.Error},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "sessions", tt.want)
			got := map[string]int64{}
			for _, f := range v.Findings {
				if f.RuleID != "sessions" {
					continue
				}
				got[f.Presenter] = f.Count
				if f.Level != tt.level || f.Consumer != "auth" || f.Cause != judge.CauseServiceDown || f.CausedBy != tt.causedBy || f.LastMS < f.FirstMS {
					t.Errorf("finding: got %s, want %s of auth, caused by %s", text(f), tt.level, tt.causedBy)
				}
			}
			for name, n := range tt.counts {
				if got[name] != n {
					t.Errorf("attempts that %s held back: got %d, want %d", name, got[name], n)
				}
			}
			if len(got) != len(tt.counts) {
				t.Errorf("findings: got %v, want %v", got, tt.counts)
			}
			// A session that cannot renew is not a refusal of the key.
			wantRule(t, v, "auth-failures-flat", judge.Pass)
		})
	}
}

// TestSessionsOnAStarvedMachine: who did not renew tokens while the machine kept
// everybody from running is not named, however far apart the times were; who did not
// while it had room is.
func TestSessionsOnAStarvedMachine(t *testing.T) {
	t.Parallel()
	held := func(moment float64, n int64) change {
		return add(history.Event{At: at(moment), Kind: history.KindSession, Service: "app", Count: n, Detail: "app-1: timeout"})
	}
	full, free := map[string]float64{"cpu": 0.9}, map[string]float64{"cpu": 0.1}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome // of sessions
		named   bool
	}{
		{"twice, and it was full then", []change{pressedFrom(1, full), held(20, 900), held(50, 900)}, judge.Inconclusive, false},
		{"twice, and it was full at the first", []change{pressedFrom(1, full), pressedFrom(30, free), held(20, 900), held(50, 900)}, judge.Fail, true},
		{"it had room", []change{pressedFrom(1, free), held(20, 900), held(50, 900)}, judge.Fail, true},
		{"nothing is known of it", []change{held(20, 900), held(50, 900)}, judge.Fail, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "sessions", tt.want)
			named := false
			for _, f := range v.Findings {
				named = named || f.RuleID == "sessions" && f.Level == judge.Error
			}
			if named != tt.named {
				t.Errorf("named: got %v, want %v", named, tt.named)
			}
		})
	}
}
