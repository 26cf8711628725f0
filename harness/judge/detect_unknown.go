package judge

import "fmt"

// unknown tells of a refusal that no detector explains what is known of it, and
// where to look further.
func (c *cell) unknown() explanation {
	if !c.isFresh() {
		return explanation{
			cause: CauseUnknown,
			why:   fmt.Sprintf("%s refused %s before it was revoked", c.validator.Name, c.old),
			fix:   c.lookIntoTheLog(),
		}
	}
	told := explanation{
		cause: CauseUnknown,
		why:   fmt.Sprintf("it was refused although %s had learned it %s after it was accepted", c.validator.Name, c.page(c.learnedAt-c.accepted)),
		fix:   c.lookIntoTheLog(),
	}
	if c.validator.Authority {
		told.why = fmt.Sprintf("%s has %s, and does not know what %s presents as it", c.validator.Name, c.fresh, c.presenter)
	}
	if c.validator.Authority || c.validator.Reads { // both sides hold a value, which may be another one
		told.fix += fmt.Sprintf("; hold what %s has as %s against what %s has, by fingerprint, before emitting", c.validator.Name, c.fresh, c.presenter)
	}
	return told
}
