package machine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// ticks has a meter tick from 0 to an end, late by what a function says of each.
func ticks(until time.Duration, late func(at time.Duration) time.Duration) (found []Strain, m *Meter) {
	m = &Meter{}
	for at := time.Duration(0); at < until; at += Every + late(at) {
		if s := m.Tick(at); s != nil {
			found = append(found, *s)
		}
	}
	if s := m.End(); s != nil {
		found = append(found, *s)
	}
	return found, m
}

func TestMeter(t *testing.T) {
	once := func(moment, late time.Duration) func(time.Duration) time.Duration {
		done := false
		return func(at time.Duration) time.Duration {
			if at < moment || done {
				return 0
			}
			done = true
			return late
		}
	}
	always := func(late time.Duration) func(time.Duration) time.Duration {
		return func(time.Duration) time.Duration { return late }
	}
	for _, tt := range []struct {
		name    string
		late    func(time.Duration) time.Duration
		strains int
		from    time.Duration // of the first, at the earliest
		lost    time.Duration // in all, at least
		longest time.Duration
	}{
		{"on time", always(0), 0, 0, 0, 0},
		{"busy", always(3 * time.Millisecond), 0, 0, 0, 0},
		{"a hiccup", once(5*time.Second, 200*time.Millisecond), 0, 0, 0, 0},
		{"stalled", once(5*time.Second, 600*time.Millisecond), 1, 4 * time.Second, 600 * time.Millisecond, 600 * time.Millisecond},
		{"stopped", once(5*time.Second, 7*time.Second), 1, 4 * time.Second, 7 * time.Second, 7 * time.Second},
		{"throttled to a tenth", always(180 * time.Millisecond), 3, 0, 26 * time.Second, 180 * time.Millisecond},
		{"one of forty", always(15 * time.Millisecond), 3, 0, 12 * time.Second, 15 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, m := ticks(30*time.Second, tt.late)
			if len(found) != tt.strains {
				t.Fatalf("got %v, want %d strains", found, tt.strains)
			}
			var lost, longest time.Duration
			for i, s := range found {
				lost, longest = lost+s.Lost, max(longest, s.Longest)
				if i > 0 && s.From != found[i-1].Until {
					t.Errorf("strain %d begins at %s, want %s, where the one before ends", i, s.From, found[i-1].Until)
				}
			}
			if lost < tt.lost || longest != tt.longest {
				t.Errorf("lost %s, longest %s; want at least %s, and %s", lost, longest, tt.lost, tt.longest)
			}
			if tt.strains > 0 && (found[0].From < tt.from || found[0].From > tt.from+2*time.Second) {
				t.Errorf("it begins at %s, want within 2s of %s", found[0].From, tt.from)
			}
			if most, share := m.Sum(); most < tt.longest || share < 0 || share > 1 {
				t.Errorf("in all: longest %s, share %v; want at least %s, and one in [0, 1]", most, share, tt.longest)
			}
		})
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var stopped time.Duration // a clock that goes on while the process does not
		n := 0
		var told []Strain
		Watch(ctx, func() time.Duration { return time.Since(began) + stopped }, func(s Strain) { told = append(told, s) }, func(at time.Duration) {
			if n++; at >= 5*time.Second && stopped == 0 {
				stopped = 7 * time.Second
			}
		})
		if len(told) != 1 || told[0].Longest != 7*time.Second {
			t.Errorf("got %+v, want one of 7s", told)
		}
		if n < 490 || n > 500 {
			t.Errorf("it ticked %d times in 10s, want one every %s", n, Every)
		}
	})
}
