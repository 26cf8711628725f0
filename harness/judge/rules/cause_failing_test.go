package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// instead gives a client another status instead of answers to a credential in
// [from, to): n of each bucket.
func instead(presenter, credential, status string, from, to float64, n int64) change {
	return func(s *story) {
		s.buckets(presenter, credential, from, to, func(_ history.Offset, c *history.Counts) {
			gone := min(n, c.OK)
			c.OK, c.Unavailable = c.OK-gone, c.Unavailable+gone
			c.Statuses = map[string]int64{"200": c.OK, status: c.Unavailable}
		})
	}
}

// onThat is a fault between two parties, from one moment to another.
func onThat(kind, from, to string, begin, end float64) change {
	return func(s *story) {
		for _, e := range []history.Event{
			fault(at(begin), kind, from+" → "+to, "injected", false), fault(at(begin+0.2), kind, from+" → "+to, "evidence", true),
			fault(at(end), kind, from+" → "+to, "undone", false),
		} {
			e.Fault.From, e.Fault.To = from, to
			s.add(e)
		}
	}
}

// TestCutOffTheSource: who was due to fetch while its way was cut learned late for that, and
// for nothing of its own, also where nobody sees that it asked in vain.
func TestCutOffTheSource(t *testing.T) {
	t.Parallel()
	refused := refuse("app", "k2", 28.4, 33, 10)
	wantFound(t, "auth-failures-flat", "app", []found{
		{"over the time when it was due", []change{searchLearns(33), onThat("partition", "search", "auth", 17, 32), refused}, judge.CauseSourceDown, "search → auth",
			"search was due to fetch the set 11m after it was accepted, and the fault partition on search → auth kept it from that; it learned it 23m after it was accepted", "mend search → auth, and emit only when search"},
		{"and never after that", []change{searchLearns(0), onThat("partition", "search", "auth", 17, 32), refuse("app", "k2", 28.4, 61, 10)}, judge.CauseSourceDown, "search → auth", "kept it from that; it never learned it", ""},
		{"before it was due", []change{searchLearns(33), onThat("partition", "search", "auth", 11, 14), refused}, judge.CauseStaleCache, "search", "", ""},
		{"and it was due after the emit alone", []change{early(5), searchLearns(33), onThat("partition", "search", "auth", 17, 32), refuse("app", "k2", 15.4, 33, 10)}, judge.CauseStaleCache, "search", "", ""},
		{"slow is not cut", []change{searchLearns(33), onThat("latency", "search", "auth", 17, 32), refused}, judge.CauseStaleCache, "search", "", ""},
		{"another's way", []change{searchLearns(33), onThat("partition", "checkout", "auth", 17, 32), refused}, judge.CauseStaleCache, "search", "", ""},
		{"it lost what it had", []change{refuse("app", "k1", 19, 22, 10), onThat("partition", "search", "auth", 17, 23)}, judge.CauseSourceDown, "search → auth",
			"search could not fetch the set because of the fault partition on search → auth, and no longer had k1 by then", "let search keep the set that it has"},
		{"it lost what it had before", []change{refuse("app", "k1", 19, 22, 10), onThat("partition", "search", "auth", 21, 23)}, judge.CauseUnknown, "search", "", ""},
	})
}

// TestTurnedProberAway: who answers that too much is asked since the harness was refused
// again and again does so for the rehearsal, which is no finding about anybody.
func TestTurnedProberAway(t *testing.T) {
	t.Parallel()
	away := history.Event{At: at(46), Kind: history.KindProbe, Service: "search", Credential: "k2", Probe: &history.Probe{Purpose: history.NewAfter, Outcome: history.Unavailable, Status: "429"}}
	refused := func(n int) change {
		return func(s *story) {
			for i := range n {
				s.add(probe(at(44+float64(i)/100), "search", "k1", history.OldAfter, history.AuthFailure))
			}
		}
	}
	too := instead("app", "k2", "429", 45, 52, 10)
	for _, tt := range []struct {
		name    string
		changes []change
		want    judge.Outcome
		says    string
	}{
		{"since the harness was refused", []change{too, refused(10), add(away)}, judge.Inconclusive, "it had refused the harness 10 times by then, and turns away whoever is refused so often"},
		{"when the harness asked very often", []change{too, shows(history.NewAfter, 45, "yyyyyyyyyyyyyyy"), add(away)}, judge.Inconclusive, "the harness had asked it 16 times within a second of that, and it turns away whoever asks so often"},
		{"the harness was hardly refused", []change{too, refused(3), add(away)}, judge.Fail, "it answered 429"},
		{"the harness was not turned away", []change{too, refused(10)}, judge.Fail, "it answered 429"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "availability", tt.want)
			if detail := rule(t, v, "auth-failures-flat").Detail; tt.want == judge.Inconclusive && !strings.Contains(detail, tt.says) {
				t.Errorf("flat: got %q, want why there were few answers", detail)
			}
			for _, f := range v.Findings {
				if f.RuleID == "availability" && (!strings.Contains(f.Message, tt.says) || (f.Level == judge.Error) != (tt.want == judge.Fail)) {
					t.Errorf("got %s, want it to say %q", text(f), tt.says)
				}
			}
		})
	}
}

