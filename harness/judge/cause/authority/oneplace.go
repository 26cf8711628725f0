package authority

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// givesPlace words the steps that give a credential the only place of an authority.
var givesPlace = map[keyring.Step]string{keyring.Accept: "accepting", keyring.Restore: "restoring", keyring.Emit: "going back to"}

// OnePlace matches where an authority with room for one credential had replaced this one before it was
// refused. A later return of this one counts only where that was long enough before.
func OnePlace(c *cell.Cell) (cell.Explanation, bool) {
	v := c.Validator
	by, ok := replacedBy(c)
	if !ok {
		return cell.Explanation{}, false
	}
	told := cell.Explanation{
		Cause: judge.CauseOneSlot, Consumer: v.Name, CausedBy: by.Step,
		Why: fmt.Sprintf("%s has one password at a time, so that %s %s made it refuse %s, which was still in use", v.Name, givesPlace[keyring.Step(by.Step)], by.Credential, c.Credential),
		Fix: fmt.Sprintf("give %s a second login beside the first (two roles under one owner, or a user with two passwords): with one, no lead or window is long enough", v.Name),
	}
	if took := by.At - evidence.Began(by); took > evidence.Nearly {
		told.Why += fmt.Sprintf("; %s could be read at the store only %s after %s had it, since the step was under way for that long", by.Credential, c.Page(took), v.Name)
		told.Fix += "; and alert on a step that takes longer than a minute, so that another rotator resumes what the keyring has as begun"
	}
	return told, true
}

// replacedBy is the step with which another credential took the only place.
func replacedBy(c *cell.Cell) (by history.Event, ok bool) {
	if !c.Validator.Authority || c.Validator.Keys != 1 {
		return by, false
	}
	for _, event := range c.Events {
		_, gives := givesPlace[keyring.Step(event.Step)]
		if event.Kind != history.KindStep || !gives || event.Detail != "" || evidence.Began(event) > c.First+evidence.BucketWidth {
			continue
		}
		switch mine := event.Credential == c.Credential; {
		case mine && event.At < c.First-evidence.Nearly:
			ok = false
		case !mine && !ok:
			by, ok = event, true
		}
	}
	return by, ok
}
