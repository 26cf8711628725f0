package learning

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// StartedAnew matches where a validator learned the new credential only when a fault that stopped it
// was over, and had not fetched before for longer than the page says: no lead would have been long
// enough.
func StartedAnew(c *cell.Cell) (cell.Explanation, bool) {
	v, g1 := c.Validator, c.Limits.G1(c.Validator)
	fault, stopped := c.ReportOn(v.Name, c.LearnedAt-evidence.Nearly)
	if !c.Late() || v.Reads || !stopped || !slices.Contains(evidence.Stopping, fault.Kind) {
		return cell.Explanation{}, false
	}
	injected := history.Milliseconds(fault.InjectedMS)
	overdue := g1 == runbook.Forever || injected-c.Accepted > history.Offset(c.Limits.Wall(g1)+v.Granule)
	if !overdue || len(c.Fetches(v.Name, c.Start+evidence.Nearly, injected-1)) > 0 {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseNeverLearned,
		Why: fmt.Sprintf("%s%s learned it only when it was restarted (the fault %s), %s after it was accepted, and had not fetched before; the page says that it learns within %s",
			v.Name, c.OffPage(v.Name), fault.Kind, c.Page(c.LearnedAt-c.Accepted), plan.Text(v.Learns)),
		Fix: fmt.Sprintf("make %s fetch the set again, or restart it during the lead%s", v.Name, onlyAtItsStart),
	}, true
}

// CameBackOld matches where a fault restarted a validator that used a credential, and it refused that
// until its next fetch: it starts with an old set, or with none.
func CameBackOld(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	fault, stopped := c.ReportOn(v.Name, c.First)
	if soon := evidence.Nearly; !stopped {
		for _, r := range c.Near(c.First-2*soon, c.First, v.Name) { // its old instance may have answered a little longer
			fault, stopped = r, r.Target == v.Name
		}
	}
	if !stopped || !slices.Contains(evidence.Stopping, fault.Kind) || fault.Kind == "pause" || !c.HadIt() {
		return cell.Explanation{}, false
	}
	injected := history.Milliseconds(fault.InjectedMS)
	fetches := c.Fetches(v.Name, injected, c.Last+evidence.Nearly)
	fetches = slices.DeleteFunc(fetches, func(f history.Event) bool { return !slices.Contains(f.Credentials, c.Credential) })
	if len(fetches) > 0 && fetches[0].At < c.Last-evidence.Nearly {
		return cell.Explanation{}, false // it had the credential again, and refused it for another reason
	}
	until := "and had not fetched the set by the end"
	if len(fetches) > 0 {
		until = fmt.Sprintf("until it fetched the set, %s after that", c.Page(fetches[0].At-injected))
	}
	return cell.Explanation{
		Cause: judge.CauseStaleCache, CausedBy: fault.Kind,
		Why: fmt.Sprintf("%s took it, was restarted at %s (the fault %s) and refused it from then on, %s: it starts with keys from before, as on its disk or in its image",
			v.Name, c.Moment(injected), fault.Kind, until),
		Fix: fmt.Sprintf("have %s fetch the set when it starts, before it answers; until then restart no replica and add none during a rotation", v.Name),
	}, true
}