// TestKindsOfSilence: what answers an error is failing, what does not answer in
// time is timed out, and only a closed door is down. A fault on the way is the way's.
func TestKindsOfSilence(t *testing.T) {
	t.Parallel()
	of := func(status string) []change { return []change{instead("app", "", status, 45, 47, 10)} }
	wantFound(t, "availability", "app", []found{
		{"errors", of("500"), judge.CauseFailing, "search", "it answered 500 200 times", "look into the log of search"},
		{"no answer in time", of("timeout"), judge.CauseTimedOut, "search", "200 answers did not come in time", "look into the log of search"},
		{"connections that end", of("reset"), judge.CauseReset, "search", "200 connections ended before the answer did", ""},
		{"nobody listens", of("refused"), judge.CauseServiceDown, "search", "nothing in the history says why", "bring search back"},
		{"forbidden, which is no refusal here", of("403"), judge.CauseFailing, "search", "it answered 403 200 times, which is no refusal", ""},
		{"the way was cut", append(of("timeout"), onThat("partition", "load", "search", 42, 46)), judge.CauseTimedOut, "load → search",
			"the way load → search was disturbed; the fault partition on load → search was in effect from 42m until 46m", "search and the credential are not at fault"},
		{"the way to the keys was slow", append(of("timeout"), onThat("latency", "search", "auth", 44, 46)), judge.CauseTimedOut, "search → auth", "was in effect from 44m until 46m", ""},
		{"another's way was cut", append(of("timeout"), onThat("partition", "load", "checkout", 42, 46)), judge.CauseTimedOut, "search", "nothing in the history says why", ""},
		{"the way was cut long before", append(of("timeout"), onThat("partition", "load", "search", 12, 14)), judge.CauseTimedOut, "search", "nothing in the history says why", ""},
		{"frozen, and refused once it woke up", []change{atTheAuthority, instead("app", "", "timeout", 45, 47, 10), refuse("search", "k2", 46.9, 47, 2),
			add(fault(at(44.9), "pause", "search", "injected", false), fault(at(45), "pause", "search", "evidence", true), fault(at(47), "pause", "search", "undone", false))},
			judge.CauseServiceDown, "search", "it was under the fault pause; the fault pause on search was in effect from 44m54s until 47m", ""},
		{"errors of the new credential only, before it was learned", []change{early(5), searchLearns(24.5), instead("app", "k2", "500", 15, 24.5, 10)},
			judge.CauseStaleCache, "search", "it answered 500 to requests with k2, and to no others: search learned it 14m30s after it was accepted, and the lead was 5m", "publish at least 24m15s"},
		{"not found with the new credential only, before it was learned", []change{early(5), searchLearns(24.5), instead("app", "k2", "404", 15, 24.5, 10)},
			judge.CauseStaleCache, "search", "it answered 404 to requests with k2, and to no others: search learned it 14m30s after it was accepted, and the lead was 5m", "publish at least 24m15s"},
		{"of which nothing tells but its answers", []change{early(5), searchLearns(0), withoutFetchAt(4), instead("app", "k2", "400", 15, 24.5, 10)},
			judge.CauseStaleCache, "search", "it answered 400 to requests with k2, and to no others: search learned it 14m30s after it was accepted, and the lead was 5m", "publish at least 16m15s"},
		{"too many, which is of no credential", []change{early(5), searchLearns(24.5), instead("app", "k2", "429", 15, 24.5, 10)}, judge.CauseFailing, "search", "it answered 429", ""},
		{"errors of both", []change{early(5), searchLearns(24.5), instead("app", "k2", "500", 15, 24.5, 10), instead("app", "k1", "500", 12, 13, 10)}, judge.CauseFailing, "search", "", ""},
	})
	v := judged(t, early(5), searchLearns(24.5), instead("app", "k2", "500", 15, 24.5, 10))
	if v.AuthFailures != judge.CannotTell || v.Verdict != judge.Fail {
		t.Errorf("errors of the new credential only: got %s and %s, want a fail that is not called flat", v.Verdict, v.AuthFailures)
	}
}

// TestAfterTheEnd: what parties do once the rotation has ended explains nothing.
func TestAfterTheEnd(t *testing.T) {
	t.Parallel()
	wantFound(t, "availability", "app", []found{
		{"sessions ended with the run", []change{atTheAuthority, instead("app", "", "500", 45, 60.5, 10), endsSessions(60.7, 4)}, judge.CauseFailing, "search", "", ""},
		{"a service stopped with the run", []change{instead("app", "", "500", 45, 60.5, 10),
			add(history.Event{At: at(60.8), Kind: history.KindExit, Service: "search"})}, judge.CauseFailing, "search", "", ""},
	})
}

