package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// lostInOutage matches where a validator had a credential, which is accepted, and
// no longer had it when it asked for the set and got none: its copy had run out, or
// it had thrown it away.
func lostInOutage(c *cell) (explanation, bool) {
	from, how := c.inVain(c.first-history.Offset(nearly), c.first+history.Offset(nearly))
	if !c.lost() || how == "" {
		return explanation{}, false
	}
	return explanation{
		cause: CauseSourceDown, consumer: from, causedBy: c.faultAtTheSource(),
		why: fmt.Sprintf("%s asked %s for the set and got none (%s), and no longer had %s by then", c.validator.Name, from, how, c.credential),
		fix: fmt.Sprintf("bring %s back before going on, and let %s keep the set that it has for as long as it gets no other", from, c.validator.Name),
	}, true
}

// failedFetch matches where a validator asked for the set and got none, so that
// it learned the new key at a later time only: one that fetches by the clock asked
// in time, before emit; one that fetches for a name that it does not know asked
// when it met it.
func failedFetch(c *cell) (explanation, bool) {
	if !c.late() {
		return explanation{}, false
	}
	v, from, to := c.validator, c.accepted, c.emitted
	fix := fmt.Sprintf("emit only when %s has shown that it takes %s (gates: enforce), or at least %s after accepting", v.Name, c.fresh, c.atLeast(c.learnedAt-c.accepted))
	if v.OnMiss {
		from, to = c.first-history.Offset(nearly), c.learnedAt
		fix = fmt.Sprintf("show a canary of %s to %s before emitting (gates: enforce), so that it need not fetch then", c.fresh, v.Name)
	}
	for _, event := range c.events {
		if event.Kind != history.KindFetchFailed || event.Service != v.Name || event.At <= from || event.At > to {
			continue
		}
		return explanation{
			cause: CauseSourceDown, consumer: event.From, fix: fix,
			why: fmt.Sprintf("%s asked %s for the set %s after %s was accepted and got none (%s); it learned it %s after it was accepted, and the lead was %s",
				v.Name, event.From, c.page(event.At-c.accepted), c.fresh, event.Detail, c.page(c.learnedAt-c.accepted), c.page(c.lead())),
		}, true
	}
	return explanation{}, false
}

// unansweredFetch matches where a validator tried to fetch while it refused, got
// no answer, and never learned the new key.
func unansweredFetch(c *cell) (explanation, bool) {
	from, there := c.unanswered()
	if !there || c.everLearned || !c.late() {
		return explanation{}, false
	}
	return explanation{
		cause: CauseSourceDown, consumer: from,
		why: fmt.Sprintf("%s asked for it, and %s gave no answer", c.validator.Name, from),
		fix: fmt.Sprintf("bring %s back; and let every validator have %s before it is emitted, so that nobody has to ask in a hurry", from, c.fresh),
	}, true
}

// unanswered is who did not answer a validator that tried to fetch while it
// refused. Behind a cache it is the emitter, where that gave no tokens either.
func (c *cell) unanswered() (from string, there bool) {
	for _, event := range c.events {
		switch {
		case event.Kind == history.KindFetchFailed && event.Service == c.validator.Name &&
			event.At >= c.first-history.Offset(nearly) && event.At <= c.last+history.Offset(nearly):
			from, there = event.From, true
		case there && event.Kind == history.KindSession && c.emitterOf(event.Service) == c.validator.From:
			return c.validator.From, true
		}
	}
	return from, there
}

// inVain is whom a validator asked for the set between two moments without
// getting one, and how that was answered: by its own log or, of one that logs
// nothing of it, by that of whom it asked. How is empty where it did not.
func (c *cell) inVain(from, to history.Offset) (whom, how string) {
	for _, event := range c.events {
		switch {
		case event.At < from || event.At > to:
		case event.Kind == history.KindFetchFailed && event.Service == c.validator.Name:
			return event.From, event.Detail
		case event.Kind == history.KindRead && event.What == keySet && event.Reader == c.validator.Name && event.Detail != "":
			return event.Service, event.Detail
		}
	}
	return "", ""
}
