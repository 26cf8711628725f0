package world

import (
	"context"
	"sync"
	"time"
)

// WallClock is the machine's clock; under testing/synctest, the bubble's. Its parties
// are goroutines.
type WallClock struct{}

var _ Clock = WallClock{}

// Now is time.Now.
func (WallClock) Now() time.Time { return time.Now() }

// Sleep waits on a timer that ends with ctx.
func (WallClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Go starts f in a goroutine of its own.
func (WallClock) Go(f func()) (wait func()) {
	var under sync.WaitGroup
	under.Go(f)
	return under.Wait
}
