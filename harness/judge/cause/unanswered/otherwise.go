package unanswered

import (
	"cmp"
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// FreshAnsweredOtherwise matches where the party that checks answered the new credential, and never the
// old one, with an error: it neither took nor refused it, but limits its rate (429) or fails at it.
func FreshAnsweredOtherwise(c *cell.Cell) (cell.Explanation, bool) {
	key, _, ok := freshOtherwise(c)
	if !ok {
		return cell.Explanation{}, false
	}
	return tellOtherwise(c, key), true
}

// freshOtherwise is the cell of the new credential at the party to which the suffering one presents it,
// where the old credential did not get its errors, and they are what is missing.
func freshOtherwise(c *cell.Cell) (key history.CellKey, sum history.Counts, ok bool) {
	if c.Limits.JudgedAt == history.FromLoad {
		return key, sum, false // see answeredAsFailing of cause
	}
	presenter := c.Presenter // also of one that delivers later what it is told
	if c.Symptom == cell.Unanswered {
		presenter = c.Validator.Name
	}
	for _, key := range c.JudgedCells() {
		if key.Presenter != presenter || key.Validator == presenter || key.Credential != c.Fresh || c.Symptom == cell.Absent && key.Validator != c.Validator.Name {
			continue
		}
		old := key
		old.Credential = c.Old
		was := c.View.Sum(old, c.Start, c.End+1)
		sum = c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly)
		of := &cell.Cell{Evidence: c.Evidence, Sum: &sum}
		kind, _, n := Mostly(of)
		if answered := kind == classes[5] || kind == classes[4]; answered && 2*n > c.Sum.Unavailable && was.OK >= evidence.LeastAttempts && plan.Within(c.Limits.Objective, was.Unavailable, was.Attempts) {
			return key, sum, true
		}
	}
	return key, sum, false
}

// OnlyTooMany matches where every refusal said that too much is asked (429): the new credential has a
// lower limit than the old one.
func OnlyTooMany(c *cell.Cell) (cell.Explanation, bool) {
	if !c.IsFresh() || c.Sum.Statuses[history.StatusTooMany] < c.Sum.AuthFailures {
		return cell.Explanation{}, false
	}
	return tellOtherwise(c, history.CellKey{Source: c.Limits.JudgedAt, Presenter: c.Presenter, Validator: c.Validator.Name, Credential: c.Fresh}), true
}

// tellOtherwise tells of the errors in a cell of the new credential, and whether they are known to come
// of that credential and not of the time or the rate.
func tellOtherwise(c *cell.Cell, key history.CellKey) cell.Explanation {
	at := &cell.Cell{Evidence: c.Evidence, Presenter: key.Presenter, Validator: plan.Validator{Name: key.Validator}, Sum: &history.Counts{}}
	*at.Sum = c.View.Sum(key, c.First-evidence.Nearly, c.Last+evidence.Nearly)
	bad := at.Sum.Unavailable + at.Sum.AuthFailures
	old := key
	old.Credential = c.Old
	emitted, _ := c.Begun(keyring.Emit, c.Fresh)
	before, now := asked(c, old, c.Start, emitted), asked(c, key, c.First, c.Last)
	if at.Sum.Statuses[history.StatusTooMany] >= bad {
		told := cell.Explanation{
			Cause: judge.CauseTurnedAway, Consumer: key.Validator, Credential: c.Fresh,
			Why: fmt.Sprintf("%s answered 429 to %d of %d requests of %s with %s, %.3g a second, and to none of %.3g a second with %s before: %s has a lower limit",
				key.Validator, bad, at.Sum.Attempts, key.Presenter, c.Fresh, now, before, c.Old, c.Fresh),
			Fix: fmt.Sprintf("have %s give %s the limits of %s (its plan, tier or environment) before emitting, and show it there as often as %s asks", key.Validator, c.Fresh, c.Old, key.Presenter),
		}
		if now > alike*before {
			told.Why = fmt.Sprintf("%s answered 429 to %d of %d requests of %s with %s, %.3g a second, and to none of %.3g a second with %s before: it was not seen whether %s has a lower limit or this is more than anybody may ask",
				key.Validator, bad, at.Sum.Attempts, key.Presenter, c.Fresh, now, before, c.Old, c.Fresh)
			told.Fix = fmt.Sprintf("look up the limits of %s, per credential and in all, and rehearse again at the rate that was held with %s", key.Validator, c.Old)
		}
		return told
	}
	_, statuses, _ := Mostly(at)
	told := cell.Explanation{
		Cause: judge.CauseFailing, Consumer: key.Validator, Credential: c.Fresh,
		Why: fmt.Sprintf("%s answered %s to %d of %d requests of %s with %s, and to none with %s: ", key.Validator, statuses, bad, at.Sum.Attempts, key.Presenter, c.Fresh, c.Old),
		Fix: fmt.Sprintf("find out why %s answers %s to %s, and emit it only when a canary of it is taken: look into the log of %s from %s on", key.Validator, statuses, c.Fresh, key.Validator, c.Moment(c.First)),
	}
	if madeUp, shown := answeredMadeUp(c.Evidence, key.Validator, statuses); shown {
		told.Why += fmt.Sprintf("it answers %s to a %s too, so that is how it refuses, and it did not take %s", statuses, madeUp, c.Fresh)
		told.Fix = fmt.Sprintf("find out why %s does not take %s (it may not have read it yet), and emit it only when a canary of it is taken%s", key.Validator, c.Fresh, declareRefusal(c.Evidence, key.Validator, statuses))
		return told
	}
	canary := c.View.Said(key.Validator, c.Fresh, history.Canary)
	if canary.Unanswered > 0 && canary.Taken == 0 || c.View.Sum(old, c.First, c.Last).OK > 0 {
		told.Why += "it fails at that credential, or this is how it refuses it"
		return told
	}
	told.Why += fmt.Sprintf("%s was not presented in that time, so that it may have failed at everything", c.Old)
	return told
}

// answeredMadeUp is what nobody had issued and a validator answered with a status, as the harness
// calls it ("delivery signed with a made-up secret"). It is shown where something of the rotation
// was just taken, so that the status is none of a service that fails at everything.
func answeredMadeUp(e *evidence.Evidence, validator, status string) (presentation string, shown bool) {
	for _, event := range e.Events {
		if event.Kind != history.KindProbe || event.Service != validator {
			continue
		}
		if p := event.Probe; p.Purpose.Invented() && p.Outcome == history.Unavailable && p.Status == status {
			return cmp.Or(p.Presentation, "credential that nobody issued"), true
		}
	}
	return "", false
}

// alike is the factor up to which two rates count as equal.
const alike = 1.25

// asked is the rate of a cell's requests, per second.
func asked(c *cell.Cell, key history.CellKey, from, to history.Offset) float64 {
	sum := c.View.Sum(key, from, to+1)
	return float64(sum.Attempts) / max(1, time.Duration(to-from).Seconds())
}
