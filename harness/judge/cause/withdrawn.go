package cause

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// withdrawnInUse matches where a new credential was taken back before what had
// been made with it was out of use.
func withdrawnInUse(c *Cell) (Explanation, bool) {
	withdrawn, there := c.Done(string(keyring.Withdraw), c.Fresh)
	if !there || !c.isFresh() || c.Presenter == "" || c.First < withdrawn-evidence.Nearly {
		return Explanation{}, false
	}
	emitter := c.EmitterOf(c.Presenter)
	switched := c.View.Switched[emitter][c.Old]
	return Explanation{
		Cause: judge.CauseOutlived, Consumer: c.Presenter,
		Why: fmt.Sprintf("what it had been given with %s outlived it: %s was withdrawn %s after %s switched back, and was in use for %s",
			c.Fresh, c.Fresh, c.Page(withdrawn-switched), emitter, c.Page(c.Last-switched)),
		Fix: fmt.Sprintf("withdraw %s at least %s after the last emitter switched back; where it is compromised, and cannot stay, have those who hold it renew at once",
			c.Fresh, plan.Text(max(c.Limits.G2(), c.Limits.Page((c.Last-switched).Duration()).Round(time.Second)))),
	}, true
}
