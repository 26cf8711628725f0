package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestMeasureRate has machines that hold so much, and what each says of itself.
func TestMeasureRate(t *testing.T) {
	sum := func(due, sent int64) history.Event {
		return history.Event{Kind: history.KindMachine, Machine: &history.Machine{What: history.MachineSum, Who: history.TheLoad, Due: due, Sent: sent}}
	}
	counts := func(ok, lost int64) history.Event {
		return history.Event{Kind: history.KindCounts, Counts: &history.Counts{Source: history.FromLoad, Attempts: ok + lost, OK: ok, Unavailable: lost}}
	}
	broken := errors.New("no port is free")
	for _, tt := range []struct {
		name  string
		holds float64
		short []history.Event // what is seen beyond that
		err   error
		want  []string
	}{
		{"holds 400", 400, []history.Event{sum(12000, 8000), counts(8000, 0)}, nil, []string{"400/s\theld", "800/s\tnot held: 8000 of 12000 requests that were due were begun", "holds 400/s in all"}},
		{"no answers", 200, []history.Event{sum(6000, 6000), counts(5000, 1000)}, nil, []string{"1000 of 6000 had no answer", "holds 200/s"}},
		{"starved", 100, []history.Event{sum(6000, 6000), counts(6000, 0), {Kind: history.KindMachine, Machine: &history.Machine{
			What: history.MachineStrained, Who: history.TheLoad, Lost: history.Offset(2e9),
		}}}, nil, []string{"the load was kept from running for 2s", "holds 100/s"}},
		{"holds nothing", 0, nil, nil, []string{"100/s\tnot held: 0 of 0", "does not hold 100/s now"}},
		{"holds more than is tried", 1e9, nil, nil, []string{"holds 51200/s"}},
		{"cannot be measured", 100, nil, broken, []string{"100/s\theld"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			err := measureRate(t.Context(), &b, func(_ context.Context, rate float64) (*harness.Result, error) {
				events := []history.Event{sum(int64(rate)*10, int64(rate)*10), counts(int64(rate)*10, 0)}
				if rate > tt.holds {
					events = tt.short
					if tt.err != nil {
						return nil, tt.err
					}
				}
				return &harness.Result{History: &history.History{Events: events}}, nil
			})
			if !errors.Is(err, tt.err) {
				t.Fatalf("error: got %v, want %v", err, tt.err)
			}
			for _, want := range tt.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("got\n%swant it to say %q", b.String(), want)
				}
			}
		})
	}
}
