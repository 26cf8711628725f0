package keyset

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// OneSignature matches where a delivery that has a signature of each accepted secret was
// refused though the receiver has the old one, from the accept on and no longer than it may
// take to learn the new one: it looks at one of the signatures.
func OneSignature(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	if !c.Several(c.Presenter) || c.IsFresh() || !c.BeforeRevoke(c.Sum) || v.Learns == runbook.Forever || c.Accepted == 0 || c.First < c.Accepted {
		return cell.Explanation{}, false
	}
	due := c.Accepted + history.Offset(c.Limits.Wall(max(v.Learns, v.Rereads)+c.Limits.Propagation)) + evidence.Nearly
	if c.EverLearned && !c.Shown {
		due = c.LearnedAt + evidence.Nearly
	}
	if c.Last > due || c.View.Said(v.Name, c.Fresh, history.Canary).Taken == 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseOneSignature, CausedBy: "accept",
		Why: fmt.Sprintf("deliveries have a signature of %s and one of %s from the accept on, and %s refused them until it had %s: it checks one of several signatures, not each", c.Old, c.Fresh, v.Name, c.Fresh),
		Fix: fmt.Sprintf("have %s take a delivery of which any signature fits any secret that it has: no lead helps, since the sender signs with both from the accept on", v.Name),
	}, true
}
