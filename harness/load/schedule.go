package load

import (
	"math"
	"sync"
	"time"
)

// schedule is when a client's requests are due: at a rate that may be changed while
// it sends. The first is due as soon as the rate is more than 0. It is that of the whole
// client, of whose requests this service may send a part.
type schedule struct {
	part    share
	begun   time.Time
	stopped chan struct{} // closed when no more is due

	mu      sync.Mutex
	rate    float64       // a second, since
	since   time.Duration // after it began
	due     float64       // until since
	changed chan struct{} // closed, and made anew, when the rate is changed
	ended   time.Duration // after it began; 0: it goes on
}

func newSchedule(part share, rate float64) *schedule {
	return &schedule{part: part, begun: time.Now(), stopped: make(chan struct{}), rate: rate, changed: make(chan struct{})}
}

// set changes the rate from now on.
func (s *schedule) set(rate float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	elapsed := time.Since(s.begun)
	s.due, s.since, s.rate = s.until(elapsed), elapsed, rate
	close(s.changed)
	s.changed = make(chan struct{})
}

// until is how many requests of the whole client are due until a moment, the first one
// apart; s.mu is held.
func (s *schedule) until(elapsed time.Duration) float64 {
	return s.due + s.rate*(elapsed-s.since).Seconds()
}

// end says that no more is due from now on. It is safe to repeat.
func (s *schedule) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == 0 {
		s.ended = max(1, time.Since(s.begun))
		close(s.stopped)
	}
}

// elapsed is for how long requests were due.
func (s *schedule) elapsed() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running()
}

func (s *schedule) running() time.Duration {
	if s.ended > 0 {
		return s.ended
	}
	return time.Since(s.begun)
}

// count is how many requests of this service were due so far, and its rate now.
func (s *schedule) count() (due int64, rate float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == 0 && s.rate == 0 {
		return 0, 0
	}
	return s.part.upTo(int64(s.until(s.running())) + 1), s.rate * s.part.fraction()
}

// await waits until another request is due after so many, and reports whether none
// will be.
func (s *schedule) await(hits uint64) (ended bool) {
	for {
		wait, changed := s.next(hits)
		if wait <= 0 {
			select {
			case <-s.stopped:
				return true
			default:
				return false
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			return false
		case <-changed:
			timer.Stop()
		case <-s.stopped:
			timer.Stop()
			return true
		}
	}
}

// next is how long it is until another request is due: for good where the rate is 0.
func (s *schedule) next(hits uint64) (wait time.Duration, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rate == 0 {
		return math.MaxInt64, s.changed
	}
	at := s.since + time.Duration((float64(s.part.number(int64(hits)))-s.due)/s.rate*float64(time.Second))
	return at - time.Since(s.begun), s.changed
}
