package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// endsSessions adds sessions of search that were ended at a moment.
func endsSessions(moment float64, n int) change {
	return func(s *story) {
		for range n {
			s.add(history.Event{At: at(moment), Kind: history.KindEnded, Service: "provider", Reader: "search", Credential: "k1"})
		}
	}
}

// lived adds a session of search that was in use until a moment.
func lived(credential string, until float64) change {
	return add(history.Event{At: at(until), Began: at(until - 1), Kind: history.KindLived, Service: "provider", Reader: "search", Credential: credential})
}

// TestSessionsOfTheOld: what a revoke does to sessions that are there is told apart from
// refusals and from services that are down.
func TestSessionsOfTheOld(t *testing.T) {
	t.Parallel()
	one := limit(func(l *plan.Limits) { l.Validators[1].Authority, l.Validators[1].Keys = true, 1 })
	slowly := func(s *story) {
		for i := range s.events {
			if e := &s.events[i]; e.Kind == history.KindStep && e.Step == "accept" && e.Credential == "k2" {
				e.Began = e.At - at(3)
			}
		}
	}
	session := func(moment float64) change {
		e := probe(at(moment), "search", "k1", history.OldAfter, history.OK)
		e.Probe.Session = true
		return add(e)
	}
	for _, tt := range []struct {
		name     string
		changes  []change
		rule     string
		cause    judge.Cause // of its one error; empty: it has none
		causedBy string
		says     string
	}{
		{"ended in use", []change{unavailable("app", 40.5, 40.6), endsSessions(40.5, 3)}, "availability", judge.CauseCutOff, "revoke", "provider ended 3 sessions of search with the revoke of k1"},
		{"ended in use, by one that kept them for longer than the page has it", []change{unavailable("app", 40.5, 40.6), endsSessions(40.5, 3)}, "availability", judge.CauseCutOff, "revoke", "it keeps connections for longer than the 10m on the page, or forever"},
		{"ended in use, by one that was first seen with the new one after that", []change{unavailable("app", 40.5, 40.6), endsSessions(40.5, 3), add(emitting(at(40.6), "search", "k2"))}, "availability", judge.CauseCutOff, "revoke", "it keeps connections for longer than the 10m on the page, or forever"},
		{"ended in use, within what the page has", []change{limit(func(l *plan.Limits) { l.LongestLife = 15 * time.Minute }), unavailable("app", 40.5, 40.6), endsSessions(40.5, 3)}, "availability", judge.CauseCutOff, "revoke", "some were in use"},
		{"ended in use, all of the new one, by one that cannot tell", []change{unavailable("app", 40.5, 40.6), endsSessions(40.5, 3), func(s *story) {
			for i := range s.events {
				if s.events[i].Kind == history.KindEnded {
					s.events[i].Credential = "k2"
				}
			}
		}}, "availability", judge.CauseCutOff, "revoke", "all of them made with k2: it cannot tell which password a session was made with"},
		{"ended long before", []change{unavailable("app", 40.5, 40.6), endsSessions(30, 3)}, "availability", judge.CauseServiceDown, "revoke", "nothing in the history says why"},
		{"in use, and nobody tells that they were ended", []change{unavailable("app", 40.8, 43), lived("k1", 40.7), lived("k1", 40.9)}, "availability", judge.CauseCutOff, "revoke", "search was still served by provider on 2 connections made with k1 when that was revoked"},
		{"in use before only", []change{unavailable("app", 40.8, 43), lived("k1", 30)}, "availability", judge.CauseServiceDown, "revoke", "nothing in the history says why"},
		{"in use, of the new one", []change{unavailable("app", 40.8, 43), lived("k2", 40.7)}, "availability", judge.CauseServiceDown, "revoke", "nothing in the history says why"},
		{"in use, and long before anything failed", []change{unavailable("app", 50, 53), lived("k1", 40.7)}, "availability", judge.CauseServiceDown, "revoke", "nothing in the history says why"},
		{"ended out of use", []change{endsSessions(40.5, 3)}, "availability", "", "", ""},
		{"a session still served", []change{still(0), session(41), session(60.4)}, "revocation", judge.CauseKeptSessions, "revoke", "search lets nobody in anew with k1, and still served a session made before, 19m54s after the revoke"},
		{"somebody new still let in", []change{still(0, 41), session(50), asks(60.4, history.OldAfter, history.OK)}, "revocation", judge.CauseKeptRevoked, "revoke", "search still took k1"},
		{"a session that ended in time", []change{still(50), session(41)}, "revocation", "", "", ""},
		{"one password at a time", []change{one, refuse("app", "k1", 20, 28.5, 10)}, "auth-failures-flat", judge.CauseOneSlot, "accept", "accepting k2 made it refuse k1"},
		{"one password at a time, published late", []change{one, slowly, refuse("app", "k1", 20, 28.5, 10)}, "auth-failures-flat", judge.CauseOneSlot, "accept", "k2 could be read at the store only 3m after search had it"},
		{"room for both", []change{refuse("app", "k1", 20, 28.5, 10)}, "auth-failures-flat", judge.CauseUnknown, "accept", "before it was revoked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var found []judge.Finding
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID == tt.rule && f.Level == judge.Error {
					found = append(found, f)
				}
			}
			if tt.cause == "" {
				if len(found) > 0 {
					t.Errorf("got %s, want nothing", text(found[0]))
				}
				return
			}
			if len(found) != 1 || found[0].Cause != tt.cause || found[0].CausedBy != tt.causedBy || !strings.Contains(found[0].Message, tt.says) {
				t.Errorf("got %+v, want one of cause %s by %s that says %q", found, tt.cause, tt.causedBy, tt.says)
			}
		})
	}
}

// TestLoginsOfEndedSessions: logins that were under way when sessions were ended lack an answer, and nobody is down.
func TestLoginsOfEndedSessions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		changes []change
		found   bool
	}{
		{"as many as were ended", []change{endsSessions(40.5, 10), unanswered("search", "unavailable", 40.5, 40.7, 5)}, false},
		{"more than were ended", []change{endsSessions(40.5, 9), unanswered("search", "unavailable", 40.5, 40.7, 5)}, true},
		{"none was ended", []change{unanswered("search", "unavailable", 40.5, 40.7, 5)}, true},
		{"at another time", []change{endsSessions(40.5, 10), unanswered("search", "unavailable", 45, 45.2, 5)}, true},
		{"then and later", []change{endsSessions(40.5, 10), unanswered("search", "unavailable", 40.5, 40.6, 5), unanswered("search", "unavailable", 45, 45.1, 5)}, true},
		{"in time-outs", []change{endsSessions(40.5, 10), unanswered("search", "timeout", 40.5, 40.7, 5)}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found := false
			for _, f := range judged(t, append([]change{atTheAuthority}, tt.changes...)...).Findings {
				found = found || f.RuleID == "availability"
			}
			if found != tt.found {
				t.Errorf("got a finding: %t, want %t", found, tt.found)
			}
		})
	}
}
