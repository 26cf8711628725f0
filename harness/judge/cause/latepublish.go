package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// latePublish matches where the emitter published the new credential later than
// the page says, and the lead would have been enough for what the validator took.
func latePublish(c *Cell) (Explanation, bool) {
	v := c.Validator
	own := c.LearnedAt - c.Published // what the validator itself took
	planned := history.Offset(c.Limits.Wall(c.Limits.Publishing(v)))
	if !c.late() || own+planned > c.Lead() || c.Published-c.Accepted <= planned+history.Offset(evidence.Nearly) {
		return Explanation{}, false
	}
	page := plan.Text(c.Limits.Publishing(v))
	return Explanation{
		Cause: judge.CauseLatePublish, Consumer: v.From,
		Why: fmt.Sprintf("%s published it only %s after it was accepted (the page says %s), so that %s learned it %s after the start of a lead of %s",
			v.From, c.Page(c.Published-c.Accepted), page, v.Name, c.Page(c.LearnedAt-c.Accepted), c.Page(c.Lead())),
		Fix: fmt.Sprintf("make %s read the store every %s as the page says, or emit at least %s after accepting",
			v.From, page, c.AtLeast(c.LearnedAt-c.Accepted)),
	}, true
}
