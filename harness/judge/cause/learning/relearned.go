package learning

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// NotRelearned matches where the rollback accepted the old credential again and a validator that had
// forgotten it refused it: it had to be learned anew.
func NotRelearned(c *cell.Cell) (cell.Explanation, bool) {
	restored, back := c.Done(keyring.Restore, c.Old)
	if !back || c.IsFresh() || c.Validator.Authority || c.First < restored {
		return cell.Explanation{}, false
	}
	v := c.Validator
	at, relearned := c.Learned(v.Name, c.Old, restored)
	told := cell.Explanation{
		Cause: judge.CauseNeverLearned, CausedBy: string(keyring.Restore),
		Why: fmt.Sprintf("%s%s had forgotten it, and did not learn it again when it was accepted anew on the way back", v.Name, c.OffPage(v.Name)),
		Fix: fmt.Sprintf("go back to %s only when %s takes it again: have it fetch anew, or restart it, as a step of the way back", c.Old, v.Name),
	}
	if relearned {
		told.Cause = judge.CauseStaleCache
		told.Why = fmt.Sprintf("%s%s had forgotten it, and learned it again only %s after it was accepted anew on the way back", v.Name, c.OffPage(v.Name), c.Page(at-restored))
	}
	whom, how, tried := c.InVain(restored, c.Last)
	if how != "" {
		told.Cause, told.Consumer = judge.CauseSourceDown, whom
		told.Why += fmt.Sprintf("; it asked %s for the set %s after that and got none (%s)", whom, c.Page(tried-restored), how)
		told.Fix = fmt.Sprintf("bring %s back before going back to %s: a validator without a key set learns nothing", whom, c.Old)
	}
	if r, cut := c.CutFromSource(restored, c.Last); cut {
		told.Cause, told.Consumer, told.CausedBy = judge.CauseSourceDown, r.Target, r.Kind
		told.Fix = fmt.Sprintf("mend %s (here the fault %s) before going back to %s: a validator without a key set learns nothing", r.Target, r.Kind, c.Old)
	}
	return told, true
}
