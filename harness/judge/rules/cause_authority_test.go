package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// authority makes search one of a team's own that decides itself, and app one that
// presents its own credential there and switches at once.
func authority(s *story) {
	s.limits.Family, s.limits.JudgedAt = "api-key", history.FromAuthority
	s.limits.RuleSources = []plan.RuleSource{{Rule: "availability", From: "the load"}}
	s.limits.Validators = []plan.Validator{{Name: "search", OnPage: true, Authority: true}}
	s.limits.Emitters = []plan.Emitter{{Name: "app", OnPage: true, Refresh: 30 * time.Second}}
	s.limits.Clients = nil
	without(func(e history.Event) bool {
		switch e.Kind {
		case history.KindFetched, history.KindLearned, history.KindPublished, history.KindEmitting:
			return true
		case history.KindCounts:
			return e.Counts.Presenter != "app" || e.Counts.Credential == "k1" && e.At >= at(28.4)
		}
		return e.Service == "checkout"
	})(s)
	for i := range s.events {
		if s.events[i].Kind == history.KindCounts {
			s.events[i].Counts.Source = history.FromAuthority
		}
	}
	s.add(emitting(0, "app", "k1"), emitting(at(28.4), "app", "k2"))
}

// proves turns every answer of rehearse's own presentations of a credential from a moment on.
func proves(credential string, from float64, outcome history.Outcome) change {
	return func(s *story) {
		for i, e := range s.events {
			if e.Kind == history.KindProbe && e.Credential == credential && e.At >= at(from) {
				p := *e.Probe
				p.Outcome, p.Status = outcome, string(outcome)
				s.events[i].Probe = &p
			}
		}
	}
}

// back is a way back from the watch: at 45 s the old one is accepted again, at 46 s it is
// the one to emit, at 56 s the new one is withdrawn.
func back(s *story) {
	s.events = slices.DeleteFunc(s.events, func(e history.Event) bool {
		return e.Kind == history.KindEnd || e.Step == "destroy" || e.At > at(45) && e.Kind == history.KindGate
	})
	s.add(history.Event{At: at(45), Kind: history.KindPhase, Phase: history.Rollback},
		history.Event{At: at(45), Kind: history.KindDecision, Phase: history.Watch, Decision: &history.Decision{Action: history.ActionRollBack, Trigger: history.TriggerAsked, Why: "asked for"}},
		step(at(45), history.Rollback, "restore", "k1"), step(at(46), history.Rollback, "emit", "k1"), step(at(56), history.Rollback, "withdraw", "k2"),
		history.Event{At: at(60.5), Kind: history.KindEnd, Phase: history.Rollback, Detail: history.EndedRolledBack})
}

// presents gives what app presents from a moment on another name.
func presents(credential string, from float64) change {
	return func(s *story) {
		for i, e := range s.events {
			if e.Kind == history.KindCounts && e.Counts.Presenter == "app" && e.At >= at(from) {
				c := *e.Counts
				c.Credential, s.events[i].Credential = credential, credential
				s.events[i].Counts = &c
			}
		}
	}
}

// inWords gives refusals of a credential another status.
func inWords(credential, status string) change {
	return func(s *story) {
		s.buckets("app", credential, 0, 61, func(_ history.Offset, c *history.Counts) {
			if n := c.Statuses["401"]; n > 0 {
				delete(c.Statuses, "401")
				c.Statuses[status] = n
			}
		})
	}
}

// refusedOn has somebody refused the old one, once in so many seconds, from the revoke to where an account is locked.
func refusedOn(every float64) change {
	return func(s *story) {
		for moment := 40.5; moment < 41.5; moment += every {
			refusedAt("search", "nightly", "k1", moment, 1)(s)
		}
	}
}

