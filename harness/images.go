package harness

import (
	"context"
	"errors"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// BuildImages builds the images that services of plans are built of, one after
// the other, where services run in containers. Building takes a machine for
// itself: what is timed beside it says little. An image that cannot be built is
// left to the rehearsal that needs it, which says so; where no engine answers,
// nothing is done.
func BuildImages(ctx context.Context, plans []*plan.Plan, o Options) {
	o = o.withDefaults()
	var builds []world.Build
	for _, p := range plans {
		for _, s := range p.Services {
			if s.Build == nil {
				continue
			}
			// A folder that is not there is for the rehearsal to tell.
			if b, err := buildOf(p, s.Name, *s.Build); err == nil {
				builds = append(builds, *b)
			}
		}
	}
	if len(builds) == 0 {
		return
	}
	for _, k := range runtime.Kinds() {
		if k.Build == nil || o.Runtime != k.Name && !(o.Runtime == Auto && k.Auto) {
			continue
		}
		if err := k.Build(ctx, builds, o.Progress); err != nil && !errors.Is(err, launch.ErrUnavailable) {
			o.Progress(err.Error())
		}
	}
}
