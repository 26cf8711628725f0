package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// givenOne matches where a validator of a team's own is given one credential at a time,
// that of the moment, and refused the other one: the new one until it was given that,
// the old one from then on.
func givenOne(c *cell) (explanation, bool) {
	name := c.validator.Name
	given, ever := c.given(name, c.fresh)
	switch {
	case !c.validator.GivenOne || c.credential != c.old && c.credential != c.fresh:
		return explanation{}, false
	case c.isFresh() && ever && c.first > given+history.Offset(c.limits.Wall(c.validator.Learns))+history.Offset(nearly):
		return explanation{}, false // it had had its time
	case !c.isFresh() && (!ever || c.first < given):
		return explanation{}, false
	}
	until := "and was not given " + c.fresh + " until the end"
	if ever {
		until = fmt.Sprintf("%s until %s, and %s from then on", c.old, given, c.fresh)
	}
	return explanation{
		cause: CauseOneSlot,
		why:   fmt.Sprintf("%s%s is given one credential at a time, the one to emit: %s", name, c.offPage(name), until),
		fix: fmt.Sprintf("give %s both ({{ .secret.values }}, or {{ .secret.other.value }} beside {{ .secret.value }}) and let it try each; with one no lead and no window is long enough",
			name),
	}, true
}

// given is when a service was first given a credential to emit, of which it has no other.
func (e *evidence) given(service, credential string) (history.Offset, bool) {
	i := slices.IndexFunc(e.events, func(event history.Event) bool {
		return event.Kind == history.KindDelivered && event.Service == service && event.Credential == credential
	})
	if i < 0 {
		return 0, false
	}
	return e.events[i].At, true
}
