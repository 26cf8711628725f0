package load

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestPace holds what is due against what was begun, where requests are begun at
// another rate than that at which they are due.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name    string
		rate    float64 // due
		begins  float64 // a second; from stands on, nothing
		stands  time.Duration
		goesOn  time.Duration // catches up from then on; 0: never
		want    int           // stretches
		due     int64         // in all of them, at least
		sent    int64         // in all of them, at most
		behind  int64         // at the end, at least
		decides bool          // answers come
		full    bool
	}{
		{"held", 100, 100, 0, 0, 0, 0, 0, 0, true, false},
		{"half", 100, 50, 0, 0, 3, 2800, 1510, 1400, true, false},
		{"stands and catches up", 100, 100, 10 * time.Second, 17 * time.Second, 1, 600, 110, 0, true, false},
		{"a few", 2, 2, 10 * time.Second, 11 * time.Second, 0, 0, 0, 0, true, false},
		{"nobody answers", 100, 50, 0, 0, 3, 2800, 1510, 1400, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := ClientConfig{Name: "web", To: "checkout", URL: "http://checkout.test", Rate: tt.rate}
				config.fill()
				c := &client{config: &config, attack: &attack{pace: newPace(&config)}}
				pace := c.attack.pace
				if !tt.decides {
					pace.workers = 40
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				var sending sync.WaitGroup
				sending.Go(func() {
					for at := time.Duration(0); ctx.Err() == nil; at += 100 * time.Millisecond {
						if stands := tt.stands > 0 && at >= tt.stands && (tt.goesOn == 0 || at < tt.goesOn); !stands {
							pace.begun.Store(int64(at.Seconds()*tt.begins) + 1)
						}
						if tt.decides {
							pace.decided.Store(pace.begun.Load())
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
				var s strains
				s.watch(ctx, newClock(), []*client{c})
				pace.schedule.end()
				sending.Wait()
				strained, behind := s.take()
				if len(strained) > 0 {
					t.Errorf("strains: got %+v, want none", strained)
				}
				var due, sent int64
				full := false
				for i, b := range behind {
					due, sent, full = due+b.Due, sent+b.Sent, full || b.Full
					if b.Until <= b.From || i > 0 && b.From < behind[i-1].Until {
						t.Errorf("stretch %d: got %+v after %+v, want them in order", i, b, behind[max(0, i-1)])
					}
				}
				if len(behind) != tt.want || due < tt.due || sent > tt.sent || full != tt.full {
					t.Errorf("got %+v, want %d with at least %d due and at most %d sent, full %t", behind, tt.want, tt.due, tt.sent, tt.full)
				}
				if due, begun := pace.counts(); due-begun < tt.behind || tt.behind == 0 && due-begun > 10 {
					t.Errorf("at the end %d were due and %d begun, want %d not", due, begun, tt.behind)
				}
			})
		})
	}
}

func TestStrainEvents(t *testing.T) {
	began := time.UnixMicro(1_000_000)
	offset := func(at time.Time) history.Offset { return history.Offset(at.Sub(began)) }
	e := Strain{From: 2_000_000, Until: 9_000_000, Longest: 6_900_000, Lost: 6_950_000}.Event(offset)
	if m := e.Machine; e.At != history.Offset(8*time.Second) || m.From != history.Offset(time.Second) || m.What != history.MachineStrained ||
		m.Who != history.TheLoad || m.Longest != history.Offset(6900*time.Millisecond) || m.Lost != history.Offset(6950*time.Millisecond) {
		t.Errorf("strain: got %+v %+v", e, m)
	}
	e = Behind{Client: "web", From: 2_000_000, Until: 9_000_000, Due: 700, Sent: 100, Full: true}.Event(offset)
	if m := e.Machine; e.At != history.Offset(8*time.Second) || m.What != history.MachineBehind || m.Who != "web" || m.Due != 700 || m.Sent != 100 || !m.Full {
		t.Errorf("behind: got %+v %+v", e, m)
	}
}
