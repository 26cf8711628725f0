package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestLastUseOfAWindowOfG2: what is used until its longest life is over is used
// in time, however little of a second is left until the revoke.
func TestLastUseOfAWindowOfG2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		life  time.Duration // page; auth switches at 28.4s and the revoke is at 40.5s: 12m6s
		until float64       // k1 is in use
		want  judge.Outcome
	}{
		{"until its life is over", 11*time.Minute + 36*time.Second, 40, judge.Pass}, // half a second before
		{"for longer than that", 11*time.Minute + 36*time.Second, 40.4, judge.Fail},
		{"long before its life is over", 10 * time.Minute, 39.6, judge.Fail},
		{"its life is longer than the window", 13 * time.Minute, 40, judge.Fail},
	} {
		v := judged(t, limit(func(l *plan.Limits) { l.LongestLife = tt.life }), goesOn(37, tt.until))
		t.Run(tt.name, func(t *testing.T) { wantRule(t, v, "distribution", tt.want) })
	}
}

// TestLastUseOfOneThatComesSeldom: who comes every three seconds is not out of use
// for having been quiet for the last one.
func TestLastUseOfOneThatComesSeldom(t *testing.T) {
	t.Parallel()
	// auth switches at 28.4s; k1 lives for five minutes, five seconds of it, and is revoked at 40.5s
	life := limit(func(l *plan.Limits) { l.LongestLife = 5 * time.Minute })
	seldom := []change{goesOn(32.5, 32.6), goesOn(35.5, 35.6), goesOn(38.5, 38.6)}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
	}{
		{"two seconds before", seldom, judge.Fail},
		{"two seconds before, and it came all the time until then", []change{goesOn(32.5, 38.6)}, judge.Pass},
		{"eight seconds before", seldom[:1], judge.Pass},
	} {
		v := judged(t, append([]change{life}, tt.changes...)...)
		t.Run(tt.name, func(t *testing.T) { wantRule(t, v, "distribution", tt.want) })
	}
}

func TestDistribution(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		changes  []change
		want     judge.Outcome
		level    judge.Level // of the one finding; empty: there is none
		consumer string
		cause    judge.Cause
		count    int64
	}{
		{"drained", nil, judge.Pass, "", "", "", 0},
		{"drained a second before", []change{goesOn(37, 39.5)}, judge.Pass, "", "", "", 0},
		{"in use to the last second", []change{goesOn(37, 40.5)}, judge.Fail, judge.Error, "app", judge.CauseOutlived, 100},
		{"used once in the last second", []change{goesOn(39.5, 39.6)}, judge.Fail, judge.Error, "app", judge.CauseOutlived, 10},
		{"an emitter that went on", []change{switches(0), goesOn(37, 40.5)}, judge.Fail, judge.Error, "auth", judge.CauseNotSwitched, 100},
		{"an emitter that switched after the revoke", []change{switches(50), goesOn(37, 40.5)}, judge.Fail, judge.Error, "auth", judge.CauseNotSwitched, 100},
		{"allowed on the page", []change{goesOn(37, 40.5), limit(func(l *plan.Limits) { l.Exceptions = []plan.Exception{{Client: "app", Until: l.Window}} })}, judge.Pass, judge.Note, "app", judge.CauseOutlived, 100},
		{"nothing revoked", []change{goesOn(37, 61), without(func(e history.Event) bool { return e.Step == "revoke" })}, judge.Skipped, "", "", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "distribution", tt.want)
			if tt.level == "" {
				wantSaid(t, v, "distribution", "")
				return
			}
			wantSaid(t, v, "distribution", "app still presented k1 to search")
			for _, f := range v.Findings {
				if f.RuleID == "bounds" {
					continue // which says how late the emitter was
				}
				if f.Level != tt.level || f.Consumer != tt.consumer || f.Cause != tt.cause || f.Count != tt.count || f.Credential != "k1" ||
					f.CausedBy != "revoke" || f.FirstPhase != "overlap" || f.FirstMS != 39500 || f.LastMS != 40500 {
					t.Errorf("finding: got %s, want %s, consumer %s, cause %s, %d times from 39500 to 40500", text(f), tt.level, tt.consumer, tt.cause, tt.count)
				}
			}
		})
	}
}

// TestAThirdIsUsed: a rotation is not proven by what is used since another came after
// it, though nobody was refused.
func TestAThirdIsUsed(t *testing.T) {
	t.Parallel()
	third := func(service string) change { return add(emitting(at(45), service, "k3")) }
	rotator := func(what string, moment float64) change {
		return add(history.Event{At: at(moment), Kind: history.KindRotator, What: what})
	}
	for _, tt := range []struct {
		name     string
		changes  []change
		want     judge.Outcome
		consumer string
	}{
		{"nobody does", nil, judge.Pass, ""},
		{"an emitter on the page", []change{third("auth")}, judge.Fail, "auth"},
		{"while a rotator is at work", []change{third("auth"), rotator("started", 10), rotator("ended", 50)}, judge.Fail, "rotator"},
		{"after a rotator has ended", []change{third("auth"), rotator("started", 10), rotator("ended", 44)}, judge.Fail, "auth"},
		{"and comes back", []change{third("auth"), add(emitting(at(46), "auth", "k2"))}, judge.Pass, ""},
		{"by another name from the start", []change{without(func(e history.Event) bool { return e.Kind == history.KindEmitting }), third("auth")}, judge.Pass, ""},
		{"one off the page", []change{third("auth"), limit(func(l *plan.Limits) { l.Emitters[0].OnPage = false })}, judge.Pass, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "distribution", tt.want)
			for _, f := range v.Findings {
				if f.RuleID == "distribution" && (f.Consumer != tt.consumer || f.Cause != judge.CauseOtherRotation || f.Credential != "k3") {
					t.Errorf("got %+v, want "+tt.consumer+", and that another rotation was under way", f)
				}
			}
		})
	}
}

