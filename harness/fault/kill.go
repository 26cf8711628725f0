package fault

import (
	"context"
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// kill ends a service like a crash or an evicted node. After the given time it is started again;
// without one it stays ended.
var kill = Kind{
	Name:       "kill",
	Does:       "ends a service at once, without a chance to clean up; started again after `for`, where that is given",
	Where:      "on: a service",
	Evidence:   "its address refuses connections",
	Unprepared: true,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		killer, err := able[world.Killer](s.Runtime, "kill")
		if err != nil {
			return nil, err
		}
		restarter, err := able[world.Restarter](s.Runtime, "restart")
		if err != nil && f.For > 0 {
			return nil, err
		}
		return killed{answering{s, f.On}, killer, restarter}, nil
	},
}

type killed struct {
	answering
	killer    world.Killer
	restarter world.Restarter
}

// Inject ends the service at once.
func (k killed) Inject(ctx context.Context) error { return k.killer.Kill(ctx, k.service) }

// Undo starts it again.
func (k killed) Undo(ctx context.Context) error { return k.restarter.Restart(ctx, k.service) }

// Ends says that one without a time stays ended.
func (killed) Ends(lasts time.Duration) Ending {
	if lasts > 0 {
		return InTime
	}
	return Never
}
