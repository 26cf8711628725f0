package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// cutOff matches where an authority ended sessions of a service that were in use.
func cutOff(c *cell) (explanation, bool) {
	service := c.validator.Name
	authority, n, began := c.cutOff(service)
	if n == 0 || !began {
		return explanation{}, false
	}
	m, _ := c.limits.Emitter(service)
	return explanation{
		cause: CauseCutOff, credential: c.old,
		why: fmt.Sprintf("%s ended %s of %s with the %s of %s, and some were in use (57P01)", authority, plan.Counted(n, "session"), service, c.causedBy, c.old),
		fix: fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s: until then a pool may still use what it made with %s",
			plan.Text(c.limits.Outlives(m.Life)), c.longerThanThePage(m.Life), c.old),
	}, true
}

// cutOff is how many sessions of a consumer an authority ended meanwhile, and
// which; began says that what the cell suffered began with that, and not before.
func (c *cell) cutOff(consumer string) (authority string, n int64, began bool) {
	about := history.Offset(nearly)
	for _, event := range c.events {
		if event.Kind == history.KindEnded && event.Reader == consumer && event.At >= c.first-about && event.At <= c.last+about {
			authority, n, began = event.Service, n+1, began || event.At <= c.first+about
		}
	}
	return authority, n, began
}
