package world

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSleep(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sleep time.Duration
		end   time.Duration // of the context
		took  time.Duration
		err   error
	}{
		{"to its end", time.Minute, time.Hour, time.Minute, nil},
		{"until the context ends", time.Hour, time.Minute, time.Minute, context.DeadlineExceeded},
		{"no time", 0, time.Minute, 0, nil},
		{"less than no time", -time.Minute, time.Minute, 0, nil},
		{"no time in a context that has ended", 0, -1, 0, context.DeadlineExceeded},
		{"in a context that has ended", time.Minute, -1, 0, context.DeadlineExceeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.end)
				defer cancel()
				var clock WallClock
				began := clock.Now()
				err := clock.Sleep(ctx, tt.sleep)
				if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
					t.Errorf("error: got %v, want %v", err, tt.err)
				}
				if took := clock.Now().Sub(began); took != tt.took {
					t.Errorf("slept %s, want %s", took, tt.took)
				}
			})
		})
	}
}
