package main

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// mostReplayed is how long a run that is over is shown again, at most.
const mostReplayed = time.Minute

// replay shows a history again as it went on, as many times faster as that takes to fit.
type replay struct {
	at atomic.Int64 // the offset that is shown
}

func newReplay() *replay { return &replay{} }

// epoch is when a run that is shown again began, by its own clock.
var epoch = time.Unix(0, 0)

// now is the time of what is shown.
func (r *replay) now() time.Time { return epoch.Add(time.Duration(r.at.Load())) }

// due is an event and when it is shown.
type due struct {
	at history.Offset
	e  history.Event
}

// replayed are the events of a history when a person would have seen them: counts when their time is over, and
// those of a long time part by part.
func replayed(h *history.History) []due {
	all := make([]due, 0, len(h.Events))
	var last history.Offset
	for _, e := range h.Events {
		if e.Kind != history.KindCounts {
			last = max(last, e.At)
			all = append(all, due{last, e})
			continue
		}
		for at, counts := range e.Counts.Slices(e.At) {
			part := e
			part.At, part.Counts = at, counts
			all = append(all, due{at + counts.Width, part})
		}
	}
	slices.SortStableFunc(all, func(a, b due) int { return cmp.Compare(a.at, b.at) })
	return all
}

// replayTick is how often what is shown goes on.
const replayTick = 50 * time.Millisecond

// play tells a listener of a history, until its end, or until ctx or left ends.
func (r *replay) play(ctx context.Context, h *history.History, to history.Listener, left <-chan struct{}) {
	all := replayed(h)
	if len(all) == 0 {
		return
	}
	end := all[len(all)-1].at
	faster := max(1, float64(end)/float64(mostReplayed))
	began := time.Now()
	tick := time.NewTicker(replayTick)
	defer tick.Stop()
	for len(all) > 0 {
		now := min(end, history.Offset(float64(time.Since(began))*faster))
		r.at.Store(int64(now))
		for len(all) > 0 && all[0].at <= now {
			to.Event(all[0].e)
			all = all[1:]
		}
		select {
		case <-ctx.Done():
			return
		case <-left:
			return
		case <-tick.C:
		}
	}
}