// TestAuthority: what an authority of a team's own takes is what the steps have it take,
// and what they said that they did and did not is named as such.
func TestAuthority(t *testing.T) {
	t.Parallel()
	rotator := limit(func(l *plan.Limits) { l.Rotated = []string{"accept", "emit", "revoke"} })
	everybody := []change{authority, refuse("app", "k2", 0, 61, 10), proves("k2", 0, history.AuthFailure)}
	partFor := func(until float64) change { // of two replicas one goes on
		return func(s *story) {
			for i := range 610 {
				if b := history.Offset(i) * 100 * millisecond; b >= at(28.4) && b < at(until) {
					c := counts(b, "app", "search", "k1", 10)
					c.Counts.Source = history.FromAuthority
					s.add(c)
				}
			}
			refuse("app", "k1", 40.5, until, 10)(s)
		}
	}
	part := partFor(61)
	saysOfK2 := func(words string) change {
		return add(history.Event{At: at(61), Kind: history.KindSaid, Service: "search", Said: []history.SaidLine{{Text: "shop/kid-k2@10.0.0.7 " + words, First: at(28.4), Last: at(60), Count: 3000}}})
	}
	withoutWord := without(func(e history.Event) bool { return e.Kind == history.KindEmitting })
	for _, tt := range []struct {
		name     string
		changes  []change
		consumer string
		cause    judge.Cause
		by       string
		says     string
	}{
		{"never accepted", everybody, "search", judge.CauseWithoutEffect, "accept", "search has never taken k2: the step accept reported success, and everybody who presented k2"},
		{"taken from rehearse itself only", []change{authority, refuse("app", "k2", 0, 61, 10)}, "search", judge.CauseUnknown, "emit", "search takes k2 from others, and refuses what app presents as it: either its value is another, or k2 may not be used for what app asks there"},
		{"taken from rehearse itself, and the password of app is another", []change{authority, refuse("app", "k2", 0, 61, 10), inWords("k2", "28P01")}, "app", judge.CauseUnknown, "emit", "search lets rehearse itself in with k2, and refuses what app presents as its password"},
		{"taken from rehearse itself, whose made-up password is refused", []change{authority, refuse("app", "k2", 28.4, 61, 10), inWords("k2", "28P01"), add(probe(at(60.4), "search", "k2", history.MadeUp, history.AuthFailure))}, "app", judge.CauseUnknown, "emit", "search lets rehearse itself in with k2, and refuses what app presents as its password"},
		{"taken from rehearse itself, and only the log says that the password is another", []change{authority, refuse("app", "k2", 28.4, 61, 10), inWords("k2", "refused"), saysOfK2("password authentication failed")}, "app", judge.CauseUnknown, "emit", "search lets rehearse itself in with k2, and refuses what app presents as its password"},
		{"taken from rehearse itself, and the log says that the address is another", []change{authority, refuse("app", "k2", 28.4, 61, 10), inWords("k2", "refused"), saysOfK2("no pg_hba.conf entry")}, "search", judge.CauseUnknown, "emit", "search takes k2 from others"},
		{"refused from rehearse itself too, and taken from it later", []change{authority, refuse("app", "k2", 28.4, 61, 10), inWords("k2", "28P01"), proves("k2", 0, history.AuthFailure), proves("k2", 50, history.OK)}, "search", judge.CauseUnknown, "emit", "search takes k2 from others"},
		{"taken late, by a few", []change{authority, refuse("app", "k2", 28.4, 50, 10), silent("app", 50, 61), inWords("k2", "28P01"), proves("k2", 0, history.AuthFailure), proves("k2", 50, history.OK)}, "search", judge.CauseStaleCache, "emit", "search took it at most 50m24s after it was accepted (it refused it until 39m54s after that, and then nobody presented it for 10m30s)"},
		{"taken when the old one is revoked", []change{authority, refuse("app", "k2", 28.4, 40.7, 10), proves("k2", 0, history.AuthFailure), proves("k2", 41, history.OK)}, "search", judge.CauseStaleCache, "emit", "search took it only when k1 was revoked"},
		{"it may not do what app asks", []change{authority, refuse("app", "k2", 0, 61, 10), inWords("k2", "403")}, "search", judge.CauseLacksRights, "emit", "k2 may not do what k1 may"},
		{"taken late", []change{authority, refuse("app", "k2", 28, 33, 10), proves("k2", 0, history.OK), withoutProbes("search", history.Canary)}, "search", judge.CauseStaleCache, "emit", "search took it only 22"},
		{"taken late, and not presented for a while before it", []change{authority, refuse("app", "k2", 28, 33, 10), silent("app", 33, 39), proves("k2", 0, history.OK), withoutProbes("search", history.Canary)}, "search", judge.CauseStaleCache, "emit",
			"search took it at most 29m after it was accepted (it refused it until 22m54s after that, and then nobody presented it for 6m6s), and the lead was 18m"},
		{"made in the place of the old one", []change{authority, refuse("app", "k1", 10, 28.4, 10), proves("k1", 10, history.AuthFailure)}, "search", judge.CauseOneSlot, "accept", "it holds one at a time, or making a new one removes the others"},
		{"ended by somebody a while after the accept", []change{authority, refuse("app", "k1", 14, 28.4, 10), proves("k1", 14, history.AuthFailure)}, "search", judge.CauseUnknown, "accept", "after the step accept"},
		{"refused, and then taken again", []change{authority, refuse("app", "k1", 10, 15, 10), proves("k1", 10, history.AuthFailure)}, "search", judge.CauseUnknown, "accept", "refused k1 before it was revoked"},
		{"the revoke takes the other one", []change{authority, refuse("app", "k2", 40.5, 61, 10), proves("k1", 0, history.OK), proves("k2", 40, history.AuthFailure)}, "search", judge.CauseWithoutEffect, "revoke", "the step took away k2, and search still takes k1"},
		{"the revoke takes both", []change{authority, refuse("app", "k2", 40.5, 61, 10), proves("k1", 41, history.AuthFailure), proves("k2", 40, history.AuthFailure), withoutProbes("search", history.OldAfter)}, "search", judge.CauseWithoutEffect, "revoke", "it took k2 away too"},
		{"the revoke is followed by a lock of who goes on with the old one", []change{authority, refusedOn(0.1), refuse("app", "k2", 41.5, 61, 10), proves("k2", 41.5, history.AuthFailure)}, "nightly", judge.CauseLockedOut, "revoke",
			"and has refused it from everybody since (app, rehearse itself); by then it had refused nightly 10 times with k1"},
		{"somebody goes on with the old one, and is refused too seldom for that", []change{authority, refusedOn(0.9), refuse("app", "k2", 41.5, 61, 10), proves("k2", 41.5, history.AuthFailure)}, "search", judge.CausePutBack, "put-back", "no step of this rotation came between"},
		{"refused long after the revoke", []change{authority, refuse("app", "k2", 45, 61, 10), proves("k2", 45, history.AuthFailure)}, "search", judge.CausePutBack, "put-back", "no step of this rotation came between"},
		{"the new one is never taken, and it falls back", []change{authority, func(s *story) {
			for i := range 610 { // beside the new one, from the emit on
				if b := history.Offset(i) * 100 * millisecond; b >= at(28.4) {
					c := counts(b, "app", "search", "k1", 1)
					c.Counts.Source = history.FromAuthority
					s.add(c)
				}
			}
		}, refuse("app", "k2", 28.4, 61, 10), refuse("app", "k1", 40.5, 61, 10), proves("k1", 41, history.AuthFailure), proves("k2", 0, history.AuthFailure)}, "search", judge.CauseWithoutEffect, "accept", "app falls back to k1"},
		{"the way back has it not accepted", []change{authority, presents("k1", 46), refuse("app", "k1", 46, 61, 10), back, proves("k1", 41, history.AuthFailure)}, "search", judge.CauseWithoutEffect, "restore", "search does not take k1 again: the step restore reported success"},
		{"the way back has it not accepted, and it falls back", []change{authority, presents("k1", 46), func(s *story) {
			for i := range 100 { // beside the old one, from the way back on
				c := counts(at(46)+history.Offset(i)*100*millisecond, "app", "search", "k2", 1)
				c.Counts.Source = history.FromAuthority
				s.add(c)
			}
		}, refuse("app", "k1", 46, 61, 10), back, proves("k1", 41, history.AuthFailure)}, "search", judge.CauseWithoutEffect, "restore",
			"everybody who presented k1 since was refused (app, rehearse itself); app is let in with k2 beside it, by a fallback or by a part that did not switch, which hides this until the withdraw"},
		{"it does not go back", []change{authority, refuse("app", "k2", 56, 61, 10), back, proves("k2", 56, history.AuthFailure)}, "app", judge.CauseNotSwitched, "withdraw", "app never went back to k1"},
		{"it goes back when nothing else is left", []change{authority, withoutWord, presents("k1", 57), refuse("app", "k2", 56, 57, 10), back, proves("k2", 56, history.AuthFailure)}, "app", judge.CauseNotSwitched, "withdraw",
			"app went back to k1 only 11m after the step emit-back, when k2 had been withdrawn"},
		{"it does not go back, and says nothing", []change{authority, withoutWord, refuse("app", "k2", 56, 61, 10), back, proves("k2", 56, history.AuthFailure)}, "app", judge.CauseNotSwitched, "withdraw", "app was not seen with k1 again"},
		{"a part of it goes on", []change{authority, part}, "app", judge.CauseNotSwitched, "revoke", "part of app went on with k1 after it was revoked, and has presented k2 as well"},
		{"a part of it goes on for a while", []change{authority, partFor(42)}, "app", judge.CauseNotSwitched, "revoke", "part of app went on with k1 until 1m29s after it was revoked, and presented k2 beside it before"},
		{"it runs only after the revoke", []change{authority, presents("k1", 45), silent("app", 10, 45), refuse("app", "k1", 45, 61, 10), withoutWord}, "app", judge.CauseNotSwitched, "revoke",
			"it was not seen to present anything between the emit and the revoke"},
		{"it goes back", []change{authority, presents("k2", 28.4), presents("k1", 36), refuse("app", "k1", 40.5, 61, 10)}, "app", judge.CauseWentBack, "revoke", "app presented k2 alone from 28m24s to 36m (380 times), and from then on k1 again"},
		{"what waited in it comes after the revoke", []change{authority, presents("k2", 28.4), withoutWord, func(s *story) {
			for i := range 610 { // beside the new one
				if b := history.Offset(i) * 100 * millisecond; b >= at(46) && b < at(56) {
					c := counts(b, "app", "search", "k1", 5)
					c.Counts.Source = history.FromAuthority
					s.add(c)
				}
			}
		}, refuse("app", "k1", 46, 56, 5)}, "app", judge.CauseNotSwitched, "revoke", "part of app went on with k1 until 15m29s after it was revoked, and presented k2 beside it before"},
		{"what waited in it comes all at once after the revoke", []change{authority, presents("k2", 28.4), withoutWord, func(s *story) {
			for i := range 610 { // beside the new one
				if b := history.Offset(i) * 100 * millisecond; b >= at(46) && b < at(46.3) {
					c := counts(b, "app", "search", "k1", 9)
					c.Counts.Source = history.FromAuthority
					s.add(c)
				}
			}
		}, refuse("app", "k1", 46, 46.3, 9)}, "app", judge.CauseNotSwitched, "revoke", "part of app went on with k1 until 5m47s after it was revoked, and presented k2 beside it before"},
		{"a part of it stops, and the other goes on", []change{authority, presents("k2", 28.4), presents("k1", 36), func(s *story) {
			for i := range 610 { // beside the new one, from the emit on
				if b := history.Offset(i) * 100 * millisecond; b >= at(28.4) && b < at(36) {
					c := counts(b, "app", "search", "k1", 1)
					c.Counts.Source = history.FromAuthority
					s.add(c)
				}
			}
		}, refuse("app", "k1", 40.5, 61, 10)}, "app", judge.CauseNotSwitched, "revoke", "app went on with k1"},
		{"it switches late", []change{authority, presents("k1", 28), without(func(e history.Event) bool { return e.Kind == history.KindEmitting && e.At > 0 }), presents("k2", 57), refuse("app", "k1", 40.5, 57, 10), add(emitting(at(57), "app", "k2"))}, "app", judge.CauseNotSwitched, "revoke", "app went on with k1 after it was revoked; it switched 29m after the emit"},
		{"a rotator revokes before it emits", []change{authority, rotator, move(history.KindStep, "emit", at(45)), presents("k1", 28), without(func(e history.Event) bool { return e.Kind == history.KindEmitting && e.At > 0 }), refuse("app", "k1", 40.5, 61, 10)},
			"rotator", judge.CauseFlagDay, "revoke", "the rotator revoked k1 4m30s before it had k2 in use"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var said []string
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID != "auth-failures-flat" {
					continue
				}
				if f.Consumer == tt.consumer && f.Cause == tt.cause && f.CausedBy == tt.by && strings.Contains(f.Message, tt.says) {
					return
				}
				said = append(said, text(f))
			}
			t.Errorf("got %q, want one of %s, %s, caused by %s, that says %q", said, tt.consumer, tt.cause, tt.by, tt.says)
		})
	}
}

// TestAuthorityThatNeverTakes: one that refuses the new credential from rehearse itself to
// the end is told so, whatever others presented.
func TestAuthorityThatNeverTakes(t *testing.T) {
	t.Parallel()
	for _, f := range judged(t, authority, presents("", 28.4), proves("k2", 0, history.AuthFailure)).Findings {
		if f.RuleID == "revocation" && f.Cause == judge.CauseWithoutEffect && f.Consumer == "search" && strings.Contains(f.Message, "search refuses k2 after the revoke of k1: search has never taken k2: the step accept reported success") {
			return
		}
	}
	t.Error("got no finding of a step without effect")
}
