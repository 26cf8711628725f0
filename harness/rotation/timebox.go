package rotation

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// handsOn adds what people and the harness's own calls took since a moment: the
// timebox is about that, and the waits of the page are apart from it. It counts
// from the accept on, before which there is nothing to be late with.
func (r *rotation) handsOn(since time.Time) {
	if r.made {
		r.hands += r.world.Clock.Now().Sub(since)
	}
}

// timebox decides where hands were on for longer than the page allows. Of a
// wait for a person that is under way it counts what is over: since is its
// beginning, zero where nobody is waited for.
func (r *rotation) timebox(since time.Time) error {
	box, hands := r.plan.Times.Timebox, r.hands
	if !since.IsZero() && r.made {
		hands += r.world.Clock.Now().Sub(since)
	}
	if box <= 0 || hands <= box {
		return nil
	}
	over := r.world.History.Offset() - history.Offset(hands-box)
	return r.overLimit(history.TriggerTimebox, over, fmt.Sprintf("hands were on for %s, and the timebox is %s", plan.Text(hands), plan.Text(box)))
}
