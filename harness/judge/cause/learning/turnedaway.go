package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// TurnedAway matches where a validator met the new key and went to fetch it at the same time as others:
// too many for the source of the keys.
func TurnedAway(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	n, by := c.TurnedAway(v.Name, c.Accepted, c.Last)
	if !c.IsFresh() || n == 0 || !v.OnMiss {
		return cell.Explanation{}, false
	}
	all := 0
	for _, other := range c.Limits.Validators {
		if turned, at := c.TurnedAway(other.Name, c.Accepted, c.Last); turned > 0 && at == by {
			all++
		}
	}
	return cell.Explanation{
		Cause: judge.CauseTurnedAway, Consumer: by,
		Why: fmt.Sprintf("%s went to fetch it on first use, and %s answered 429 to %d of its requests, as to those of %d validators in all after %s was accepted", v.Name, by, n, all, c.Fresh),
		Fix: fmt.Sprintf("let %s answer as many at once as there are replicas, and emit only when each has taken a canary of %s", by, c.Fresh),
	}, true
}

// LimitedSource matches where a validator of which nobody sees the fetches refuses all that it should take while its
// source was seen to answer 429: it drops its set when a fetch fails. That the harness alone is turned away says
// nothing of others, and one that lacks a key takes the other.
func LimitedSource(c *cell.Cell) (cell.Explanation, bool) {
	v, place := c.Validator, c.Nearest()
	limits := slices.ContainsFunc(c.LooksAt(place, ""), func(look history.Event) bool {
		return look.Set.Status == history.StatusTooMany && look.At >= c.First-evidence.Nearly && look.At <= c.Last+evidence.Nearly
	})
	if !v.Blind || !limits || !refusesAll(c) {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseTurnedAway, Consumer: place,
		Why: fmt.Sprintf("%s answers 429 when its set is asked for, and %s refuses what it had taken, %s and %s alike: it keeps no set when a fetch fails", place, v.Name, c.Old, c.Fresh),
		Fix: fmt.Sprintf("have %s give its set as often as it is asked for it, or %s ask less often, and let %s keep the set that it has for as long as it gets no other", place, v.Name, v.Name),
	}, true
}

// refusesAll reports whether the validator refused both credentials of the rotation before the old one was revoked. The
// new one need not have been shown to it yet.
func refusesAll(c *cell.Cell) bool {
	if !c.IsFresh() {
		fresh := c.Tally(c.Fresh, c.First-evidence.Nearly, c.Last+evidence.Nearly)
		return c.BeforeRevoke(c.Sum) && (fresh.Bad > 0 || fresh.Of == 0)
	}
	until := c.Last + evidence.Nearly
	if revoked, done := c.RevokedAt(); done {
		until = min(until, revoked)
	}
	return c.Tally(c.Old, c.Accepted, until).Bad > 0
}