// TestFreshAnsweredOtherwise: who checks, answers the new one with an error that nobody had with the old
// one, and says by which whether it fails at it or lets it ask less often.
func TestFreshAnsweredOtherwise(t *testing.T) {
	t.Parallel()
	canary := func(s *story) { // the harness had the same
		for i, e := range s.events {
			if e.Kind == history.KindProbe && e.Probe.Purpose == history.Canary {
				p := *e.Probe
				p.Outcome, p.Status = history.Unavailable, "500"
				s.events[i].Probe = &p
			}
		}
	}
	madeUp := func(status string) history.Event {
		return history.Event{At: at(60.4), Kind: history.KindProbe, Service: "search", Credential: "k1",
			Probe: &history.Probe{Purpose: history.MadeUp, Outcome: history.Unavailable, Status: status, Presentation: "delivery signed with a made-up secret"}}
	}
	more := func(s *story) { // than with the old one
		s.buckets("app", "k2", 28, 61, func(_ history.Offset, c *history.Counts) {
			c.Attempts, c.OK = 3*c.Attempts, 3*c.OK
			c.Statuses = map[string]int64{"200": c.OK}
		})
	}
	wantFound(t, "availability", "app", []found{
		{"it may ask less often", []change{authority, instead("app", "k2", "429", 28.4, 61, 6)}, judge.CauseTurnedAway, "search", "answered 429 to 1845 of 2805 requests of app with k2, 87.4 a second, and to none of 100 a second with k1 before: k2 has a lower limit", "have search give k2 the limits of k1"},
		{"it asks more often", []change{authority, more, instead("app", "k2", "429", 28.4, 61, 20)}, judge.CauseTurnedAway, "search", "it was not seen whether k2 has a lower limit or this is more than anybody may ask", "at the rate that was held with k1"},
		{"it fails at it, for the harness too", []change{authority, canary, instead("app", "k2", "500", 28.4, 61, 10)}, judge.CauseFailing, "search", "answered 500 to 2805 of 2805 requests of app with k2, and to none with k1: it fails at that credential", "emit it only when a canary"},
		{"it answers what nobody issued so", []change{authority, canary, instead("app", "k2", "500", 28.4, 61, 10), add(madeUp("500"))}, judge.CauseFailing, "search", "to none with k1: it answers 500 to a delivery signed with a made-up secret too, so that is how it refuses, and it did not take k2", "services.search.refusal: {statuses: [500]}"},
		{"it answers what nobody issued otherwise", []change{authority, canary, instead("app", "k2", "500", 28.4, 61, 10), add(madeUp("404"))}, judge.CauseFailing, "search", "it fails at that credential, or this is how it refuses it", "emit it only when a canary"},
		{"it may fail at everything", []change{authority, instead("app", "k2", "503", 35, 61, 10)}, judge.CauseFailing, "search", "k1 was not presented in that time", ""},
		{"it failed before", []change{authority, instead("app", "k1", "503", 5, 28, 10), instead("app", "k2", "503", 28, 61, 10)}, judge.CauseFailing, "search", "nothing in the history says why", ""},
	})
	wantFound(t, "auth-failures-flat", "app", []found{
		{"that is counted as refused", []change{authority, refuse("app", "k2", 28.4, 61, 6), inWords("k2", "429")}, judge.CauseTurnedAway, "search", "k2 has a lower limit", "have search give k2 the limits of k1"},
	})
}

// TestStoppedOnTheWay: where nothing of a service comes to its database since its switch, and the database
// takes the new credential, something between them may turn it away.
func TestStoppedOnTheWay(t *testing.T) {
	t.Parallel()
	canary := add(probe(at(28), "provider", "k2", history.Canary, history.OK))
	row := func(more ...change) []change {
		return append([]change{atTheAuthority, limit(func(l *plan.Limits) { l.Family = "database-password" }), canary, silent("search", 28.4, 61), instead("app", "", "500", 28.5, 61, 10)}, more...)
	}
	wantFound(t, "availability", "app", []found{
		{"a pooler that nobody named", row(), judge.CauseFailing, "search", "or something between them, such as a pooler, turns k2 away", "where a pooler or a proxy stands between"},
		{"the database refuses it too", row(add(probe(at(28), "provider", "k2", history.Canary, history.AuthFailure))), judge.CauseFailing, "search", "nothing in the history says why", ""},
		{"for a while, by each request", []change{atTheAuthority, limit(func(l *plan.Limits) { l.Family = "api-key" }), silent("search", 45, 50), instead("app", "", "500", 45, 50, 10)}, judge.CauseFailing, "search",
			"no request of search reached provider in that time: provider or the way there did not answer", "for what it did not reach, and at provider then"},
		{"it comes there", []change{atTheAuthority, canary, instead("app", "", "500", 28.5, 61, 10)}, judge.CauseFailing, "search", "nothing in the history says why", ""},
	})
}
