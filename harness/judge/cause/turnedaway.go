package cause

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// keySet is what a key set is called where it is read.
const keySet = "jwks"

// turnedAway matches where a validator went to fetch a new key when it met it,
// as others did at that time: too many for where the keys are.
func turnedAway(c *Cell) (Explanation, bool) {
	v := c.Validator
	n, by := c.TurnedAway(v.Name, c.Accepted, c.Last)
	if !c.isFresh() || n == 0 || !v.OnMiss {
		return Explanation{}, false
	}
	all := 0
	for _, other := range c.Limits.Validators {
		if turned, at := c.TurnedAway(other.Name, c.Accepted, c.Last); turned > 0 && at == by {
			all++
		}
	}
	return Explanation{
		Cause: judge.CauseTurnedAway, Consumer: by,
		Why: fmt.Sprintf("%s went to fetch it when it met it, and %s answered 429 to %d of its requests, as to those of %d validators in all after %s was accepted", v.Name, by, n, all, c.Fresh),
		Fix: fmt.Sprintf("let %s answer as many at once as there are replicas, and emit only when each has taken a canary of %s", by, c.Fresh),
	}, true
}

// TurnedAway counts how often somebody was answered 429 (RFC 6585 §4) for the
// key set in a stretch of time, and by whom.
func (e *Case) TurnedAway(reader string, from, to history.Offset) (n int64, by string) {
	for _, event := range e.Events {
		if event.Kind == history.KindRead && event.What == keySet && event.Reader == reader &&
			event.Detail == strconv.Itoa(http.StatusTooManyRequests) && event.At >= from && event.At <= to {
			n, by = n+1, event.Service
		}
	}
	return n, by
}
