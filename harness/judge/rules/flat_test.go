package rules_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

func objective(share float64) change { return limit(func(l *plan.Limits) { l.Objective = share }) }

// once refuses one attempt of a cell in the bucket that begins at a moment.
func once(presenter, credential string, moment float64) change {
	return refuse(presenter, credential, moment, moment+0.1, 1)
}

func TestFlat(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		level   judge.Level // of the one finding; empty: there is none
		count   int64
	}{
		{"healthy", nil, judge.Pass, "", 0},
		{"one refusal inside the objective is told", []change{objective(0.99), once("app", "k2", 45)}, judge.Pass, judge.Warning, 1},
		{"the same refusal under a stricter objective", []change{objective(0.9999), once("app", "k2", 45)}, judge.Inconclusive, judge.Warning, 1},
		{"one refusal where nothing may fail", []change{objective(1), once("app", "k2", 45)}, judge.Inconclusive, judge.Warning, 1},
		{"within each window and phase", []change{objective(0.99), refuse("app", "k2", 50, 52, 1)}, judge.Pass, judge.Warning, 20},
		{"a spike that only its second shows", []change{objective(0.995), bigPhase, refuse("app", "k2", 50, 51, 10)}, judge.Fail, judge.Error, 100},
		{"a spike that only its ten seconds show", []change{objective(0.995), bigPhase, refuse("app", "k2", 45, 55, 2)}, judge.Fail, judge.Error, 200},
		{"a spike that no window shows", []change{objective(0.995), bigPhase, refuse("app", "k2", 50, 51, 1)}, judge.Pass, judge.Warning, 10},
		{"spread thin over the whole run", []change{objective(0.95), refuse("app", "k2", 28.4, 60.5, 1)}, judge.Fail, judge.Error, 321},
		{"one attempt and one refusal", []change{single(true)}, judge.Fail, judge.Error, 1},
		{"one attempt and one answer", []change{single(false)}, judge.Pass, "", 0},
		{"probes do not count", []change{add(probe(at(45), "search", "made-up", history.Garbage, history.AuthFailure))}, judge.Pass, "", 0},
		{"another credential's refusals are not judged", []change{garbage}, judge.Pass, "", 0},
		{"a retry that succeeds hides nothing", []change{refuse("app", "k2", 28.4, 30, 10), retried}, judge.Fail, judge.Error, 80},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "auth-failures-flat", tt.want)
			if tt.level == "" {
				if len(v.Findings) != 0 {
					t.Fatalf("findings: got %+v, want none", v.Findings)
				}
				return
			}
			if len(v.Findings) != 1 {
				t.Fatalf("findings: got %+v, want one", v.Findings)
			}
			if f := v.Findings[0]; f.Level != tt.level || f.Count != tt.count {
				t.Errorf("finding: got %s with %d, want %s with %d: %s", f.Level, f.Count, tt.level, tt.count, f.Message)
			}
		})
	}
}

// bigPhase makes the traffic of the watch so large that its share of failures
// says nothing.
func bigPhase(s *story) {
	s.buckets("app", "k2", 55, 60.5, func(_ history.Offset, c *history.Counts) { c.Attempts, c.OK = 1000, 1000 })
}

// single adds a job that ran once, after the revoke, and may have been refused.
func single(refused bool) change {
	return func(s *story) {
		e := counts(at(45), "job", "search", "k2", 1)
		if refused {
			fail(e.At, e.Counts, "job-1")
		}
		s.add(e)
	}
}

// garbage adds refusals of a token of no credential of this rotation.
func garbage(s *story) {
	e := counts(at(45), "scanner", "search", "", 5)
	fail(e.At, e.Counts, "scanner-1")
	s.add(e)
}

// retried gives each refusal a retry that succeeds.
func retried(s *story) {
	s.buckets("app", "k2", 0, 61, func(_ history.Offset, c *history.Counts) { c.Retries, c.RetriesOK = c.AuthFailures, c.AuthFailures })
}

