package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// coolingDown matches where a validator would have fetched the new key, had it
// not done so for another name just before.
func coolingDown(c *cell) (explanation, bool) {
	v := c.validator
	cooldown := history.Offset(c.limits.Wall(v.Cooldown))
	// Where the time to learn has the cooldown in it, it is the lead that is held
	// against it.
	if !c.isFresh() || !v.OnMiss || v.Learns >= v.Cooldown || c.learnedAt <= c.first {
		return explanation{}, false
	}
	var last history.Offset
	for _, fetch := range c.fetches(v.Name, 0, c.first) {
		last = max(last, fetch.At)
	}
	waited := c.last - c.first
	if last == 0 || c.first-last >= cooldown || waited < cooldown/20 || c.last > c.learnedAt+history.Offset(nearly) {
		return explanation{}, false // it could have fetched; the wait was that of one fetch; or to fetch did not help
	}
	return explanation{
		cause: CauseCooldown,
		why: fmt.Sprintf("%s had fetched the set %s before it first met %s, without %s in it, and fetches for a name that it does not know at most once in %s",
			v.Name, c.page(c.first-last), c.fresh, c.fresh, plan.Text(v.Cooldown)),
		fix: fmt.Sprintf("emit at least %s after accepting, so that it can fetch once more in between; and find out who shows it names that nobody has",
			plan.Text(v.Cooldown+c.limits.Publishing(v)+c.limits.Propagation)),
	}, true
}
