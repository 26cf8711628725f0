package learning

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// CoolingDown matches where a validator would have fetched the new key, but had just fetched for
// another unknown name.
func CoolingDown(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	cooldown := history.Offset(c.Limits.Wall(v.Cooldown))
	// Where the time to learn includes the cooldown, the lead is judged by it already.
	if !c.IsFresh() || !v.OnMiss || v.Learns >= v.Cooldown || c.LearnedAt <= c.First {
		return cell.Explanation{}, false
	}
	var last history.Offset
	for _, fetch := range c.Fetches(v.Name, 0, c.First) {
		last = max(last, fetch.At)
	}
	waited := c.Last - c.First
	if last == 0 || c.First-last >= cooldown || waited < cooldown/20 || c.Last > c.LearnedAt+evidence.Nearly {
		return cell.Explanation{}, false // it could have fetched; it waited for one fetch only; or the fetch did not help
	}
	return cell.Explanation{
		Cause: judge.CauseCooldown,
		Why: fmt.Sprintf("%s had fetched the set %s before it first met %s, without %s in it, and fetches for an unknown kid at most once in %s",
			v.Name, c.Page(c.First-last), c.Fresh, c.Fresh, plan.Text(v.Cooldown)),
		Fix: fmt.Sprintf("emit at least %s after accepting, so that it can fetch once more in between; and find out who sends it tokens with made-up kids",
			plan.Text(v.Cooldown+c.Limits.Publishing(v)+c.Limits.Propagation)),
	}, true
}

// InsideTheFetch matches where a validator that learns on first use refused requests while the fetch
// that the first one caused was under way.
func InsideTheFetch(c *cell.Cell) (cell.Explanation, bool) {
	v, about := c.Validator, evidence.Nearly
	if !c.Late() || !v.OnMiss || cooling(c) || c.First <= c.LearnedAt-about || c.Last >= c.LearnedAt+about {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseInsideTheFetch,
		Why:   fmt.Sprintf("%s refuses requests that come during the fetch that the first %s caused", v.Name, c.Fresh),
		Fix:   fmt.Sprintf("show one canary of %s to every replica of %s before emitting", c.Fresh, v.Name),
	}, true
}

// cooling reports whether a validator that learns on first use could not fetch then because it had just
// fetched.
func cooling(c *cell.Cell) bool {
	v := c.Validator
	return v.Learns > 0 && len(c.Fetches(v.Name, c.First-history.Offset(c.Limits.Wall(v.Learns)), c.First)) > 0
}

// NotLookedFor matches where a validator that fetches for unknown names did not fetch: it refused for
// another reason than not having learned the key.
func NotLookedFor(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	wait := history.Offset(c.Limits.Wall(v.Cooldown)) + 2*evidence.Nearly // its latest time to try
	if !c.IsFresh() || c.EverLearned && c.First >= c.LearnedAt || !v.OnMiss || c.Last-c.First <= wait {
		return cell.Explanation{}, false
	}
	// Without a known library, only the page says that it fetches so soon: refusals that ended with its
	// learning were late learning.
	if v.Library == "" && c.EverLearned && c.Last <= c.LearnedAt+evidence.Nearly {
		return cell.Explanation{}, false
	}
	for _, event := range c.About(v.Name) {
		tried := event.Kind == history.KindFetched || event.Kind == history.KindFetchFailed
		for at := range event.Times() {
			if tried && at >= c.First-evidence.Nearly && at <= c.First+wait {
				return cell.Explanation{}, false
			}
		}
	}
	return cell.Explanation{
		Cause: judge.CauseUnknown,
		Why: fmt.Sprintf("%s did not fetch the set in the %s after it first met %s, as it does for an unknown kid: something other than the key was refused",
			v.Name, c.Page(wait), c.Fresh),
		Fix: fmt.Sprintf("look into the log of %s from %s on: it says why; compare what is signed with %s with what it takes (algorithm, kid, claims) before emitting",
			v.Name, c.Moment(c.First), c.Fresh),
	}, true
}
