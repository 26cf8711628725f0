package harness

import (
	"context"
	"errors"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// BuildImages builds the images that services of plans are built of, one after
// the other, where services run in containers. Building takes a machine for
// itself: what is timed beside it says little. An image that cannot be built is
// left to the rehearsal that needs it, which says so; where no engine answers,
// nothing is done.
func BuildImages(ctx context.Context, plans []*plan.Plan, o Options) {
	o = o.withDefaults()
	if o.Runtime == Process {
		return
	}
	var builds []world.Build
	for _, p := range plans {
		for _, s := range p.Services {
			if s.Build == nil {
				continue
			}
			// A folder that is not there is for the rehearsal to tell.
			if b, err := buildOf(p, s); err == nil {
				builds = append(builds, *b)
			}
		}
	}
	if len(builds) == 0 {
		return
	}
	if err := docker.BuildImages(ctx, builds, o.Progress); err != nil && !errors.Is(err, docker.ErrNoEngine) {
		o.Progress(err.Error())
	}
}
