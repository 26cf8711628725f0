// Package simulatedtest rehearses plans in the simulated world, for tests.
package simulatedtest

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// Rotation is one that has ended.
type Rotation struct {
	How     string // as rotation.Run says
	Err     error  // of rotation.Run
	History *history.History
}

// Rehearse runs a plan to its end in a bubble of its own. A rotation that could not
// be run is an error of the test.
func Rehearse(t *testing.T, p *plan.Plan, o simulated.Options) Rotation {
	t.Helper()
	r := RehearseIn(t, p, o, func(*world.World, context.CancelFunc) {})
	if r.Err != nil {
		t.Errorf("run: %v", r.Err)
	}
	return r
}

// RehearseIn is Rehearse in a world that is changed before anything begins, with what
// cancels the rotation's context. How it ended, and its error, are the caller's to judge.
func RehearseIn(t *testing.T, p *plan.Plan, o simulated.Options, change func(*world.World, context.CancelFunc)) (r Rotation) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := simulated.New(p, o)
		running, stop := context.WithCancel(t.Context())
		var model sync.WaitGroup
		model.Go(func() { w.Run(running) })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		seen := w.World()
		change(&seen, cancel)
		if err := rotation.Provision(ctx, seen.Steps, seen.Evidence); err != nil {
			t.Errorf("provision: %v", err)
		}
		r.How, r.Err = rotation.Run(ctx, p, seen)
		stop()
		model.Wait()
		var err error
		if r.History, err = w.Finish(); err != nil {
			t.Fatalf("finish: %v", err)
		}
	})
	return r
}
