package simulation

import (
	"context"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestInterruptedKeepsWhatWasDone interrupts many rehearsals, and a sweep, after some of them.
func TestInterruptedKeepsWhatWasDone(t *testing.T) {
	const runs, after = 200, 3
	l := loaded(t, "jwt-signing-key/stale-cache")
	p, err := plan.Build(l, plan.Options{Simulated: true, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	within := func() (context.Context, func()) {
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		return ctx, func() {
			if n++; n == after {
				cancel()
			}
		}
	}
	ctx, done := within()
	samples, err := Draw(ctx, p, runs, done)
	if err != nil || len(samples) < after || len(samples) == runs {
		t.Errorf("drawn: got %d samples, %v, want some of %d, and no error", len(samples), err, runs)
	}
	for i, s := range samples {
		if s.Seed < 7 || s.Attempts == 0 || i > 0 && s.Seed <= samples[i-1].Seed {
			t.Errorf("sample %d: got %+v, want whole ones, by their seeds from 7 on", i, s)
		}
	}
	ctx, done = within()
	s := Search{Loaded: l, From: int64(time.Minute), Steps: 5, Runs: runs, Risk: 0.05, Share: 1, Done: func(int) { done() }}
	if s.Key, err = KeyOf(l, "lead"); err != nil {
		t.Fatal(err)
	}
	c, err := Sweep(ctx, s)
	if err != nil || !c.Partial || len(c.Points) != 1 || c.Points[0].Runs < after || c.Points[0].Runs == runs {
		t.Errorf("swept: got %+v, %v, want a partial curve with what was done of its first value", c, err)
	}
}
