package fault

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// restart ends a service and starts it again, at once or after a time: what it had in memory, such as a
// cached key set, is lost.
var restart = Kind{
	Name:       "restart",
	Does:       "ends a service and starts it again, at once or after `for`: what it kept in memory is gone",
	Where:      "on: a service",
	Evidence:   "its address refuses connections until it is back",
	Unprepared: true,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		killer, err := able[world.Killer](s.Runtime, "kill")
		if err != nil {
			return nil, err
		}
		restarter, err := able[world.Restarter](s.Runtime, "restart")
		if err != nil {
			return nil, err
		}
		return restarted{killed{answering{s, f.On}, killer, restarter}}, nil
	},
}

type restarted struct{ killed }

// Ends is InTime: it is always started again.
func (restarted) Ends(time.Duration) Ending { return InTime }
