package fault

import (
	"context"

	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// pause freezes a service like a long garbage collection or a stalled disk: connections stay open, and
// nothing answers.
var pause = Kind{
	Name:       "pause",
	Does:       "freezes a service: its connections stay open and nothing answers; until `for` is over, or the end",
	Where:      "on: a service",
	Evidence:   "its address takes connections and gives no answer",
	Unprepared: true,
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		pauser, err := able[world.Pauser](s.Runtime, "pause")
		if err != nil {
			return nil, err
		}
		return paused{answering{s, f.On}, untilEnd{}, pauser}, nil
	},
}

type paused struct {
	answering
	untilEnd
	pauser world.Pauser
}

// Inject freezes the service.
func (p paused) Inject(ctx context.Context) error { return p.pauser.Pause(ctx, p.service) }

// Undo lets it go on.
func (p paused) Undo(ctx context.Context) error { return p.pauser.Unpause(ctx, p.service) }
