package board

import (
	"fmt"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// limits are those of a page whose lead is too short for search.
var limits = plan.Limits{
	Family: "jwt-signing-key", Speed: 60, JudgedAt: history.FromLoad, Objective: 0.999, BudgetOver: 0.01, BudgetFor: 10 * time.Second, Gates: "observe",
	Lead: 5 * time.Minute, Propagation: 30 * time.Second, Window: 12 * time.Minute, Watch: 20 * time.Minute, LongestLife: 10 * time.Minute,
	Validators: []plan.Validator{
		{Name: "checkout", OnPage: true, Forgets: 15 * time.Minute, From: "auth", OnMiss: true, Library: "keyfunc"},
		{Name: "search", OnPage: true, Learns: 15 * time.Minute, Forgets: 15 * time.Minute, From: "auth", Library: "jwx"},
	},
	Emitters: []plan.Emitter{{Name: "auth", OnPage: true, Refresh: 45 * time.Second}},
	Clients:  []plan.Client{{Name: "web", To: "checkout", Rate: 20}, {Name: "app", To: "search", Rate: 10}},
}

// at is an offset in seconds.
func at(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }

// desk is a board whose clock is that of the events.
type desk struct {
	*Board
	began time.Time
	clock time.Time
}

func newDesk(l plan.Limits) *desk {
	began := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	d := &desk{began: began, clock: began}
	d.Board = New(Run{Name: "jwt-signing-key/stale-cache", Limits: l, Baseline: 5 * time.Minute, OnPage: []string{"auth", "checkout", "search"}}, func() time.Time { return d.clock })
	return d
}

// tell plays events, each at its time.
func (d *desk) tell(events ...history.Event) *desk {
	for _, e := range events {
		d.clock = d.began.Add(e.At.Duration())
		d.Event(e)
	}
	return d
}

// load plays a second of load of a client from an offset, in tenths.
func (d *desk) load(from history.Offset, presenter, validator, credential string, attempts, refused int64) *desk {
	for i := range 10 {
		c := &history.Counts{
			Source: history.FromLoad, Presenter: presenter, Validator: validator, Credential: credential, Width: at(0.1),
			Attempts: attempts, OK: attempts - refused, AuthFailures: refused, Latency: [][2]int64{{900, attempts - 1}, {4000, 1}},
			Statuses: map[string]int64{"200": attempts - refused},
		}
		start := from + history.Offset(i)*at(0.1)
		if refused > 0 {
			c.FirstFailure, c.LastFailure = start+at(0.01), start+at(0.09)
			c.Statuses["401"] = refused
		}
		d.tell(history.Event{At: start, Kind: history.KindCounts, Counts: c})
	}
	return d
}

// look is what a board shows, with f's words for it.
func look[T any](d *desk, f func(*State) T) (shown T) {
	d.Look(func(s *State) { shown = f(s) })
	return shown
}

func phase(seconds float64, p history.Phase) history.Event {
	return history.Event{At: at(seconds), Kind: history.KindPhase, Phase: p}
}

// started is a run up to the end of its baseline, in which all goes well.
func started() *desk {
	d := newDesk(limits).tell(
		history.Event{Kind: history.KindPlan},
		history.Event{Kind: history.KindCredential, Credential: "k1", Identifier: "kid-1"},
		history.Event{Kind: history.KindLearned, Service: "search", Credential: "k1"},
		history.Event{Kind: history.KindLearned, Service: "checkout", Credential: "k1"},
		history.Event{Kind: history.KindEmitting, Service: "auth", Credential: "k1"},
		phase(0, history.Baseline),
	)
	for s := range 5 {
		d.load(at(float64(s)), "web", "checkout", "k1", 2, 0).load(at(float64(s)), "app", "search", "k1", 1, 0)
	}
	return d
}

// failing is started and then, from 11 s on, search refusing app with k2.
func failing() *desk {
	d := started().tell(
		phase(5, history.Accept),
		history.Event{At: at(5), Kind: history.KindCredential, Credential: "k2", Identifier: "kid-2"},
		history.Event{At: at(5), Kind: history.KindStep, Step: "accept", Credential: "k2"},
		phase(5, history.Verify),
		history.Event{At: at(6), Kind: history.KindLearned, Service: "checkout", Credential: "k2"},
		history.Event{At: at(10), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Verify, Mode: "observe", Detail: "search has not taken k2", Consumer: "search"}},
		phase(10, history.Emit),
		history.Event{At: at(10.1), Kind: history.KindEmitting, Service: "auth", Credential: "k2"},
		history.Event{At: at(10.2), Kind: history.KindGate, Gate: &history.Gate{Phase: history.Emit, Mode: "observe", Held: true, Detail: "every emitter uses k2"}},
		phase(10.2, history.Overlap),
	)
	for s := range 6 {
		d.load(at(5+float64(s)), "web", "checkout", "k1", 2, 0).load(at(5+float64(s)), "app", "search", "k1", 1, 0)
	}
	return d.load(at(11), "web", "checkout", "k2", 2, 0).load(at(11), "app", "search", "k1", 1, 0).load(at(11), "app", "search", "k2", 1, 1)
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got  %s\nwant %s", what, got, want)
	}
}

func text(a Answer) string { return fmt.Sprintf("%d %s: %s", a.Level, a.Word, a.Text) }
