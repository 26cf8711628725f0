package harness

import (
	"context"
	"errors"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// BuildImages builds the images of the plans' services, one after the other, where services run in
// containers: a build takes the whole machine, and would spoil the times of rehearsals beside it. A
// failed build is reported by the rehearsal that needs the image. Without an engine nothing is built.
func BuildImages(ctx context.Context, plans []*plan.Plan, o Options) {
	o = o.withDefaults()
	var builds []world.Build
	for _, p := range plans {
		for _, s := range p.Services {
			if s.Build == nil {
				continue
			}
			// A missing folder is reported by the rehearsal.
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
