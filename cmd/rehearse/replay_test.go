package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// watcher keeps what it is told, and when.
type watcher struct {
	r      *replay
	events []history.Event
	at     []time.Time
	ahead  bool // something came before its time
}

func (w *watcher) Event(e history.Event) {
	w.events, w.at = append(w.events, e), append(w.at, time.Now())
	w.ahead = w.ahead || epoch.Add(e.At.Duration()).After(w.r.now())
}

func (w *watcher) Dropped(int64) {}

// day is a history of a day with an hour of requests in one bucket.
func day() *history.History {
	counts := history.Counts{Source: history.FromLoad, Presenter: "web", Validator: "search", Credential: "k1",
		Width: history.Offset(time.Hour), Attempts: 7200, OK: 7200, Statuses: map[string]int64{"200": 7200}, Latency: [][2]int64{{1000, 7200}}}
	return &history.History{Events: []history.Event{
		{Kind: history.KindPhase, Phase: history.Baseline},
		{At: history.Offset(time.Hour), Kind: history.KindPhase, Phase: history.Accept},
		{Kind: history.KindCounts, Counts: &counts}, // recorded when it was over
		{At: history.Offset(24 * time.Hour), Kind: history.KindEnd, Detail: history.EndedComplete},
	}}
}

// TestReplay shows a day within a minute, each event in its time, and the requests of an hour as they were made.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplay()
		w := &watcher{r: r}
		began := time.Now()
		r.play(t.Context(), day(), w, nil)
		if took := time.Since(began); took < mostReplayed-time.Second || took > mostReplayed+time.Second {
			t.Errorf("took %s, want %s", took, mostReplayed)
		}
		var attempts int64
		parts := 0
		for i, e := range w.events {
			if e.Kind == history.KindCounts {
				attempts += e.Counts.Attempts
				parts++
				want := time.Duration(float64(e.At+e.Counts.Width) / float64(24*time.Hour) * float64(mostReplayed))
				if got := w.at[i].Sub(began); got < want-time.Millisecond || got > want+2*replayTick {
					t.Errorf("requests until %s came after %s, want %s", (e.At + e.Counts.Width).Duration(), got, want)
				}
			}
		}
		if attempts != 7200 || parts < 10 {
			t.Errorf("got %d requests in %d parts, want 7200 in many", attempts, parts)
		}
		if last := w.events[len(w.events)-1]; w.ahead || last.Kind != history.KindEnd {
			t.Errorf("ahead of time: %t, last %s; want each in its time, and the end last", w.ahead, last.Kind)
		}
	})
}

// TestReplayEndsWhenItIsLeft shows no more when nobody looks.
func TestReplayEndsWhenItIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, left := newReplay(), make(chan struct{})
		time.AfterFunc(5*time.Second, func() { close(left) })
		began := time.Now()
		r.play(t.Context(), day(), &watcher{r: r}, left)
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("ended after %s, want when it was left, after 5s", took)
		}
	})
}
