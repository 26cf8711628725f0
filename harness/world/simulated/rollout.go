package simulated

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// rollout is how what is published gets to a service to which it is brought: to one batch of its
// members after the other, evenly apart, the last when all of its time has passed.
//
//	published ──delay──┬────┬────┬────┬──► time
//	         batch     0    1    2    3
type rollout struct {
	delay, takes history.Offset // wall time
	batches      int            // at least 1
}

// rolloutOf is that of a service.
func (w *World) rolloutOf(s scenario.Service) rollout {
	return rollout{
		delay: history.Offset(w.limits.Wall(s.Delay.Duration())), takes: history.Offset(w.limits.Wall(s.Rollout.Duration())),
		batches: max(1, s.Batches),
	}
}

// roll does something for each batch, when its turn comes.
func (w *World) roll(r rollout, do func(batch int)) {
	for batch := range r.batches {
		after := r.delay + r.takes*history.Offset(batch+1)/history.Offset(r.batches)
		if after == 0 {
			do(batch)
			continue
		}
		w.clock.at(w.now()+after, func() { do(batch) })
	}
}
