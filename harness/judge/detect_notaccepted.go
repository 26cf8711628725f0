package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// rotatorName is a rotator of the team's own, as the party to look at.
const rotatorName = "rotator"

// notAccepted matches where a rotator of the team's own had the new credential in use
// that was accepted later, or never: whoever refused it had nothing to learn.
func notAccepted(c *cell) (explanation, bool) {
	emitted, was := c.done(string(keyring.Emit), c.fresh)
	accepted, done := c.done(string(keyring.Accept), c.fresh)
	if !c.limits.Rotator() || !was || !c.isFresh() || done && (accepted <= emitted || c.first > accepted) {
		return explanation{}, false
	}
	told := explanation{
		cause: CauseNotAccepted, consumer: rotatorName,
		why: fmt.Sprintf("the rotator had %s in use, and it was never seen to be accepted: what is in use is not what %s was given", c.fresh, c.validator.Name),
		fix: fmt.Sprintf("have the rotator show %s to %s before it has it in use, and fail where it is refused", c.fresh, c.validator.Name),
	}
	if done {
		told.why = fmt.Sprintf("the rotator had %s in use %s before it was accepted", c.fresh, c.page(accepted-emitted))
		told.fix = "have the rotator accept first: " + told.fix
	}
	return told, true
}

// notAcceptedProbe is notAccepted where it was the harness itself that showed it.
func notAcceptedProbe(c *cell) (explanation, bool) {
	told, matches := notAccepted(c)
	told.why = ": " + told.why
	return told, matches
}
