package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// flagDay reports whether accept, emit and revoke came so close together that
// nobody could have learned in between.
func (e *evidence) flagDay() bool {
	accepted, a := e.done(string(keyring.Accept), e.fresh)
	revoked, r := e.done(string(keyring.Revoke), e.old)
	return a && r && revoked-accepted <= history.Offset(e.limits.Wall(e.limits.Switching())+2*nearly)
}

// flagDayFresh matches where the new credential was met before anybody could
// have learned it.
func flagDayFresh(c *cell) (explanation, bool) {
	if !c.late() || !c.flagDay() {
		return explanation{}, false
	}
	return explanation{
		cause: CauseFlagDay,
		why:   fmt.Sprintf("accept, emit and revoke fell together, so %s met %s before it could learn it%s", c.validator.Name, c.fresh, c.until()),
		fix:   c.fixLead(),
	}, true
}

// flagDayOld matches where what was made with the old credential was refused as
// soon as there was a new one.
func flagDayOld(c *cell) (explanation, bool) {
	if !c.usedAfter() || !c.flagDay() {
		return explanation{}, false
	}
	switched := c.view.Switched[c.emitterOf(c.presenter)][c.fresh]
	return explanation{
		cause: CauseFlagDay, consumer: c.presenter,
		why: fmt.Sprintf("accept, emit and revoke fell together; what %s had been given with %s was refused until %s after the switch", c.presenter, c.old, c.page(c.last-switched)),
		fix: fmt.Sprintf("keep %s accepted for at least %s after the last emitter's switch (overlap.window)", c.old, plan.Text(c.limits.G2())),
	}, true
}
