package judge

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// keySet is what a key set is called where it is read.
const keySet = "jwks"

// turnedAway counts how often somebody was answered 429 (RFC 6585 §4) for the
// key set in a stretch of time, and by whom.
func (e *evidence) turnedAway(reader string, from, to history.Offset) (n int64, by string) {
	for _, event := range e.events {
		if event.Kind == history.KindRead && event.What == keySet && event.Reader == reader &&
			event.Detail == strconv.Itoa(http.StatusTooManyRequests) && event.At >= from && event.At <= to {
			n, by = n+1, event.Service
		}
	}
	return n, by
}

// brownedOut explains refusals of a new key that a validator went to fetch when
// it met it, as others did at that time: too many for where the keys are.
func (e *evidence) brownedOut(v plan.Validator, accepted history.Offset, sum *history.Counts) (explanation, bool) {
	n, by := e.turnedAway(v.Name, accepted, sum.LastFailure)
	if n == 0 || !v.OnMiss {
		return explanation{}, false
	}
	all := 0
	for _, other := range e.limits.Validators {
		if turned, at := e.turnedAway(other.Name, accepted, sum.LastFailure); turned > 0 && at == by {
			all++
		}
	}
	return explanation{
		cause: CauseTurnedAway, consumer: by,
		why: fmt.Sprintf("%s went to fetch it when it met it, and %s answered 429 to %d of its requests, as to those of %d validators in all after %s was accepted", v.Name, by, n, all, e.fresh),
		fix: fmt.Sprintf("let %s answer as many at once as there are replicas, and emit only when each has taken a canary of %s", by, e.fresh),
	}, true
}

// failedFetch explains refusals of a new key by a validator that asked for the
// set and got none, so that it learned the key at a later time only: one that
// fetches by the clock asked in time, before emit; one that fetches for a name
// that it does not know asked when it met it.
func (e *evidence) failedFetch(v plan.Validator, accepted, learned history.Offset, sum *history.Counts) (explanation, bool) {
	emitted, _ := e.done(string(keyring.Emit), e.fresh)
	from, to := accepted, emitted
	fix := fmt.Sprintf("emit only when %s has shown that it takes %s (gates: enforce), or at least %s after accepting", v.Name, e.fresh, e.atLeast(learned-accepted))
	if v.OnMiss {
		from, to = sum.FirstFailure-history.Offset(nearly), learned
		fix = fmt.Sprintf("show a canary of %s to %s before emitting (gates: enforce), so that it need not fetch then", e.fresh, v.Name)
	}
	for _, event := range e.events {
		if event.Kind != history.KindFetchFailed || event.Service != v.Name || event.At <= from || event.At > to {
			continue
		}
		return explanation{
			cause: CauseSourceDown, consumer: event.From, fix: fix,
			why: fmt.Sprintf("%s asked %s for the set %s after %s was accepted and got none (%s); it learned it %s after it was accepted, and the lead was %s",
				v.Name, event.From, e.page(event.At-accepted), e.fresh, event.Detail, e.page(learned-accepted), e.page(emitted-accepted)),
		}, true
	}
	return explanation{}, false
}

// notInSet is the last fetch between two moments, if it was answered with a set
// without a credential that was in use.
func (e *evidence) notInSet(v plan.Validator, credential string, from, to history.Offset) (fetch history.Event, there bool) {
	fetches := e.fetches(v.Name, from, to)
	if len(fetches) == 0 {
		return history.Event{}, false
	}
	fetch = fetches[len(fetches)-1]
	return fetch, fetch.From == v.From && !slices.Contains(fetch.Credentials, credential)
}

// tellNotInSet tells of such a fetch.
func (e *evidence) tellNotInSet(v plan.Validator, credential string, fetch history.Event) explanation {
	what := "a set without " + credential
	if len(fetch.Credentials) == 0 {
		what = "an empty set"
	}
	return explanation{
		cause: CauseNotInSet, consumer: v.From,
		why: fmt.Sprintf("%s asked %s for the set at %s, was answered with %s, and kept that until it fetched again", v.Name, v.From, fetch.At, what),
		fix: fmt.Sprintf("let %s answer with all that is accepted or with an error: of an error most libraries keep what they have, and an empty set they take for the truth", v.From),
	}
}

// lostKey explains refusals of a credential that is accepted, by a validator that
// had it, by what that got when it asked for the set: one without it, or none
// when its copy had run out or was thrown away.
func (e *evidence) lostKey(v plan.Validator, credential string, sum *history.Counts) (told explanation, there bool) {
	began := sum.FirstFailure
	if fetch, found := e.notInSet(v, credential, e.start, began+history.Offset(nearly)); found {
		told, there = e.tellNotInSet(v, credential, fetch), true
	} else if from, how := e.inVain(v, began-history.Offset(nearly), began+history.Offset(nearly)); how != "" {
		told, there = explanation{
			cause: CauseSourceDown, consumer: from,
			why: fmt.Sprintf("%s asked %s for the set and got none (%s), and no longer had %s by then", v.Name, from, how, credential),
			fix: fmt.Sprintf("bring %s back before going on, and let %s keep the set that it has for as long as it gets no other", from, v.Name),
		}, true
	}
	if faults := e.near(began-history.Offset(nearly), began+history.Offset(nearly), v.From, v.Via); there && len(faults) > 0 {
		told.causedBy = faults[0].Kind
	}
	return told, there
}

// inVain is whom a validator asked for the set between two moments without
// getting one, and how that was answered: by its own log or, of one that logs
// nothing of it, by that of whom it asked. How is empty where it did not.
func (e *evidence) inVain(v plan.Validator, from, to history.Offset) (whom, how string) {
	for _, event := range e.events {
		switch {
		case event.At < from || event.At > to:
		case event.Kind == history.KindFetchFailed && event.Service == v.Name:
			return event.From, event.Detail
		case event.Kind == history.KindRead && event.What == keySet && event.Reader == v.Name && event.Detail != "":
			return event.Service, event.Detail
		}
	}
	return "", ""
}
