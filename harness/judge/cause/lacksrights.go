package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// lacksRights matches where an authority let a service in, and did not let it do
// what it asked: what the credential may do is not what the one before it might.
func lacksRights(c *Cell) (Explanation, bool) {
	service := c.presenterBehind()
	for _, event := range c.Events {
		if event.Kind != history.KindDenied || event.Reader != service ||
			event.At < c.First-history.Offset(evidence.Nearly) || event.At > c.Last+history.Offset(evidence.Nearly) {
			continue
		}
		return Explanation{
			Cause: judge.CauseLacksRights, Credential: event.Credential,
			Why: fmt.Sprintf("%s let %s in with %s and denied it what it asked (%s)", event.Service, service, event.Credential, event.Detail),
			Fix: fmt.Sprintf("give what %s logs in with the rights of what %s logged in with, or let both act as one owner (SET ROLE), before emitting", c.Fresh, c.Old),
		}, true
	}
	return Explanation{}, false
}

// presenterBehind is who presents to the authority for what the client calls: the
// service itself, or the pooler by way of which it gets there.
func (c *Cell) presenterBehind() string {
	if through := c.through(); through != "" {
		return through
	}
	return c.Validator.Name
}
