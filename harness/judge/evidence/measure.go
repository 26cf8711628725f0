package evidence

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// BucketWidth is the precision with which counts tell when something became unavailable.
const BucketWidth = history.Offset(100 * time.Millisecond)

// Nearly is the wall time within which two moments count as one: logs and counts have clocks of their
// own.
const Nearly = history.Offset(time.Second)

// Margin is what a cure adds to a measured time, in page time: the cache that
// was 14m50s old this time may be a little older the next.
const Margin = 30 * time.Second

// LeastAttempts is how many attempts must have been due for their absence to mean something.
const LeastAttempts = 20

// AtLeast is a measured wall time plus the margin, as page time.
func (e *Evidence) AtLeast(wall history.Offset) string {
	return plan.Text((e.Limits.Page(wall.Duration()) + Margin).Round(time.Second))
}

// LeastBeside is how many presentations of each kind show that both go on side by side.
const LeastBeside = 2
