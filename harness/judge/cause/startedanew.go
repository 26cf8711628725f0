package cause

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// startedAnew matches where a validator learned the new credential when a fault that
// stopped it was over, and had not fetched once before, for longer than the page says: no
// lead would have been long enough.
func startedAnew(c *Cell) (Explanation, bool) {
	v, g1 := c.Validator, c.Limits.G1(c.Validator)
	fault, stopped := c.ReportOn(v.Name, c.LearnedAt-history.Offset(evidence.Nearly))
	if !c.late() || v.Reads || !stopped || !slices.Contains(stopping, fault.Kind) {
		return Explanation{}, false
	}
	injected := history.Offset(time.Duration(fault.InjectedMS) * time.Millisecond)
	overdue := g1 == runbook.Forever || injected-c.Accepted > history.Offset(c.Limits.Wall(g1)+v.Granule)
	if !overdue || len(c.Fetches(v.Name, c.Start+history.Offset(evidence.Nearly), injected-1)) > 0 {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseNeverLearned,
		Why: fmt.Sprintf("%s%s learned it only when it was started anew (the fault %s), %s after it was accepted, and had not fetched before; the page says that it learns within %s",
			v.Name, c.OffPage(v.Name), fault.Kind, c.Page(c.LearnedAt-c.Accepted), plan.Text(v.Learns)),
		Fix: fmt.Sprintf("make %s fetch the set again, or start it anew during the lead: it reads that when it is started, and no lead is long enough", v.Name),
	}, true
}
