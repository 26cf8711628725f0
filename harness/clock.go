package harness

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// lookAtClock is how often the wall clock is compared with the monotonic one.
	lookAtClock = 250 * time.Millisecond
	// leastSet is the least difference that counts as a clock that was set. One that is slewed (NTP, at
	// most 500 ppm) moves by 0.1 ms between two looks; services compare times such as iat and exp in
	// whole seconds.
	leastSet = 500 * time.Millisecond
)

// clockReader reads the wall clock, and the time since some moment by a monotonic clock.
type clockReader func() (wall time.Time, passed time.Duration)

// newClockReader reads the clocks of this machine.
func newClockReader() clockReader {
	began := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0), now.Sub(began)
	}
}

// watchClock records when the machine's wall clock is set, as after a suspend: tokens are then expired,
// or not yet valid, for a reason that is not the rotation's.
func (r *run) watchClock(tell clockReader) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		wall, passed := tell()
		for (world.WallClock{}).Sleep(ctx, lookAtClock) == nil {
			nowWall, nowPassed := tell()
			if ahead := nowWall.Sub(wall) - (nowPassed - passed); ahead.Abs() >= leastSet {
				r.evidence.Record(clockSet(r.evidence.Offset(), ahead))
			}
			wall, passed = nowWall, nowPassed
		}
	})
	r.cleanUp("stop watching the clock", func(context.Context) error {
		cancel()
		watching.Wait()
		return nil
	})
}

// clockSet is the event of a clock that was set ahead, or back by a negative time.
func clockSet(at history.Offset, ahead time.Duration) history.Event {
	where := "ahead"
	if ahead < 0 {
		where = "back"
	}
	return history.Event{
		At: at, Kind: history.KindClockSet, Count: ahead.Milliseconds(),
		Detail: fmt.Sprintf("the machine's clock was set %s %s", ahead.Abs().Round(time.Millisecond), where),
	}
}
