package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// stillStale matches where a validator had not learned the new credential when it
// was last refused, and need not have by then.
func stillStale(c *cell) (explanation, bool) {
	v, g1, last := c.validator, c.limits.G1(c.validator), c.last-c.accepted
	if !c.late() || c.everLearned || g1 == runbook.Forever || last >= history.Offset(c.limits.Wall(g1)+v.Granule) {
		return explanation{}, false
	}
	return explanation{
		cause: CauseStaleCache,
		why:   fmt.Sprintf("%s%s had not learned it %s after it was accepted, and the lead was %s; it may take %s", v.Name, c.offPage(v.Name), c.page(last), c.page(c.lead()), plan.Text(g1)),
		fix:   c.fixLead(),
	}, true
}

// neverLearned matches where a validator never took the new credential.
func neverLearned(c *cell) (explanation, bool) {
	if !c.late() || c.everLearned {
		return explanation{}, false
	}
	v, page := c.validator, ""
	if !v.OnPage {
		page = "put " + v.Name + " on the page and "
	}
	who := v.Name
	if page != "" {
		who = "it"
	}
	if v.Reads {
		return explanation{
			cause: CauseNeverLearned,
			why:   fmt.Sprintf("%s%s never took it: %s", v.Name, c.offPage(v.Name), c.lastLoaded(v.Name)),
			fix:   fmt.Sprintf("%shave %s read what is published again during the lead (a reload, a signal, a restart), and look at whether it did before emitting", page, who),
		}, true
	}
	return explanation{
		cause: CauseNeverLearned,
		why:   fmt.Sprintf("%s%s never learned it: %s", v.Name, c.offPage(v.Name), c.lastFetch(v.Name)),
		fix:   fmt.Sprintf("%smake %s fetch the set again, or reload it during the lead%s", page, who, c.noLead()),
	}, true
}

// noLead adds that waiting longer is no cure of a validator that read its set when
// it was started, and not once since the rotation began.
func (c *cell) noLead() string {
	if v := c.validator.Name; c.hasFetches(v) && len(c.fetches(v, c.start, c.end)) == 0 {
		return ": it reads that when it is started, and no lead is long enough"
	}
	return ""
}

// staleCache matches where a validator learned the new credential after it was
// first used, and nothing else made it late. One that goes on refusing nearly everything
// when it has learned it does so for something else.
func staleCache(c *cell) (explanation, bool) {
	if !c.late() || c.refusesOn() {
		return explanation{}, false
	}
	name := c.validator.Name
	return explanation{
		cause: CauseStaleCache,
		why:   fmt.Sprintf("%s%s learned it %s after it was accepted, and the lead was %s", name, c.offPage(name), c.page(c.learnedAt-c.accepted), c.page(c.lead())),
		fix:   c.fixLead(),
	}, true
}

// refusesOn says that the validator refused nearly everything for longer than it takes to
// tell after it had learned the credential.
func (c *cell) refusesOn() bool {
	key := history.CellKey{Source: c.limits.Hop, Presenter: c.presenter, Validator: c.validator.Name, Credential: c.credential}
	after := c.view.Sum(key, c.learnedAt+2*history.Offset(nearly), c.end+1)
	return after.AuthFailures > 0 && nearlyAll*after.OK < after.AuthFailures
}

// nearlyAll is how many refusals there are for each that was taken where nearly everything
// is refused.
const nearlyAll = 10
