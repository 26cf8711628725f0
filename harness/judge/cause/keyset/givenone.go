package keyset

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// GivenOne matches where an external validator is given one credential at a time and refused the other
// one: the new one until it was given that, the old one from then on.
func GivenOne(c *cell.Cell) (cell.Explanation, bool) {
	name := c.Validator.Name
	given, ever := given(c.Evidence, name, c.Fresh)
	switch {
	case !c.Validator.GivenOne || c.Credential != c.Old && c.Credential != c.Fresh:
		return cell.Explanation{}, false
	case c.IsFresh() && ever && c.First > given+history.Offset(c.Limits.Wall(c.Validator.Learns))+evidence.Nearly:
		return cell.Explanation{}, false // it had time to learn it
	case !c.IsFresh() && (!ever || c.First < given-evidence.Nearly): // the delivery is recorded when the service is ready again
		return cell.Explanation{}, false
	}
	until := "and was not given " + c.Fresh + " until the end"
	if ever {
		until = fmt.Sprintf("%s until %s after the accept, and %s from then on", c.Old, plan.Text(c.Limits.Page((given - c.Accepted).Duration()).Round(time.Second)), c.Fresh)
	}
	both := "{{ .secret.values }}, or {{ .secret.other.value }} beside {{ .secret.value }}"
	if !runbook.Traits[c.Limits.Family].Symmetric() { // it checks with a public key
		both = "{{ .secret.jwks }}, or {{ .secret.other.public }} beside {{ .secret.public }}"
	}
	return cell.Explanation{
		Cause: judge.CauseOneSlot,
		Why:   fmt.Sprintf("%s%s is given one credential at a time, the one to emit: %s", name, c.OffPage(name), until),
		Fix:   fmt.Sprintf("give %s both (%s) and let it try each; with one at a time, no lead or window is long enough", name, both),
	}, true
}

// given is when a service was first given a credential, without any other.
func given(e *evidence.Evidence, service, credential string) (history.Offset, bool) {
	i := slices.IndexFunc(e.Events, func(event history.Event) bool {
		return event.Kind == history.KindDelivered && event.Service == service && event.Credential == credential
	})
	if i < 0 {
		return 0, false
	}
	return e.Events[i].At, true
}
