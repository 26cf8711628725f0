package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// latePublish matches where the emitter published the new credential later than the page says although
// the lead would have been enough for the validator; or after it was in use already, as the page may
// allow: then nobody could have learned it.
func latePublish(c *Cell) (Explanation, bool) {
	v := c.Validator
	own := c.LearnedAt - c.Published // what the validator itself took
	took := c.Published - c.Accepted
	planned := history.Offset(c.Limits.Wall(c.Limits.Publishing(v)))
	nearly := evidence.Nearly
	page := plan.Text(c.Limits.Publishing(v))
	if c.late() && took <= planned+nearly && took > c.Lead()+nearly && own <= c.Lead() {
		return Explanation{
			Cause: judge.CauseLatePublish, Consumer: v.From,
			Why: fmt.Sprintf("%s published it %s after it was accepted (the page says %s), and it was in use after a lead of %s: %s could not have it before",
				v.From, c.Page(took), page, c.Page(c.Lead()), v.Name),
			Fix: c.fixLead(),
		}, true
	}
	if !c.late() || own+planned > c.Lead() || took <= planned+nearly {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseLatePublish, Consumer: v.From,
		Why: fmt.Sprintf("%s published it only %s after it was accepted (the page says %s), so that %s learned it %s after the start of a lead of %s",
			v.From, c.Page(took), page, v.Name, c.Page(c.LearnedAt-c.Accepted), c.Page(c.Lead())),
		Fix: fmt.Sprintf("make %s read the store every %s as the page says, or emit at least %s after accepting",
			v.From, page, c.AtLeast(c.LearnedAt-c.Accepted)),
	}, true
}
