package switching

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Outlived matches where something made with the old credential was still in use at the revoke.
func Outlived(c *cell.Cell) (cell.Explanation, bool) {
	if !c.UsedAfter() {
		return cell.Explanation{}, false
	}
	revoked, _ := c.Begun(keyring.Revoke, c.Old)
	emitter := c.EmitterOf(c.Presenter)
	switched := c.View.Switched[emitter][c.Fresh]
	return cell.Explanation{
		Cause: judge.CauseOutlived, Consumer: c.Presenter,
		Why: fmt.Sprintf("what was made with %s outlived it: %s was revoked %s after %s switched, and was in use for %s", c.Old, c.Old, c.Page(revoked-switched), emitter, c.Page(c.Last-switched)),
		Fix: FixWindow(c.Evidence, c.Presenter, c.Last-switched),
	}, true
}

// FixWindow says how long after the last switch the old credential must stay for what a presenter was
// given with it: by the life of that where known, by the page, and by what was in use for longer.
func FixWindow(e *evidence.Evidence, presenter string, used history.Offset) string {
	client, _ := e.Limits.Client(presenter)
	m, _ := e.Limits.Emitter(presenter)
	life := max(client.Life, m.Life)
	needed, page := e.Limits.Outlives(life), LongerThanThePage(e, life)
	if until := e.Limits.Exception(presenter).Until; until > 0 {
		if page = ""; until < life {
			page = fmt.Sprintf(", and write until: %s for its exception on the page, which says %s", plan.Text(life), plan.Text(until))
		}
		needed = max(needed, until)
	}
	return fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s, and only when the use of %s is zero%s",
		plan.Text(max(needed, e.Limits.Page(used.Duration()).Round(time.Second))), page, e.Old, shorterTokens(e, client))
}

// shorterTokens is the other cure where a client's tokens live for longer than the page says; "" where they do not.
func shorterTokens(e *evidence.Evidence, client plan.Client) string {
	if most := e.Limits.LongestLife; client.Life > most && e.Limits.Exception(client.Name).Until == 0 && e.Limits.Window >= e.Limits.G2() {
		return fmt.Sprintf("; or give %s tokens of at most %s, as the page says", client.Name, plan.Text(most))
	}
	return ""
}

// LongerThanThePage is what to write on the page for something that lives longer than the page says; ""
// where nothing does.
func LongerThanThePage(e *evidence.Evidence, life time.Duration) string {
	if life <= e.Limits.LongestLife {
		return ""
	}
	return fmt.Sprintf(", and write longest_life: %s on the page, which says %s", plan.Text(life), plan.Text(e.Limits.LongestLife))
}
