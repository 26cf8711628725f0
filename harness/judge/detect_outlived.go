package judge

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// outlived matches where what had been made with the old credential was still in
// use when that was revoked.
func outlived(c *cell) (explanation, bool) {
	if !c.usedAfter() {
		return explanation{}, false
	}
	revoked, _ := c.begun(string(keyring.Revoke), c.old)
	emitter := c.emitterOf(c.presenter)
	switched := c.view.Switched[emitter][c.fresh]
	return explanation{
		cause: CauseOutlived, consumer: c.presenter,
		why: fmt.Sprintf("what it had been given with %s outlived it: %s was revoked %s after %s switched, and was in use for %s", c.old, c.old, c.page(revoked-switched), emitter, c.page(c.last-switched)),
		fix: c.fixWindow(c.presenter, c.last-switched),
	}, true
}

// fixWindow says how long after the last switch the old credential has to stay for
// what a presenter was given with it: by its own life where that is known, by the
// page, and by what was in use for longer.
func (e *evidence) fixWindow(presenter string, used history.Offset) string {
	client, _ := e.limits.Client(presenter)
	m, _ := e.limits.Emitter(presenter)
	life := max(client.Life, m.Life)
	needed, page := e.limits.Outlives(life), e.longerThanThePage(life)
	if until := e.limits.Exception(presenter).Until; until > 0 {
		if page = ""; until < life {
			page = fmt.Sprintf(", and write until: %s for its exception on the page, which says %s", plan.Text(life), plan.Text(until))
		}
		needed = max(needed, until)
	}
	return fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s, and only when the use of %s is zero",
		plan.Text(max(needed, e.limits.Page(used.Duration()).Round(time.Second))), page, e.old)
}

// beforeRevoke reports whether refusals began before the old credential was
// revoked. An authority refuses before that step is done.
func (e *evidence) beforeRevoke(sum *history.Counts) bool {
	revoked, wasRevoked := e.begun(string(keyring.Revoke), e.old)
	return !wasRevoked || sum.FirstFailure < revoked-history.Offset(nearly)
}

// longerThanThePage is what to write on the page where something lives longer than
// it says; "" where it does not.
func (e *evidence) longerThanThePage(life time.Duration) string {
	if life <= e.limits.LongestLife {
		return ""
	}
	return fmt.Sprintf(", and write longest_life: %s on the page, which says %s", plan.Text(life), plan.Text(e.limits.LongestLife))
}
