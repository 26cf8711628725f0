package judge

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// startedAnew matches where a validator learned the new credential when a fault that
// stopped it was over, and had not fetched once before, for longer than the page says: no
// lead would have been long enough.
func startedAnew(c *cell) (explanation, bool) {
	v, g1 := c.validator, c.limits.G1(c.validator)
	fault, stopped := c.reportOn(v.Name, c.learnedAt-history.Offset(nearly))
	if !c.late() || v.Reads || !stopped || !slices.Contains(stopping, fault.Kind) {
		return explanation{}, false
	}
	injected := history.Offset(time.Duration(fault.InjectedMS) * time.Millisecond)
	overdue := g1 == runbook.Forever || injected-c.accepted > history.Offset(c.limits.Wall(g1)+v.Granule)
	if !overdue || len(c.fetches(v.Name, c.start+history.Offset(nearly), injected-1)) > 0 {
		return explanation{}, false
	}
	return explanation{
		cause: CauseNeverLearned,
		why: fmt.Sprintf("%s%s learned it only when it was started anew (the fault %s), %s after it was accepted, and had not fetched before; the page says that it learns within %s",
			v.Name, c.offPage(v.Name), fault.Kind, c.page(c.learnedAt-c.accepted), plan.Text(v.Learns)),
		fix: fmt.Sprintf("make %s fetch the set again, or start it anew during the lead: it reads that when it is started, and no lead is long enough", v.Name),
	}, true
}
