package harness

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/load"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// loaded is a load service of which calls fail.
type loaded struct{ streaming, stopping error }

func (loaded) Start(context.Context) error { return nil }

func (l loaded) Stream(context.Context, func(load.Batch) error) error { return l.streaming }

func (loaded) SetRate(context.Context, string, float64) error { return nil }

func (l loaded) Stop(context.Context) (history.Totals, error) {
	return history.Totals{Sent: 7}, l.stopping
}

// TestTrafficTellsTroubleOnce: whoever counts what went wrong counts each once.
func TestTrafficTellsTroubleOnce(t *testing.T) {
	boom := errors.New("boom")
	for _, tt := range []struct {
		name   string
		client loaded
		want   int // troubles
	}{
		{"all is well", loaded{}, 0},
		{"the stream broke", loaded{streaming: boom}, 1},
		{"load did not stop", loaded{stopping: boom}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &run{plan: plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)}
			r.recorder = history.NewRecorder(time.Now(), nil)
			r.names = logs.NewNames(r.plan)
			r.evidence = recording{recorder: r.recorder, names: r.names, probes: &probes{}}
			r.logs = logs.New(t.TempDir(), r.plan, r.names, r.recorder)
			traffic := &traffic{run: r, client: tt.client, streamed: make(chan bool, 1)}
			if err := traffic.start(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent := traffic.stop(t.Context())
			if known := tt.want == 0; known != (sent != nil) || known && sent.Sent != 7 {
				t.Errorf("sent: got %+v", sent)
			}
			if err := traffic.end(t.Context()); err != nil {
				t.Fatal(err)
			}
			h, err := r.recorder.Close(time.Second)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, e := range h.Events {
				if e.Kind == history.KindTrouble {
					n++
				}
			}
			if n != tt.want {
				t.Errorf("got %d troubles, want %d", n, tt.want)
			}
		})
	}
}
