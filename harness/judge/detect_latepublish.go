package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// latePublish matches where the emitter published the new credential later than
// the page says, and the lead would have been enough for what the validator took.
func latePublish(c *cell) (explanation, bool) {
	v := c.validator
	own := c.learnedAt - c.published // what the validator itself took
	planned := history.Offset(c.limits.Wall(c.limits.Publishing(v)))
	if !c.late() || own+planned > c.lead() || c.published-c.accepted <= planned+history.Offset(nearly) {
		return explanation{}, false
	}
	page := plan.Text(c.limits.Publishing(v))
	return explanation{
		cause: CauseLatePublish, consumer: v.From,
		why: fmt.Sprintf("%s published it only %s after it was accepted (the page says %s), so that %s learned it %s after the start of a lead of %s",
			v.From, c.page(c.published-c.accepted), page, v.Name, c.page(c.learnedAt-c.accepted), c.page(c.lead())),
		fix: fmt.Sprintf("make %s read the store every %s as the page says, or emit at least %s after accepting",
			v.From, page, c.atLeast(c.learnedAt-c.accepted)),
	}, true
}
