package rotation

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// stopped turns back where a check of attach.stop_when holds. The system is real, so that this does not
// depend on the mode of the gates.
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
