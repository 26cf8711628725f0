package judge

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// withdrawnInUse matches where a new credential was taken back before what had
// been made with it was out of use.
func withdrawnInUse(c *cell) (explanation, bool) {
	withdrawn, there := c.done(string(keyring.Withdraw), c.fresh)
	if !there || !c.isFresh() || c.presenter == "" || c.first < withdrawn-history.Offset(nearly) {
		return explanation{}, false
	}
	emitter := c.emitterOf(c.presenter)
	switched := c.view.Switched[emitter][c.old]
	return explanation{
		cause: CauseOutlived, consumer: c.presenter,
		why: fmt.Sprintf("what it had been given with %s outlived it: %s was withdrawn %s after %s switched back, and was in use for %s",
			c.fresh, c.fresh, c.page(withdrawn-switched), emitter, c.page(c.last-switched)),
		fix: fmt.Sprintf("withdraw %s at least %s after the last emitter switched back; where it is compromised, and cannot stay, have those who hold it renew at once",
			c.fresh, plan.Text(max(c.limits.G2(), c.limits.Page((c.last-switched).Duration()).Round(time.Second)))),
	}, true
}
