package cause

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// keySet names a key set in events of reads.
const keySet = "jwks"

// turnedAway matches where a validator met the new key and went to fetch it at the same time as others:
// too many for the source of the keys.
func turnedAway(c *Cell) (Explanation, bool) {
	v := c.Validator
	n, by := c.TurnedAway(v.Name, c.Accepted, c.Last)
	if !c.isFresh() || n == 0 || !v.OnMiss {
		return Explanation{}, false
	}
	all := 0
	for _, other := range c.Limits.Validators {
		if turned, at := c.TurnedAway(other.Name, c.Accepted, c.Last); turned > 0 && at == by {
			all++
		}
	}
	return Explanation{
		Cause: judge.CauseTurnedAway, Consumer: by,
		Why: fmt.Sprintf("%s went to fetch it on first use, and %s answered 429 to %d of its requests, as to those of %d validators in all after %s was accepted", v.Name, by, n, all, c.Fresh),
		Fix: fmt.Sprintf("let %s answer as many at once as there are replicas, and emit only when each has taken a canary of %s", by, c.Fresh),
	}, true
}

// limitedSource matches where a validator of which nobody sees the fetches refuses all that it should take while its
// source was seen to answer 429: it drops its set when a fetch fails. That the harness alone is turned away says
// nothing of others, and one that lacks a key takes the other.
func limitedSource(c *Cell) (Explanation, bool) {
	v, place := c.Validator, c.nearest()
	limits := slices.ContainsFunc(c.looksAt(place, ""), func(look history.Event) bool {
		return look.Set.Status == tooMany && look.At >= c.First-evidence.Nearly && look.At <= c.Last+evidence.Nearly
	})
	if !v.Blind || !limits || !c.refusesAll() {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseTurnedAway, Consumer: place,
		Why: fmt.Sprintf("%s answers 429 when its set is asked for, and %s refuses what it had taken, %s and %s alike: it keeps no set when a fetch fails", place, v.Name, c.Old, c.Fresh),
		Fix: fmt.Sprintf("have %s give its set as often as it is asked for it, or %s ask less often, and let %s keep the set that it has for as long as it gets no other", place, v.Name, v.Name),
	}, true
}

// refusesAll reports whether the validator refused both credentials of the rotation before the old one was revoked. The
// new one need not have been shown to it yet.
func (c *Cell) refusesAll() bool {
	if !c.isFresh() {
		fresh := c.at(c.Fresh, c.First-evidence.Nearly, c.Last+evidence.Nearly)
		return c.beforeRevoke(c.Sum) && (fresh.Bad > 0 || fresh.Of == 0)
	}
	until := c.Last + evidence.Nearly
	if revoked, done := c.RevokedAt(); done {
		until = min(until, revoked)
	}
	return c.at(c.Old, c.Accepted, until).Bad > 0
}

// TurnedAway counts the 429 answers (RFC 6585 §4) to a party's requests for the key set in a stretch of
// time, and names who gave them.
func (e *Case) TurnedAway(reader string, from, to history.Offset) (n int64, by string) {
	for _, event := range e.ReadBy(reader) {
		if event.Kind == history.KindRead && event.What == keySet && event.Detail == strconv.Itoa(http.StatusTooManyRequests) &&
			event.At >= from && event.At <= to {
			n, by = n+1, event.Service
		}
	}
	return n, by
}

// tooMany is the status for asking too often (RFC 6585 §4): it is about the rate, not the credential.
const tooMany = "429"

// leastRefusedProbes is how often a service must have refused the harness for that to explain why it
// turns everybody away.
const leastRefusedProbes = 5

// leastBurst is how often the harness must have asked within a second for that to be the explanation.
const leastBurst = 10

// turnedProberAway matches where a service answers 429, to the harness too, after it had refused the
// harness again and again or was asked very often by it: it limits by address, and load and harness
// share one.
func turnedProberAway(c *Cell) (Explanation, bool) {
	if _, statuses, _ := c.mostly(); statuses != tooMany {
		return Explanation{}, false
	}
	var refused, burst int64
	too := false
	for _, event := range c.Events {
		if event.Kind == history.KindProbe && event.Service == c.Validator.Name {
			if event.Probe.Outcome == history.AuthFailure && event.At <= c.First+evidence.Nearly {
				refused++
			}
			if from := c.First - history.Offset(time.Second); event.At >= from && event.At <= c.First+history.Offset(time.Second) {
				burst++
			}
			too = too || event.Probe.Status == tooMany
		}
	}
	name := c.Validator.Name
	why := fmt.Sprintf("it had refused the harness %d times by then, and turns away whoever is refused so often: load and harness have one address here", refused)
	if refused < leastRefusedProbes {
		why = fmt.Sprintf("the harness had asked it %d times within a second of that, and it turns away whoever asks so often: load and harness have one address here", burst)
	}
	return Explanation{
		Cause: judge.CauseLockedOut,
		Why:   why,
		Fix:   fmt.Sprintf("have %s leave the address of the rehearsal out of that limit, and rehearse again; where it counts by the address, a client that shares its address with one that is refused is turned away in production too", name),
	}, too && (refused >= leastRefusedProbes || burst >= leastBurst)
}
