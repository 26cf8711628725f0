package switching

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// FlagDayOld matches where what was made with the old credential was refused as soon as there was a new
// one.
func FlagDayOld(c *cell.Cell) (cell.Explanation, bool) {
	if !c.UsedAfter() || !c.FlagDay() {
		return cell.Explanation{}, false
	}
	switched := c.View.Switched[c.EmitterOf(c.Presenter)][c.Fresh]
	until := fmt.Sprintf("what %s had obtained with %s was refused until %s after the switch", c.Presenter, c.Old, c.Page(c.Last-switched))
	if switched == 0 || c.Last <= switched {
		until = fmt.Sprintf("%s still used %s, until it switched", c.Presenter, c.Old)
	}
	return cell.Explanation{
		Cause: judge.CauseFlagDay, Consumer: c.Presenter,
		Why: "accept, emit and revoke fell together; " + until,
		Fix: fmt.Sprintf("keep %s accepted for at least %s after the last emitter's switch (overlap.window)", c.Old, plan.Text(c.Limits.G2())),
	}, true
}

// FlagDayFresh matches where the new credential was used before anybody could have learned it.
func FlagDayFresh(c *cell.Cell) (cell.Explanation, bool) {
	if !c.Late() || !c.FlagDay() {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseFlagDay,
		Why:   fmt.Sprintf("accept, emit and revoke fell together, so %s met %s before it could learn it%s", c.Validator.Name, c.Fresh, c.UntilLearned()),
		Fix:   c.FixLead(),
	}, true
}
