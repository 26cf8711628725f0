package learning

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
)

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
