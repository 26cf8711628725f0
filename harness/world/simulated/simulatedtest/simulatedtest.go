// Package simulatedtest rehearses plans in the simulated world, for tests.
package simulatedtest

import (
	"context"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/simulation"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// Rehearse runs a plan to its end. A rotation that could not be run is an error of
// the test.
func Rehearse(t *testing.T, p *plan.Plan, o simulated.Options) simulation.Rotation {
	t.Helper()
	r := RehearseIn(t, p, o, func(*world.World, context.CancelFunc) {})
	if r.Err != nil {
		t.Errorf("run: %v", r.Err)
	}
	return r
}

// RehearseIn is Rehearse in a world that is changed before anything begins, with what
// cancels the rotation's context. How it ended, and its error, are the caller's to judge.
func RehearseIn(t *testing.T, p *plan.Plan, o simulated.Options, change func(*world.World, context.CancelFunc)) simulation.Rotation {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := simulation.Rehearse(ctx, p, o, func(w *world.World) { change(w, cancel) })
	if err != nil {
		t.Fatalf("rehearse: %v", err)
	}
	return r
}
