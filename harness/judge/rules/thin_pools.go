package rules

import (
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// leastConnections replaces LeastAttempts for pools: few connections serve many requests, which are
// counted at the front, and a refused login shows in each of them.
const leastConnections = 1

// least is how many presentations of a credential to a validator are enough to tell something.
func (e *judging) least(v plan.Validator) int64 {
	if e.pooled(v) {
		return leastConnections
	}
	return evidence.LeastAttempts
}

// pooled reports whether a credential is presented to a validator with each
// connection of a pool, and not with each request.
func (e *judging) pooled(v plan.Validator) bool {
	return (v.Authority || v.Reads) && runbook.Traits[e.Limits.Family].Pools
}
