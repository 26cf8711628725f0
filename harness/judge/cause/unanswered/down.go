package unanswered

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// AbsentBehind matches where a service gave no good answer since the party that it presents its
// credential to gave none. A service that was stopped itself gets no answer from anybody.
func AbsentBehind(c *cell.Cell) (cell.Explanation, bool) {
	service := c.Validator.Name
	disturbed, _ := c.FaultOn(service, c.First)
	authority, behind := c.Behind(func(counts history.Counts) int64 { return counts.Unavailable })
	if !behind || slices.Contains(evidence.Stopping, disturbed) {
		return cell.Explanation{}, false
	}
	told := tellAbsent(c, service, authority)
	if kind, ok := c.FaultOn(authority, c.First); ok {
		told.CausedBy = kind
		told.Why += ": it was under the fault " + kind
	} else if r, ok := c.FaultBetween(service, authority, c.First); ok {
		told.Consumer, told.CausedBy, told.Fix = r.Target, r.Kind, mendTheWay(r, authority)
		told.Why += ": the way there was under the fault " + r.Kind
	}
	return told, true
}

// tellAbsent is an explanation by what an authority had in place of good answers: of errors it says which.
func tellAbsent(c *cell.Cell, service, authority string) cell.Explanation {
	var of history.Counts
	most, status := int64(0), ""
	for _, key := range c.View.Keys() {
		if key.Source != c.Limits.JudgedAt || key.Presenter != service || key.Validator != authority {
			continue
		}
		sum := c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly)
		of.Attempts += sum.Attempts
		for _, is := range slices.Sorted(maps.Keys(sum.Statuses)) {
			if code, err := strconv.Atoi(is); err == nil && len(is) == 3 && code >= http.StatusBadRequest && sum.Unavailable > 0 && sum.Statuses[is] > most {
				most, status = sum.Statuses[is], is
			}
		}
	}
	told := cell.Explanation{Cause: judge.CauseServiceDown, Consumer: authority, Why: fmt.Sprintf("%s, to which %s presents the credential, gave no answer", authority, service)}
	if most > 0 {
		told.Cause, told.Why = judge.CauseFailing, fmt.Sprintf("%s, to which %s presents the credential, answered %s to %d of %s", authority, service, status, most, plan.Counted(of.Attempts, "attempt"))
		told.Fix = fmt.Sprintf("find out why %s answers that, and rotate only when it no longer does", authority)
	}
	if status == history.StatusTooMany {
		told.Cause = judge.CauseTurnedAway
		told.Fix = fmt.Sprintf("have %s call %s less often, or have the limit raised: it is below the rate of %s, with any credential", service, authority, service)
	}
	return told
}

// CutOffWay matches where an emitter had no answer from the party that it presents to while a fault was
// in effect between them.
func CutOffWay(c *cell.Cell) (cell.Explanation, bool) {
	r, ok := c.FaultBetween(c.Presenter, c.Validator.Name, c.First)
	if !ok {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Cause: judge.CauseServiceDown, CausedBy: r.Kind, Consumer: r.Target,
		Why: "the way " + r.Target + " was disturbed" + c.Cite([]judge.FaultReport{r}), Fix: mendTheWay(r, c.Validator.Name),
	}, true
}

// mendTheWay is the cure for a fault on the way to a party.
func mendTheWay(r judge.FaultReport, party string) string {
	return fmt.Sprintf("mend the way %s, or rehearse what should happen when it is disturbed: %s and the credential are not at fault", r.Target, party)
}

// FaultAtTheService matches where a service was under a fault when it began to
// give no answer.
func FaultAtTheService(c *cell.Cell) (cell.Explanation, bool) {
	kind, ok := c.FaultOn(c.Validator.Name, c.First)
	return cell.Explanation{CausedBy: kind, Why: "it was under the fault " + kind}, ok
}

// Exited matches where a service had ended.
func Exited(c *cell.Cell) (cell.Explanation, bool) {
	at, ok := c.View.Exited[c.Validator.Name]
	return cell.Explanation{Why: "it ended at " + c.Moment(at)}, ok
}

// replacing bounds the time between a new instance's first answer and the end of the old one, which is
// when the replacement is recorded.
const replacing = history.Offset(5 * time.Second)

// Renewing matches where a service gave no answer while it was made to take what was published.
func Renewing(c *cell.Cell) (cell.Explanation, bool) {
	how, at := renewed(c)
	if how == "" {
		return cell.Explanation{}, false
	}
	return cell.Explanation{
		Why: fmt.Sprintf("it was %s at %s, to take what was published", how, c.Moment(at)),
		Fix: fmt.Sprintf("let %s answer the requests that it has begun before it ends (drain), and start the new process before the old one ends", c.Validator.Name),
	}, true
}

// renewed is how and when the service was made to take what was published, where the cell may suffer
// from that; how is empty where it was not.
func renewed(c *cell.Cell) (how string, at history.Offset) {
	for _, event := range c.Events {
		if event.Kind != history.KindDelivered || event.Service != c.Validator.Name ||
			event.At < c.First-evidence.Nearly || event.At > c.First+replacing {
			continue
		}
		switch event.What {
		case runbook.Env:
			return "restarted", event.At
		case history.Reload:
			return "made to reload", event.At
		}
	}
	return "", 0
}
