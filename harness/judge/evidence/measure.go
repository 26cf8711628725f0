package evidence

import (
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// BucketWidth is how exactly counts tell when something became unavailable.
const BucketWidth = history.Offset(100 * time.Millisecond)

// Nearly is wall time within which two things count as one: logs and counts
// have moments of their own.
const Nearly = history.Offset(time.Second)

// Margin is what a cure adds to a measured time, in page time: the cache that
// was 14m50s old this time may be a little older the next.
const Margin = 30 * time.Second

// StoreName is the store, as a history names it: what the other rotation wrote is there.
const StoreName = "store"

// LeastAttempts is how many attempts must have been due for their absence to say
// something.
const LeastAttempts = 20
