package cause

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// unknown tells what is known of a refusal that no detector explains, and where to look further.
func (c *Cell) unknown() Explanation {
	if !c.isFresh() {
		return Explanation{
			Cause: judge.CauseUnknown,
			Why:   fmt.Sprintf("%s refused %s before it was revoked", c.Validator.Name, c.Old),
			Fix:   c.lookIntoTheLog(),
		}
	}
	told := Explanation{
		Cause: judge.CauseUnknown,
		Why:   fmt.Sprintf("it was refused although %s had learned it %s after it was accepted", c.Validator.Name, c.Page(c.LearnedAt-c.Accepted)),
		Fix:   c.lookIntoTheLog(),
	}
	if !c.EverLearned {
		told.Why = fmt.Sprintf("%s refused it at times and took it at others, and no log says when it learned it", c.Validator.Name)
	}
	if c.EverLearned && c.neverTook() {
		told.Why = fmt.Sprintf("%s fetched it %s after it was accepted, and refused it to everybody all the same", c.Validator.Name, c.Page(c.LearnedAt-c.Accepted))
		told.Fix += fmt.Sprintf("; look for a list of keys that it is bound to (pinned kids, an allow-list), and for what its library does not take of %s and takes of %s (type, alg, use); no lead is long enough for either", c.Fresh, c.Old)
	}
	if c.Validator.Authority {
		told.Why = fmt.Sprintf("%s has %s, and does not know what %s presents as it", c.Validator.Name, c.Fresh, c.Presenter)
		if c.repliesTo(c.Fresh, c.Start, c.End).taken == 0 {
			told.Why = fmt.Sprintf("%s was never seen to take %s from anybody", c.Validator.Name, c.Fresh)
		}
	}
	if c.Validator.Authority && c.wrongPassword() {
		told.Consumer = c.Presenter
		told.Why = fmt.Sprintf("%s lets rehearse itself in with %s, and refuses what %s presents as its password", c.Validator.Name, c.Fresh, c.Presenter)
		told.Fix = fmt.Sprintf("look at what %s was given as %s", c.Presenter, c.Fresh)
	}
	if c.Validator.Authority || c.Validator.Reads { // both sides hold the value, and it may differ
		told.Fix += fmt.Sprintf("; hold what %s has as %s against what %s has, by fingerprint, before emitting", c.Validator.Name, c.Fresh, c.Presenter)
	}
	return told
}

// wrongPassword reports whether an authority refused a presenter's every new credential for its value,
// and let the harness in with the right one.
func (c *Cell) wrongPassword() bool {
	for status, n := range c.Sum.Statuses {
		if n > 0 && !refusal.WrongValue(status) {
			return false
		}
	}
	meanwhile := c.repliesTo(c.Fresh, c.First, c.End)
	return c.Sum.OK == 0 && c.repliesTo(c.Fresh, c.Start, c.End).self > 0 && !slices.Contains(meanwhile.who, itself)
}
