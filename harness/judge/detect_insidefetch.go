package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// insideTheFetch matches where a validator that learns when it meets a
// credential refused what came while the fetch that the first one caused was under way.
func insideTheFetch(c *cell) (explanation, bool) {
	v, about := c.validator, history.Offset(nearly)
	if !c.late() || !v.OnMiss || c.cooling() || c.first <= c.learnedAt-about || c.last >= c.learnedAt+about {
		return explanation{}, false
	}
	return explanation{
		cause: CauseInsideTheFetch,
		why:   fmt.Sprintf("%s refuses what comes while the fetch that the first %s caused is under way", v.Name, c.fresh),
		fix:   fmt.Sprintf("show one canary of %s to every replica of %s before emitting", c.fresh, v.Name),
	}, true
}

// cooling reports whether a validator that learns when it meets a credential
// could not fetch when it met it, since it had done so too shortly before.
func (c *cell) cooling() bool {
	v := c.validator
	return v.Learns > 0 && len(c.fetches(v.Name, c.first-history.Offset(c.limits.Wall(v.Learns)), c.first)) > 0
}
