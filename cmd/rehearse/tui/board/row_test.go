package board

import (
	"fmt"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func rowOf(t *testing.T, s *State, presenter string) *Row {
	t.Helper()
	for _, r := range s.Rows() {
		if r.Presenter == presenter {
			return r
		}
	}
	t.Fatalf("no row of %s", presenter)
	return nil
}

func TestRows(t *testing.T) {
	failing().Look(func(s *State) {
		if got := s.Rows()[0].Presenter; got != "app" {
			t.Errorf("first row: got %s, want app, which is refused", got)
		}
		app, web := rowOf(t, s, "app"), rowOf(t, s, "web")
		now := s.RowNow(app)
		// The last 3 s: 20 attempts with k1 before, and 20 in the last second.
		wantText(t, "app now", fmt.Sprintf("%d of %d, %.1f/s, p99 %s, k1 %d, k2 %d, refused of k2 %d", now.AuthFailures, now.Attempts, now.Rate, now.P99,
			now.Shares["k1"], now.Shares["k2"], now.Failed["k2"]), "10 of 41, 13.7/s, p99 4ms, k1 31, k2 10, refused of k2 10")
		wantText(t, "app in all", fmt.Sprintf("%d of %d, %d × 401, first %s in %s, last %s", app.AuthFailures, app.Attempts, app.Statuses["401"],
			app.First.Wall(), app.InPhase, app.Last.Wall()), "10 of 130, 10 × 401, first 11.01s in overlap, last 11.99s")
		if web.AuthFailures != 0 || web.First != 0 || s.Budget(web) != 0 {
			t.Errorf("web: got %+v, want nothing refused", web.Slot)
		}
		// The run is planned to last 43.25 s: some 470 attempts, at the rate so far.
		if got := s.Budget(app); got < 21 || got > 22 {
			t.Errorf("budget of app: got %.2f, want 10 refused of the 0.47 that the run allows", got)
		}
		if s.Consumer(app) != "search" {
			t.Errorf("consumer of app: got %s, want search, which checks", s.Consumer(app))
		}
	})
}

// TestCountsBeginWithTheBaseline holds a run before its baseline, which is
// refused there: the judge does not look at that.
func TestCountsBeginWithTheBaseline(t *testing.T) {
	d := newDesk(limits).load(0, "app", "search", "k1", 2, 1)
	d.Look(func(s *State) {
		if r := rowOf(t, s, "app"); r.Attempts != 20 || r.AuthFailures != 10 {
			t.Errorf("before the baseline: got %+v, want 10 of 20 refused", r.Slot)
		}
	})
	d.tell(phase(1, history.Baseline)).load(at(1), "app", "search", "k1", 1, 0)
	d.Look(func(s *State) {
		if r := rowOf(t, s, "app"); r.Slot != (Slot{Attempts: 10}) || r.Statuses["401"] != 0 || r.Used["k1"].Attempts != 10 || r.First != 0 {
			t.Errorf("since the baseline: got %+v and %v, want 0 of 10 refused", r.Slot, r.Statuses)
		}
	})
}

// TestMemoryOfARow counts for an hour: what is kept does not grow.
func TestMemoryOfARow(t *testing.T) {
	d := newDesk(limits).tell(phase(0, history.Baseline))
	for s := range 3600 {
		d.load(at(float64(s)), "app", "search", "k1", 1, 0)
	}
	d.Look(func(s *State) {
		r := rowOf(t, s, "app")
		if r.Attempts != 36000 {
			t.Errorf("attempts: got %d, want 36000", r.Attempts)
		}
		if n := len(r.buckets); n > 300 {
			t.Errorf("buckets: got %d, want those of the last seconds", n)
		}
		if n := len(r.Series.slots); n > slots {
			t.Errorf("slots: got %d, want at most %d", n, slots)
		}
	})
}

// TestRowsOfAnAuthority puts the judged rows first, and looks at who presents.
func TestRowsOfAnAuthority(t *testing.T) {
	l := limits
	l.JudgedAt = history.FromAuthority
	d := newDesk(l).load(0, "web", "checkout", "", 1, 0)
	d.tell(history.Event{At: at(1), Kind: history.KindCounts, Counts: &history.Counts{
		Source: history.FromAuthority, Presenter: "checkout", Validator: "payments", Credential: "k1", Attempts: 3, OK: 3}})
	d.Look(func(s *State) {
		r := s.Rows()[0]
		if r.Validator != "payments" || !s.Judged(r) || s.Consumer(r) != "checkout" {
			t.Errorf("first row: got %+v judged %t, look at %s; want that of payments, look at checkout", r.Pair, s.Judged(r), s.Consumer(r))
		}
	})
}

func TestPercentile(t *testing.T) {
	for _, tt := range []struct {
		pairs [][2]int64
		want  time.Duration
	}{
		{nil, 0},
		{[][2]int64{{1000, 1}}, time.Millisecond},
		{[][2]int64{{9000, 1}, {1000, 99}}, time.Millisecond},
		{[][2]int64{{9000, 2}, {1000, 98}}, 9 * time.Millisecond},
	} {
		if got := percentile(tt.pairs, 0.99); got != tt.want {
			t.Errorf("of %v: got %s, want %s", tt.pairs, got, tt.want)
		}
	}
}

// TestASpentBudgetStaysSpent has an outage and then an hour in which all goes well:
// what was spent is spent. One refusal early in a run is no more than it is of the
// whole of it.
func TestASpentBudgetStaysSpent(t *testing.T) {
	d := failing()
	spent := look(d, func(s *State) float64 { return s.Budget(rowOf(t, s, "app")) })
	if spent <= 1 {
		t.Fatalf("after the outage: got %.2f, want all of it spent", spent)
	}
	for s := range 600 {
		d.load(at(12+float64(s)), "app", "search", "k2", 1, 0)
	}
	d.Look(func(s *State) {
		if got := s.Budget(rowOf(t, s, "app")); got < spent {
			t.Errorf("later: got %.2f, want no less than %.2f", got, spent)
		}
	})
	lenient := limits
	lenient.Objective = 0.99
	early := newDesk(lenient).tell(phase(0, history.Baseline)).load(0, "app", "search", "k1", 10, 0)
	early.tell(history.Event{At: at(1), Kind: history.KindCounts, Counts: &history.Counts{
		Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1", Width: at(0.1), Attempts: 1, AuthFailures: 1}})
	if got := look(early, func(s *State) float64 { return s.Budget(rowOf(t, s, "app")) }); got <= 0 || got > 0.2 {
		t.Errorf("one refusal of a run of some 1400 attempts: got %.2f of the budget, want some and less than 0.2", got)
	}
}
