package rotation

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// handsOn adds the time that people and the harness's own calls took since a moment. The timebox counts
// that, and not the waits of the page. It counts from the accept: before that nothing can be late.
func (r *rotation) handsOn(since time.Time) {
	if r.made {
		r.hands += r.world.Clock.Now().Sub(since)
	}
}

// timebox turns back where hands-on time exceeds the page's timebox. Of a wait for a person it counts
// what has passed since it began; a zero since means that nobody is waited for.
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
