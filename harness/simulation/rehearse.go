// Package simulation rehearses plans in the simulated world: the rotation, gates and
// judge of a real run, in virtual time. scenarios/README.md shows it to users.
package simulation

import (
	"context"
	"fmt"

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

// Rehearse takes a plan to its end in a world of its own, which changes may change
// before anything begins. The error says that there is nothing to rotate, or no history.
func Rehearse(ctx context.Context, p *plan.Plan, o simulated.Options, changes ...func(*world.World)) (r Rotation, err error) {
	w := simulated.New(p, o)
	seen := w.World()
	for _, change := range changes {
		change(&seen)
	}
	if err := rotation.Provision(ctx, seen.Steps, seen.History); err != nil {
		return r, fmt.Errorf("provision: %w", err)
	}
	r.How, r.Err = rotation.Run(ctx, p, seen)
	r.History, err = w.Finish()
	return r, err
}
