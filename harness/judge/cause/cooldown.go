package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// coolingDown matches where a validator would have fetched the new key, but had just fetched for
// another unknown name.
func coolingDown(c *Cell) (Explanation, bool) {
	v := c.Validator
	cooldown := history.Offset(c.Limits.Wall(v.Cooldown))
	// Where the time to learn includes the cooldown, the lead is judged by it already.
	if !c.isFresh() || !v.OnMiss || v.Learns >= v.Cooldown || c.LearnedAt <= c.First {
		return Explanation{}, false
	}
	var last history.Offset
	for _, fetch := range c.Fetches(v.Name, 0, c.First) {
		last = max(last, fetch.At)
	}
	waited := c.Last - c.First
	if last == 0 || c.First-last >= cooldown || waited < cooldown/20 || c.Last > c.LearnedAt+evidence.Nearly {
		return Explanation{}, false // it could have fetched; it waited for one fetch only; or the fetch did not help
	}
	return Explanation{
		Cause: judge.CauseCooldown,
		Why: fmt.Sprintf("%s had fetched the set %s before it first met %s, without %s in it, and fetches for an unknown kid at most once in %s",
			v.Name, c.Page(c.First-last), c.Fresh, c.Fresh, plan.Text(v.Cooldown)),
		Fix: fmt.Sprintf("emit at least %s after accepting, so that it can fetch once more in between; and find out who sends it tokens with made-up kids",
			plan.Text(v.Cooldown+c.Limits.Publishing(v)+c.Limits.Propagation)),
	}, true
}
