package harness

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestClockThatIsSet(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  time.Duration
		want string // "": nothing
	}{
		{"nothing", 0, ""},
		{"slewed", 100 * time.Millisecond, ""},
		{"woken up", 21600 * time.Millisecond, "the machine's clock was set 21.6s ahead"},
		{"set back", -2 * time.Second, "the machine's clock was set 2s back"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				recorder := history.NewRecorder(began, nil)
				r := &run{evidence: recording{recorder: recorder, probes: &probes{}}}
				var mu sync.Mutex
				var off time.Duration
				r.watchClock(func() (time.Time, time.Duration) {
					mu.Lock()
					defer mu.Unlock()
					return time.Now().Add(off), time.Since(began)
				})
				time.Sleep(10*time.Second + lookAtClock/2)
				mu.Lock()
				off = tt.set
				mu.Unlock()
				time.Sleep(10 * time.Second)
				if err := r.cleanAll(t.Context()); err != nil {
					t.Fatal(err)
				}
				h, err := recorder.Close(time.Second)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case tt.want == "" && len(h.Events) > 0:
					t.Errorf("got %+v, want nothing", h.Events)
				case tt.want == "":
				case len(h.Events) != 1 || h.Events[0].Kind != history.KindClockSet || h.Events[0].Detail != tt.want || h.Events[0].Count != tt.set.Milliseconds():
					t.Errorf("got %+v, want one that says %q", h.Events, tt.want)
				case h.Events[0].At.Duration() < 10*time.Second || h.Events[0].At.Duration() > 11*time.Second:
					t.Errorf("it was set at %s, want 10s", h.Events[0].At.Wall())
				}
			})
		})
	}
}
