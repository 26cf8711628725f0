package rotation

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestBaselineOfStrangers: what others are refused with that is none of the rotation's
// keeps nobody from beginning; who has the secret does, whoever that is.
func TestBaselineOfStrangers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, presenter, credential string
		held                        bool
	}{
		{"a stranger with a key of its own", "curl", "other", true},
		{"a stranger with the secret", "curl", Old, false},
		{"the consumer with what nobody knows", "billing", "unknown", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			view := history.NewView()
			count := func(presenter, credential string, ok, refused int64) {
				view.Apply(history.Event{At: 1, Kind: history.KindCounts, Credential: credential, Counts: &history.Counts{
					Source: history.FromAuthority, Presenter: presenter, Validator: "payments", Credential: credential, Width: 1e8,
					Attempts: ok + refused, OK: ok, AuthFailures: refused,
				}})
			}
			count("billing", Old, 50, 0)
			count(tt.presenter, tt.credential, 0, 6)
			l := Look{View: view, Now: 1e9, Limits: plan.Limits{JudgedAt: history.FromAuthority, Speed: 1, Objective: 0.999, Emitters: []plan.Emitter{{Name: "billing", OnPage: true}}}}
			_, refusals := l.baseline()
			if held := len(refusals) == 0; held != tt.held || !held && !strings.Contains(refusals[0].why, "failed before anything was changed") {
				t.Errorf("got %+v, want it to hold: %v", refusals, tt.held)
			}
		})
	}
}

// TestGatesRestOnNoLogThatNobodyUnderstands: where nobody was seen to present anything, and a log that would tell of it is
// not understood, nothing shows that nobody uses the old credential; the gates name the log, and no party.
func TestGatesRestOnNoLogThatNobodyUnderstands(t *testing.T) {
	t.Parallel()
	const why = "what db decides is not known: 40 lines of db.log were read and none was understood"
	unread := history.Event{At: 1, Kind: history.KindUnread, Service: "db", Count: 40, Detail: strings.TrimPrefix(why, "what db decides is not known: ")}
	seen := history.Event{At: 2, Kind: history.KindCounts, Credential: Old, Counts: &history.Counts{
		Source: history.FromAuthority, Presenter: "shop", Validator: "db", Credential: Old, Width: 1e8, Attempts: 1, OK: 1,
	}}
	for _, tt := range []struct {
		name   string
		events []history.Event
		held   bool
	}{
		{"not understood", []history.Event{unread}, false},
		{"understood now", []history.Event{unread, {At: 2, Kind: history.KindUnread, Service: "db"}}, true},
		{"somebody tells of it", []history.Event{unread, seen}, true},
		{"no such log", nil, true},
	} {
		view := history.NewView()
		for _, e := range tt.events {
			view.Apply(e)
		}
		l := Look{View: view, Now: 60e9, Limits: plan.Limits{JudgedAt: history.FromAuthority, Speed: 1, Objective: 0.999, Emitters: []plan.Emitter{{Name: "shop", OnPage: true}}}}
		for name, gate := range map[string]func() (string, []refusal){"baseline": l.baseline, "overlap": l.overlap} {
			_, refusals := gate()
			if held := len(refusals) == 0; held != tt.held || !held && refusals[0] != (refusal{untold: true, why: why}) {
				t.Errorf("%s, gate of %s: got %+v, want it to hold: %t", tt.name, name, refusals, tt.held)
			}
		}
	}
}

// TestBaselineInOneStretch: attempts that are told as one long stretch, as of its beginning,
// count as many as came until now.
func TestBaselineInOneStretch(t *testing.T) {
	t.Parallel()
	view := history.NewView()
	view.Apply(history.Event{Kind: history.KindCounts, Credential: Old, Counts: &history.Counts{
		Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: Old, Width: 69e8, Attempts: 276, OK: 276,
	}})
	l := Look{View: view, Now: 69e8, Limits: plan.Limits{
		JudgedAt: history.FromLoad, Speed: 1, Objective: 0.999, Clients: []plan.Client{{Name: "web", To: "search", Rate: 40, Sessions: 1}},
	}}
	if held, refusals := l.baseline(); len(refusals) > 0 || !strings.Contains(held, "276 attempts") {
		t.Errorf("got %q and %+v, want that it holds with 276 attempts", held, refusals)
	}
}

// TestEmitOfAPool: a pool of a team's own that made no connection since the emit is not held to
// use the old one still; one that made one is.
func TestEmitOfAPool(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		at       time.Duration
		attached bool
		held     bool
	}{{"before the emit", 5 * time.Second, true, true}, {"after it", 12 * time.Second, true, false}, {"of a stand-in, which says what it uses", 5 * time.Second, false, false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			view := history.NewView()
			view.Apply(history.Event{At: 1, Kind: history.KindEmitting, Service: "shop", Credential: Old})
			view.Apply(history.Event{At: history.Offset(10 * time.Second), Kind: history.KindStep, Step: "emit", Credential: New})
			view.Apply(history.Event{At: history.Offset(tt.at), Kind: history.KindCounts, Credential: Old, Counts: &history.Counts{
				Source: history.FromAuthority, Presenter: "shop", Validator: "db", Credential: Old, Width: history.Offset(100 * time.Millisecond), Attempts: 1, OK: 1,
			}})
			view.Apply(history.Event{At: history.Offset(14 * time.Second), Kind: history.KindAgreement, Agreement: &history.Agreement{}})
			l := Look{View: view, Now: history.Offset(14 * time.Second), Limits: plan.Limits{JudgedAt: history.FromAuthority, Speed: 1, Emitters: []plan.Emitter{{Name: "shop", OnPage: true}}}}
			if tt.attached {
				l.Limits.RuleSources = []plan.RuleSource{{Rule: "availability", From: "the load"}}
			}
			if _, refusals := l.emit(); (len(refusals) == 0) != tt.held {
				t.Errorf("got %+v, want it to hold: %v", refusals, tt.held)
			}
		})
	}
}

// TestLastSeenWithTheOldOne: an emitter of a team's own of which nothing tells what it presents
// since the emit is not said to use the old one still.
func TestLastSeenWithTheOldOne(t *testing.T) {
	t.Parallel()
	for at, want := range map[time.Duration]string{
		5 * time.Second:  "shop was last seen with k1 before the emit, and has not been seen with k2",
		12 * time.Second: "shop still uses k1",
	} {
		view := history.NewView()
		view.Apply(history.Event{At: history.Offset(10 * time.Second), Kind: history.KindStep, Step: "emit", Credential: New})
		view.Apply(history.Event{At: history.Offset(at), Kind: history.KindCounts, Credential: Old, Counts: &history.Counts{
			Source: history.FromAuthority, Presenter: "shop", Validator: "db", Credential: Old, Width: history.Offset(100 * time.Millisecond), Attempts: 1, OK: 1,
		}})
		l := Look{View: view, Now: history.Offset(14 * time.Second), Limits: plan.Limits{JudgedAt: history.FromAuthority, RuleSources: []plan.RuleSource{{Rule: "availability", From: "the load"}}}}
		if got := l.stillUses("shop"); got != want {
			t.Errorf("seen at %s: got %q, want %q", at, got, want)
		}
	}
}
