package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// lacksRights matches where an authority let a service in, and did not let it do
// what it asked: what the credential may do is not what the one before it might.
func lacksRights(c *cell) (explanation, bool) {
	service := c.presenterBehind()
	for _, event := range c.events {
		if event.Kind != history.KindDenied || event.Reader != service ||
			event.At < c.first-history.Offset(nearly) || event.At > c.last+history.Offset(nearly) {
			continue
		}
		return explanation{
			cause: CauseLacksRights, credential: event.Credential,
			why: fmt.Sprintf("%s let %s in with %s and denied it what it asked (%s)", event.Service, service, event.Credential, event.Detail),
			fix: fmt.Sprintf("give what %s logs in with the rights of what %s logged in with, or let both act as one owner (SET ROLE), before emitting", c.fresh, c.old),
		}, true
	}
	return explanation{}, false
}

// presenterBehind is who presents to the authority for what the client calls: the
// service itself, or the pooler by way of which it gets there.
func (c *cell) presenterBehind() string {
	if through := c.through(); through != "" {
		return through
	}
	return c.validator.Name
}
