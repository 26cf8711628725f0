package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestRoom lets one begin at once, and the next when the machine has room or nothing
// runs any more.
func TestRoom(t *testing.T) {
	for _, tt := range []struct {
		name    string
		pressed func(since time.Duration) float64
		leaves  time.Duration // the first one
		want    time.Duration // when the second begins
	}{
		{"room from the start, and the first settles in", func(time.Duration) float64 { return 0.2 }, time.Hour, settling},
		{"room after a while", func(since time.Duration) float64 {
			if since < 20*time.Second {
				return 0.9
			}
			return 0.2
		}, time.Hour, 20 * time.Second},
		{"no room until the first has ended", func(time.Duration) float64 { return 0.9 }, time.Minute, time.Minute},
		{"a kernel that tells nothing", func(time.Duration) float64 { return 0 }, time.Hour, settling},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				r := &admission{pressed: func() float64 { return tt.pressed(time.Since(began)) }}
				r.enter(t.Context())
				if took := time.Since(began); took != 0 {
					t.Errorf("the first began after %s, want at once", took)
				}
				time.AfterFunc(tt.leaves, r.leave)
				r.enter(t.Context())
				if took := time.Since(began); took < tt.want || took > tt.want+roomLook {
					t.Errorf("the second began after %s, want %s", took, tt.want)
				}
			})
		})
	}
}

// TestRoomIsLeftWithTheContext does not keep whoever was interrupted.
func TestRoomIsLeftWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		r := &admission{pressed: func() float64 { return 1 }}
		r.enter(ctx)
		r.enter(ctx)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("returned after %s, want 10s, with the context", took)
		}
	})
}
