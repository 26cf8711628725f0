package cause

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// FlagDay reports whether accept, emit and revoke came so close together that nobody could learn in
// between.
func (e *Case) FlagDay() bool {
	accepted, a := e.Done(string(keyring.Accept), e.Fresh)
	revoked, r := e.Done(string(keyring.Revoke), e.Old)
	return a && r && revoked-accepted <= history.Offset(e.Limits.Wall(e.Limits.Switching()))+2*evidence.Nearly
}

// flagDayFresh matches where the new credential was used before anybody could have learned it.
func flagDayFresh(c *Cell) (Explanation, bool) {
	if !c.late() || !c.FlagDay() {
		return Explanation{}, false
	}
	return Explanation{
		Cause: judge.CauseFlagDay,
		Why:   fmt.Sprintf("accept, emit and revoke fell together, so %s met %s before it could learn it%s", c.Validator.Name, c.Fresh, c.until()),
		Fix:   c.fixLead(),
	}, true
}

// flagDayOld matches where what was made with the old credential was refused as soon as there was a new
// one.
func flagDayOld(c *Cell) (Explanation, bool) {
	if !c.usedAfter() || !c.FlagDay() {
		return Explanation{}, false
	}
	switched := c.View.Switched[c.EmitterOf(c.Presenter)][c.Fresh]
	until := fmt.Sprintf("what %s had obtained with %s was refused until %s after the switch", c.Presenter, c.Old, c.Page(c.Last-switched))
	if switched == 0 || c.Last <= switched {
		until = fmt.Sprintf("%s still used %s, until it switched", c.Presenter, c.Old)
	}
	return Explanation{
		Cause: judge.CauseFlagDay, Consumer: c.Presenter,
		Why: "accept, emit and revoke fell together; " + until,
		Fix: fmt.Sprintf("keep %s accepted for at least %s after the last emitter's switch (overlap.window)", c.Old, plan.Text(c.Limits.G2())),
	}, true
}
