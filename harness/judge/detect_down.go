package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// stopping are the faults under which a service does nothing at all.
var stopping = []string{"kill", "pause", "restart"}

// refusedBehind matches where a service gave no good answer since the credential
// that it presents itself was refused.
func refusedBehind(c *cell) (explanation, bool) {
	service := c.validator.Name
	authority, there := c.behind(func(counts history.Counts) int64 { return counts.AuthFailures })
	if !there {
		return explanation{}, false
	}
	if through := c.through(); through != "" {
		return explanation{
			cause: CauseRefusedBehind, consumer: through,
			why: fmt.Sprintf("%s, by way of which it reaches %s, was refused there with the credential that it presents for it", through, authority),
			fix: fmt.Sprintf("mend what is said of %s at %s: who is behind it feels no more than that, in whatever words it turns them away", through, authority),
		}, true
	}
	return explanation{
		cause: CauseRefusedBehind,
		why:   authority + " refused the credential that it presented",
		fix:   fmt.Sprintf("mend what is said of %s at %s: its callers feel no more than that", service, authority),
	}, true
}

// through is the pooler or the like that presents for the service that the
// client calls; "" where that presents itself.
func (c *cell) through() string {
	client, _ := c.limits.Client(c.presenter)
	if client.To == c.validator.Name {
		return client.Through
	}
	return ""
}

// absentBehind matches where a service gave no good answer since it had none
// itself from whom it presents its credential to. One that was stopped itself has no
// answer from anybody.
func absentBehind(c *cell) (explanation, bool) {
	service := c.validator.Name
	disturbed, _ := c.faultOn(service, c.first)
	authority, behind := c.behind(func(counts history.Counts) int64 { return counts.Unavailable })
	if !behind || slices.Contains(stopping, disturbed) {
		return explanation{}, false
	}
	told := explanation{cause: CauseServiceDown, consumer: authority, why: authority + ", to which it presents the credential, gave no answer"}
	if kind, there := c.faultOn(authority, c.first); there {
		told.causedBy = kind
		told.why += ": it was under the fault " + kind
	} else if kind, there := c.faultBetween(service, authority, c.first); there {
		told.causedBy = kind
		told.why += ": the way there was under the fault " + kind
	}
	return told, true
}

// behind is the authority at which the service that is called itself fared badly
// meanwhile, by what is counted of its presentations there.
func (c *cell) behind(badly func(history.Counts) int64) (authority string, there bool) {
	service := cmp.Or(c.through(), c.validator.Name)
	for _, key := range c.view.Keys() { // what nobody can name, as a signature that fits nothing, is refused all the same
		if key.Source == c.limits.Hop && key.Presenter == service && key.Validator != service &&
			badly(c.view.Sum(key, c.first-history.Offset(nearly), c.last+history.Offset(nearly))) > 0 {
			return key.Validator, true
		}
	}
	return "", false
}

// faultAtTheService matches where a service was under a fault when it began to
// give no answer.
func faultAtTheService(c *cell) (explanation, bool) {
	kind, there := c.faultOn(c.validator.Name, c.first)
	return explanation{causedBy: kind, why: "it was under the fault " + kind}, there
}

// exited matches where a service had ended.
func exited(c *cell) (explanation, bool) {
	at, there := c.view.Exited[c.validator.Name]
	return explanation{why: "it ended at " + at.String()}, there
}

// replacing bounds how long it takes to end the old one of a service after the
// new one answers: it is recorded when that is done.
const replacing = history.Offset(5 * time.Second)

// renewing matches where a service gave no answer while it was made to take what
// is published.
func renewing(c *cell) (explanation, bool) {
	how, at := c.renewed()
	if how == "" {
		return explanation{}, false
	}
	return explanation{
		why: fmt.Sprintf("it was %s for what was published, which was done at %s", how, at),
		fix: fmt.Sprintf("let %s finish what it has begun before it ends, and start the new one before the old one ends", c.validator.Name),
	}, true
}

// renewed is how, and when, the service had been made to take what is published,
// where what it suffered may have come of that; how is empty where it was not.
func (c *cell) renewed() (how string, at history.Offset) {
	for _, event := range c.events {
		if event.Kind != history.KindDelivered || event.Service != c.validator.Name ||
			event.At < c.first-history.Offset(nearly) || event.At > c.first+replacing {
			continue
		}
		switch event.What {
		case runbook.Env:
			return "started anew", event.At
		case history.Reload:
			return "made to reload", event.At
		}
	}
	return "", 0
}
