package keyset

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
)

// SetNotUsed matches where a validator fetched the new credential and never took it, and still takes
// tokens signed with the old one after a set came without it.
func SetNotUsed(c *cell.Cell) (cell.Explanation, bool) {
	name := c.Validator.Name
	if !c.IsFresh() || c.Sum.OK > 0 || !c.View.OnlyFetched(name, c.Fresh) || c.View.Said(name, c.Old, history.Anew).Taken == 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseSetNotUsed,
		Why: fmt.Sprintf("%s fetched it %s after it was accepted, never took it, and takes %s to the end: it goes on with the keys that it had, whatever it fetches",
			name, c.Page(c.LearnedAt-c.Accepted), c.Old),
		Fix: fmt.Sprintf("find out why %s does not use what it fetches (a comparison that finds nothing new, an error on the way), and prove %s by a canary before emitting: no lead is long enough", name, c.Fresh),
	}, true
}
