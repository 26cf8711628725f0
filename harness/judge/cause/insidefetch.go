package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// insideTheFetch matches where a validator that learns on first use refused requests while the fetch
// that the first one caused was under way.
func insideTheFetch(c *Cell) (Explanation, bool) {
	v, about := c.Validator, evidence.Nearly
	if !c.late() || !v.OnMiss || c.cooling() || c.First <= c.LearnedAt-about || c.Last >= c.LearnedAt+about {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseInsideTheFetch,
		Why:   fmt.Sprintf("%s refuses requests that come during the fetch that the first %s caused", v.Name, c.Fresh),
		Fix:   fmt.Sprintf("show one canary of %s to every replica of %s before emitting", c.Fresh, v.Name),
	}, true
}

// cooling reports whether a validator that learns on first use could not fetch then because it had just
// fetched.
func (c *Cell) cooling() bool {
	v := c.Validator
	return v.Learns > 0 && len(c.Fetches(v.Name, c.First-history.Offset(c.Limits.Wall(v.Learns)), c.First)) > 0
}
