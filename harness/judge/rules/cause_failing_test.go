package rules_test

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
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
			"the way load → search was disturbed; the fault partition on load → search was in effect from 42m until 46m", "neither search nor what is presented"},
		{"the way to the keys was slow", append(of("timeout"), onThat("latency", "search", "auth", 44, 46)), judge.CauseTimedOut, "search → auth", "was in effect from 44m until 46m", ""},
		{"another's way was cut", append(of("timeout"), onThat("partition", "load", "checkout", 42, 46)), judge.CauseTimedOut, "search", "nothing in the history says why", ""},
		{"the way was cut long before", append(of("timeout"), onThat("partition", "load", "search", 12, 14)), judge.CauseTimedOut, "search", "nothing in the history says why", ""},
		{"frozen, and refused once it woke up", []change{atTheAuthority, instead("app", "", "timeout", 45, 47, 10), refuse("search", "k2", 46.9, 47, 2),
			add(fault(at(44.9), "pause", "search", "injected", false), fault(at(45), "pause", "search", "evidence", true), fault(at(47), "pause", "search", "undone", false))},
			judge.CauseServiceDown, "search", "it was under the fault pause; the fault pause on search was in effect from 44m54s until 47m", ""},
		{"errors of the new credential only, before it was learned", []change{early(5), searchLearns(24.5), instead("app", "k2", "500", 15, 24.5, 10)},
			judge.CauseStaleCache, "search", "it answered 500 to what presented k2, and to nothing else: search learned it 14m30s after it was accepted, and the lead was 5m", "publish at least 24m15s"},
		{"not found with the new credential only, before it was learned", []change{early(5), searchLearns(24.5), instead("app", "k2", "404", 15, 24.5, 10)},
			judge.CauseStaleCache, "search", "it answered 404 to what presented k2, and to nothing else: search learned it 14m30s after it was accepted, and the lead was 5m", "publish at least 24m15s"},
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
