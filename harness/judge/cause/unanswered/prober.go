package unanswered

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// leastBurst is how often the harness must have asked within a second for that to be the explanation.
const leastBurst = 10

// TurnedProberAway matches where a service answers 429, to the harness too, after it had refused the
// harness again and again or was asked very often by it: it limits by address, and load and harness
// share one.
func TurnedProberAway(c *cell.Cell) (cell.Explanation, bool) {
	if _, statuses, _ := Mostly(c); statuses != history.StatusTooMany {
		return cell.Explanation{}, false
	}
	var refused, burst int64
	too := false
	for _, event := range c.Events {
		if event.Kind == history.KindProbe && event.Service == c.Validator.Name {
			if event.Probe.Outcome == history.AuthFailure && event.At <= c.First+evidence.Nearly {
				refused++
			}
			if from := c.First - history.Offset(time.Second); event.At >= from && event.At <= c.First+history.Offset(time.Second) {
				burst++
			}
			too = too || event.Probe.Status == history.StatusTooMany
		}
	}
	name := c.Validator.Name
	why := fmt.Sprintf("it had refused the harness %d times by then, and turns away whoever is refused so often: load and harness have one address here", refused)
	if refused < cell.LeastRefusedProbes {
		why = fmt.Sprintf("the harness had asked it %d times within a second of that, and it turns away whoever asks so often: load and harness have one address here", burst)
	}
	return cell.Explanation{
		Cause: judge.CauseLockedOut,
		Why:   why,
		Fix:   fmt.Sprintf("have %s leave the address of the rehearsal out of that limit, and rehearse again; where it counts by the address, a client that shares its address with one that is refused is turned away in production too", name),
	}, too && (refused >= cell.LeastRefusedProbes || burst >= leastBurst)
}