// TestEveryWindow checks that a spike is found wherever it begins: windows
// slide, and a phase may not hide what two windows would share.
func TestEveryWindow(t *testing.T) {
	t.Parallel()
	for begin := 41.0; begin < 59; begin += 0.7 {
		v := judged(t, objective(0.99), refuse("app", "k2", begin, begin+1, 10))
		if v.Verdict != judge.Fail {
			t.Errorf("a second of refusals from %.1fs: got %s, want fail", begin, v.Verdict)
		}
	}
}

// noise refuses each fortieth attempt of both clients, of one session after
// another.
func noise(from, to float64) change {
	return func(s *story) {
		for _, presenter := range []string{"app", "web"} {
			var attempts, i int64
			s.buckets(presenter, "", from, to, func(at history.Offset, c *history.Counts) {
				if attempts += c.Attempts; attempts >= 40 {
					attempts -= 40
					i++
					fail(at, c, fmt.Sprintf("%s-%d", presenter, i%sessions+1))
				}
			})
		}
	}
}

// badSessions refuses all that some of app's sessions send, of which each
// sends in every fifth bucket.
func badSessions(from, to float64, n int) change {
	return func(s *story) {
		i := 0
		s.buckets("app", "", from, to, func(at history.Offset, c *history.Counts) {
			if i++; i%5 == 0 && c.OK >= int64(n) {
				for session := range n {
					fail(at, c, fmt.Sprintf("app-%d", session+1))
				}
			}
		})
	}
}

func TestNoisyBaseline(t *testing.T) {
	t.Parallel()
	// The first step is taken in the middle of a bucket of counts.
	inBetween := func(s *story) {
		for i := range s.events {
			if e := &s.events[i]; e.Kind == history.KindPhase && e.Phase == history.Accept {
				e.At -= 50 * millisecond
			}
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
	}{
		{"as noisy after as before: no finding, and no pass", []change{noise(0, 61)}, judge.Inconclusive},
		{"a real rise at a noisy client", []change{noise(0, 61), refuse("app", "k2", 28.4, 40, 10)}, judge.Fail},
		{"a rise that is small beside the noise", []change{badSessions(0, 28, 5), badSessions(28.4, 61, 7)}, judge.Inconclusive},
		{"noise in the baseline only", []change{noise(0, 10)}, judge.Inconclusive},
		{"refused as soon as the rotation began", []change{inBetween, refuse("app", "k1", 9.9, 10.1, 10)}, judge.Fail},
		{"noise since the rotation began", []change{noise(10, 61)}, judge.Fail},
		{"a baseline inside the objective excuses nothing", []change{once("app", "k1", 5), refuse("app", "k2", 45, 46, 1)}, judge.Fail},
		{"one bad session that goes on", []change{badSessions(0, 61, 1)}, judge.Inconclusive},
		{"one bad session, by chance two later", []change{badSessions(0, 10, 1), badSessions(28.4, 61, 2)}, judge.Inconclusive},
		{"one bad session becomes ten", []change{badSessions(0, 10, 1), badSessions(36.5, 61, 10)}, judge.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "auth-failures-flat", tt.want)
			if v.Verdict == judge.Pass {
				t.Error("verdict: got pass, want none over a noisy baseline")
			}
		})
	}
}

func TestBudgetSpent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		objective float64
		want      float64
	}{
		{"a tenth of a percent", 0.999, 16.529},
		{"one percent", 0.99, 1.653},
		{"none at all", 1, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, objective(tt.objective), refuse("app", "k2", 50, 51, 10))
			if len(v.Findings) != 1 {
				t.Fatalf("findings: got %+v, want one", v.Findings)
			}
			if got := v.Findings[0].BudgetSpent; math.IsInf(got, 0) || math.IsNaN(got) || got != tt.want {
				t.Errorf("budget spent: got %v, want %v", got, tt.want)
			}
			line, err := json.Marshal(v)
			if err != nil {
				t.Fatalf("encode verdict: %v", err)
			}
			if !strings.Contains(string(line), `"error_budget_spent_ratio":`) {
				t.Error("verdict as JSON: got no error_budget_spent_ratio, want one")
			}
		})
	}
}