// TestRevokedSomeTimeAgo: what was taken between two looks at a rotator's own revoke says that
// it came later, and nothing of who used it; what was in use when it was seen does.
func TestRevokedSomeTimeAgo(t *testing.T) {
	t.Parallel()
	looks := func(s *story) {
		s.limits.Rotated = []string{"accept", "emit", "revoke"}
		for i, e := range s.events {
			if e.Kind == history.KindStep && e.Step == "revoke" {
				s.events[i].Began = e.At - at(8)
			}
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
	}{
		{"out of use when it was seen", []change{looks, goesOn(28.5, 35)}, judge.Pass},
		{"in use when it was seen", []change{looks, goesOn(28.5, 40.5)}, judge.Fail},
	} {
		v := judged(t, tt.changes...)
		t.Run(tt.name, func(t *testing.T) { wantRule(t, v, "distribution", tt.want) })
	}
}

// TestInTurns: an issuer that signs with both in turns is several, of which some have not
// switched: that is told, and no window as its cure; one that was given back its old key once, or
// has settled before the revoke, is none of these.
func TestInTurns(t *testing.T) {
	t.Parallel()
	turns := func(moments ...float64) change {
		return func(s *story) {
			for i, moment := range moments {
				s.add(emitting(at(moment), "auth", []string{"k1", "k2"}[i%2]))
			}
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		turns   bool
		cure    string
	}{
		{"up to the revoke", []change{goesOn(37, 40.5), turns(30, 31, 33, 35, 38, 39)}, true, "no overlap.window is long enough"},
		{"and after it", []change{goesOn(37, 61), turns(30, 31, 33, 35, 38, 39, 43, 44)}, true, "no overlap.window is long enough"},
		{"and has switched long before it", []change{goesOn(37, 40.5), turns(29, 29.5, 30, 30.5, 31, 31.5)}, true, "when what the last instance signed has expired too"},
		{"once", []change{goesOn(37, 40.5), turns(30, 31)}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "distribution", judge.Fail)
			for _, f := range v.Findings {
				if f.RuleID == "distribution" && (f.Consumer != "auth" || strings.Contains(f.Fix, "find the instance of auth") != tt.turns || !strings.Contains(f.Fix, tt.cure)) {
					t.Errorf("got %s with %q, want auth, and, where it is several, that the one is found that did not switch", text(f), f.Fix)
				}
				if f.RuleID == "bounds" && f.Consumer == "auth" && tt.turns {
					t.Errorf("got %s, want no bound of an issuer that did not switch as one", text(f))
				}
			}
		})
	}
	v := judged(t, turns(29, 29.2, 29.4, 29.6))
	wantRule(t, v, "distribution", judge.Pass)
}

// TestSignedOnUntilTheRevoke: an issuer that says itself that it signs with what is revoked
// did not switch, whether or not somebody presents what it signs.
func TestSignedOnUntilTheRevoke(t *testing.T) {
	t.Parallel()
	second := func(s *story) {
		s.limits.Emitters = append(s.limits.Emitters, plan.Emitter{Name: "auth-b", OnPage: true, Refresh: s.limits.Emitters[0].Refresh})
		s.add(published(0, "auth-b", "k1"), emitting(0, "auth-b", "k1"))
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
	}{
		{"in time", []change{second, add(emitting(at(28.5), "auth-b", "k2"))}, judge.Pass},
		{"after the revoke", []change{second, add(emitting(at(45), "auth-b", "k2"))}, judge.Fail},
		{"never", []change{second}, judge.Fail},
		{"never, and off the page", []change{second, limit(func(l *plan.Limits) { l.Emitters[1].OnPage = false })}, judge.Pass},
		{"never, and publishes nothing", []change{second, without(func(e history.Event) bool { return e.Kind == history.KindPublished && e.Service == "auth-b" })}, judge.Pass},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "distribution", tt.want)
			for _, f := range v.Findings {
				if f.RuleID == "distribution" && (f.Consumer != "auth-b" || f.Cause != judge.CauseNotSwitched) {
					t.Errorf("finding: got %s, want auth-b, which did not switch", text(f))
				}
			}
		})
	}
}

// TestSignsOnThoughItReads: who has read what is published and signs on with the old key is
// not told to read it.
func TestSignsOnThoughItReads(t *testing.T) {
	t.Parallel()
	reads := func(s *story) {
		for i := range 20 {
			s.add(history.Event{At: at(28.5 + float64(i)), Kind: history.KindRead, Service: "store", Reader: "auth", What: "secret/data/auth/key"})
		}
	}
	v := judged(t, switches(0), goesOn(28, 61), reads)
	for _, f := range v.Findings {
		if f.RuleID == "distribution" && !strings.Contains(f.Fix, "find out why auth still signs with k1") {
			t.Errorf("finding: got %s, fix %q, want to have found out why it signs on", text(f), f.Fix)
		}
	}
	wantRule(t, v, "distribution", judge.Fail)
}
