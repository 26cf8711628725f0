package lint

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

var outlivesPage = Rule{"outlives-page", "nothing that is made with the credential lives longer than the page says",
	"the overlap is computed from the page's longest life, and what lives longer is cut off by the revoke"}

// outlivingThePage finds tokens and connections that live longer than the page's
// longest life, and authorities that go on taking what is revoked for longer than
// it says. A client that has an exception is known to.
func outlivingThePage(s *subject) []Finding {
	var found []Finding
	add := func(path, consumer, what, field string, lives, page time.Duration) {
		found = append(found, Finding{
			Position: s.serviceAt(path), Level: Error, Path: path, Consumer: consumer,
			Planned: plan.Text(page), Needed: plan.Text(lives),
			Message: fmt.Sprintf("%s for %s, and the page says %s", what, plan.Text(lives), plan.Text(page)),
			Fix:     fmt.Sprintf("%s: at least %s, from which the bounds follow, or make it less", field, plan.Text(lives)),
		})
	}
	longest := s.limits.LongestLife
	for i, c := range s.limits.Clients { // of a page alone there are none
		if c.Life > longest && !s.limits.Excepted(c.Name) {
			add(fmt.Sprintf("load[%d].token.life", i), c.Name, "tokens of "+c.Name+" live", "format.longest_life", c.Life, longest)
		}
	}
	for _, service := range s.services {
		e, emits := s.limits.Emitter(service.Name)
		if emits && e.Life > longest {
			add("services."+service.Name+".life", service.Name, service.Name+" keeps a connection", "format.longest_life", e.Life, longest)
		}
		v, checks := s.limits.Validator(service.Name)
		if lag := service.Lag.Duration(); checks && lag > 0 && v.Forgets != runbook.Forever && lag > v.Forgets+s.limits.Propagation {
			add("services."+service.Name+".lag", service.Name, service.Name+" goes on taking what is revoked", "forgets_within of "+service.Name, lag, v.Forgets)
		}
	}
	return found
}
