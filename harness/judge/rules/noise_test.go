package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// errors500 gives every n-th attempt of app an error, from one moment to another.
func errors500(from, to float64, n int64) change {
	return func(s *story) {
		var attempts int64
		s.buckets("app", "", from, to, func(_ history.Offset, c *history.Counts) {
			if attempts += c.Attempts; attempts >= n {
				attempts -= n
				c.OK, c.Unavailable = c.OK-1, 1
				c.Statuses = map[string]int64{"200": c.OK, "500": 1}
			}
		})
	}
}

// TestNoiseOfErrors: errors that were there before are not the rotation's, and
// the burst that stands out from them is.
func TestNoiseOfErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string // of the detail of the rule, or of the finding
	}{
		{"as before", []change{errors500(0, 61, 50)}, judge.Inconclusive, "before anything was changed, and for no more since"},
		{"a burst among them", []change{errors500(0, 61, 50), instead("app", "", "500", 45, 45.5, 10)}, judge.Fail, "; before anything was changed it was"},
		{"since the rotation began", []change{errors500(10, 61, 50)}, judge.Fail, "it answered 500"},
		{"a few, which a longer baseline might have had", []change{errors500(12, 61, 600)}, judge.Inconclusive, "does not tell whether that is usual: from"},
		{"so many that a baseline of this length had shown them", []change{errors500(12, 61, 100)}, judge.Fail, "it answered 500"},
		{"down before, too", []change{unavailable("app", 0, 61)}, judge.Fail, "6050 of 6050"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "availability", tt.want)
			said := rule(t, v, "availability").Detail
			if tt.want == judge.Fail {
				said = failing(v)[0].Message
			}
			if !strings.Contains(said, tt.says) {
				t.Errorf("got %q, want it to say %q", said, tt.says)
			}
		})
	}
}

// TestBurstInNoise: what a stale cache refuses is found in noise, with its own
// times; and noise that a short baseline had none of is no burst.
func TestBurstInNoise(t *testing.T) {
	t.Parallel()
	v := judged(t, noise(0, 61), early(5), searchLearns(16.5), refuse("app", "k2", 15, 16.5, 10))
	f := failing(v)
	if len(f) != 1 || f[0].Cause != judge.CauseStaleCache || f[0].FirstMS < 15000 || f[0].LastMS > 17500 {
		t.Errorf("a stale cache in noise: got %+v, want it from 15 to 16.5 s", f)
	}
	v = judged(t, once("app", "k1", 24), once("app", "k2", 33), once("app", "k2", 52))
	wantRule(t, v, "auth-failures-flat", judge.Inconclusive)
	by := func(session string, moment float64) change {
		return func(s *story) {
			s.buckets("app", "k2", moment, moment+0.1, func(at history.Offset, c *history.Counts) { fail(at, c, session) })
		}
	}
	if v := judged(t, by("app-1", 33), by("app-2", 36), by("app-3", 41), by("app-4", 52)); rule(t, v, "auth-failures-flat").Outcome != judge.Inconclusive {
		t.Errorf("three sessions in ten seconds: got %s, want what attempts tell, not what sessions do", rule(t, v, "auth-failures-flat").Outcome)
	}
	if got := rule(t, v, "auth-failures-flat").Detail; !strings.Contains(got, "attempts on one does") {
		t.Errorf("detail: got %q, want it to say from how many attempts a baseline tells", got)
	}
}

// TestNeverBegan: a history that ended before anything was changed is judged.
func TestNeverBegan(t *testing.T) {
	t.Parallel()
	baseline := without(func(e history.Event) bool {
		return e.Kind == history.KindPhase && e.Phase != history.Baseline || e.Kind == history.KindStep && e.At > 0
	})
	if v := judged(t, noise(0, 61), errors500(0, 61, 40), baseline, ended(history.EndedStopped)); v.Verdict == judge.Pass {
		t.Error("got a pass, want none")
	}
}
