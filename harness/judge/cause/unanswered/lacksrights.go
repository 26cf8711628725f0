package unanswered

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// LacksRights matches where an authority let a service in and denied what it asked: the new credential
// has fewer rights than the old one.
func LacksRights(c *cell.Cell) (cell.Explanation, bool) {
	service := c.PresenterBehind()
	if refusedMore(c, service) {
		return cell.Explanation{}, false
	}
	for _, event := range c.Events {
		if event.Kind != history.KindDenied || event.Reader != service ||
			event.At < c.First-evidence.Nearly || event.At > c.Last+evidence.Nearly {
			continue
		}
		fix, who := fmt.Sprintf("give what %s logs in with the right that it lacks", event.Credential), ""
		if event.Credential == c.Fresh { // its client asks for what it was given before
			who = event.Service
			fix = fmt.Sprintf("give what %s logs in with the rights of what %s logged in with, or let both act as one owner where it can (SET ROLE), before emitting", c.Fresh, c.Old)
		}
		return cell.Explanation{
			Cause: judge.CauseLacksRights, Consumer: who, Credential: event.Credential, Fix: fix,
			Why: fmt.Sprintf("%s let %s in with %s and denied what it asked for (%s)", event.Service, service, event.Credential, event.Detail),
		}, true
	}
	return cell.Explanation{}, false
}

// refusedMore reports whether, while its callers had no good answer, a service was refused more often
// than it was let in and denied a right: the refusals are then the cause.
func refusedMore(c *cell.Cell, service string) bool {
	from, to := c.First-evidence.Nearly, c.Last+evidence.Nearly
	var refused, denied int64
	for _, key := range c.JudgedCells() {
		if key.Presenter == service && key.Validator != service {
			refused += c.View.Sum(key, from, to).AuthFailures
		}
	}
	for _, event := range c.Events {
		if event.Kind == history.KindDenied && event.Reader == service && event.At >= from && event.At <= to {
			denied++
		}
	}
	return refused > denied
}
