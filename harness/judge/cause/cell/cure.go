package cell

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// UntilLearned is the half sentence about when the validator learned the new credential.
func (c *Cell) UntilLearned() string {
	if !c.EverLearned {
		return "; it never learned it"
	}
	return fmt.Sprintf("; it learned it %s after it was accepted", c.Page(c.LearnedAt-c.Accepted))
}

// FixLead says which lead is enough at any moment of the next rotation: the bound G1, with the interval
// of fetches where that was seen to be longer than the page says, and no less than what was measured of
// the validator or of its publisher.
func (c *Cell) FixLead() string {
	v := c.Validator
	v.Learns = max(v.Learns, v.Rereads, c.fetchedEvery())
	g1 := max(c.Limits.G1(v), leadSeen(c.Evidence, v.Name))
	if !c.EverLearned {
		return fmt.Sprintf("publish at least %s before emitting, and wait until %s has it", plan.Text(g1), v.Name)
	}
	if seen := c.Limits.Page((c.LearnedAt - c.Accepted).Duration()); c.BySight && seen > g1+c.Limits.Page(evidence.Nearly.Duration()) {
		return fmt.Sprintf("publish more than %s before emitting (lead): no log says how often %s reads what is published, so find that out, write it on the page, and let the gate of verify wait for %s", c.AtLeast(c.LearnedAt-c.Accepted), v.Name, v.Name)
	}
	if g1 == runbook.Forever { // it is not on the page
		return fmt.Sprintf("put %s on the page, with how late it learns, and publish more than %s before emitting (lead), which is how late it was this time", v.Name, c.AtLeast(c.LearnedAt-c.Accepted))
	}
	need := max(g1, c.Limits.Page((c.LearnedAt-c.Accepted).Duration())+evidence.Margin)
	if c.BySight { // the page's bound, raised by what was seen
		need = g1
	}
	return fmt.Sprintf("publish at least %s before emitting (lead), and let the gate of verify wait for %s", plan.Text(roundUp(need)), v.Name)
}

// leadSeen is the least lead for a validator by everything that the run has seen, also of its
// publisher; 0 where the page's is enough or no lead is.
func leadSeen(e *evidence.Evidence, validator string) time.Duration {
	for _, b := range e.BoundsSeen() {
		if b.Rule == "G1" && b.Validator == validator && !b.Held && b.Needed != runbook.Forever {
			return b.Needed
		}
	}
	return 0
}

// roundUp rounds page time up to whole seconds.
func roundUp(d time.Duration) time.Duration {
	if d == runbook.Forever {
		return d
	}
	return (d + time.Second - 1).Truncate(time.Second)
}

// fetchedEvery is how long the validator kept its set before it learned the new credential, in page
// time: the next rotation may come right after a fetch. 0 where that was not seen, or the new
// credential itself caused the fetch.
func (c *Cell) fetchedEvery() time.Duration {
	if !c.EverLearned || c.Validator.OnMiss {
		return 0
	}
	var before history.Offset
	for _, fetch := range c.Fetches(c.Validator.Name, 0, c.LearnedAt-evidence.Nearly/10) {
		before = fetch.At
	}
	if before == 0 || before > c.Accepted {
		return 0 // it fetched since the accept, and did not get it for another reason
	}
	kept := c.LearnedAt - before
	if v := c.Validator; v.Learns == runbook.Forever || kept <= history.Offset(c.Limits.Wall(v.Learns)+v.Granule)+evidence.Nearly {
		return 0 // as the page says, within the precision of clocks and logs
	}
	return c.Limits.Page(kept.Duration())
}
