package rotation

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// stopped turns back where somebody outside says so. They do so for what is real, and
// no mode of the gates is asked.
func (r *rotation) stopped() error {
	stopper, ok := r.world.Steps.(world.Stopper)
	if !ok {
		return nil
	}
	why, held := stopper.Stop()
	if why == "" {
		return nil
	}
	return r.decide(history.TriggerStopWhen, why, max(0, r.world.History.Offset()-history.Offset(held)))
}
