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

// leastTurns is how often an emitter must be seen to go back to the old credential to count as several
// that disagree: once may be somebody who put it back.
const leastTurns = 2

// leastQuiet is how many times the longest time between two such moments must have passed without
// another for the last instance to have switched.
const leastQuiet = 2

// InTurns matches where an emitter that used both credentials in turns up to the revoke was refused
// with the old one.
func InTurns(c *cell.Cell) (cell.Explanation, bool) {
	if !c.UsedAfter() || c.FlagDay() {
		return cell.Explanation{}, false
	}
	return TellInTurns(c.Evidence, c.EmitterOf(c.Presenter))
}

// TellInTurns tells of an emitter that was seen to use the new credential and the old one in turns from
// the emit until the revoke: several instances share its address, and not all have switched. That one
// of them was seen with the new credential says nothing of the others.
func TellInTurns(e *evidence.Evidence, emitter string) (cell.Explanation, bool) {
	from, until := e.EmitToRevoke()
	turns, uses := 0, ""
	var last, over, between history.Offset // when it went back last, when that was over, and the longest from one such time to the next
	for _, event := range e.Events {
		if event.Kind != history.KindEmitting || event.Service != emitter || event.At < from || event.At >= until {
			continue
		}
		if event.Credential == e.Old && uses == e.Fresh {
			if turns > 0 {
				between = max(between, event.At-last)
			}
			turns, last = turns+1, event.At
		}
		if event.Credential == e.Fresh && uses == e.Old {
			over = event.At
		}
		uses = event.Credential
	}
	if turns < leastTurns {
		return cell.Explanation{}, false
	}
	told := cell.Explanation{
		Cause: judge.CauseNotSwitched, Consumer: emitter, CausedBy: string(keyring.Revoke),
		Why: fmt.Sprintf("part of %s%s still signed with %s: what it issued was signed with %s and %s in turns, and it went back %d times, last at %s",
			emitter, e.OffPage(emitter), e.Old, e.Fresh, e.Old, turns, e.Moment(last)),
		Fix: fmt.Sprintf("find the instance of %s that still has %s (ask each by its own address), and have it take what is published, or the step emit, like the others; revoke only when the use of %s is zero: while one instance does not switch, no overlap.window is long enough",
			emitter, e.Old, e.Old),
	}
	if over > last && until-over > leastQuiet*between {
		told.Why += fmt.Sprintf(", and no longer in the last %s before the revoke", e.Page(until-over))
		told.Fix = fmt.Sprintf("find the instance of %s that was late (ask each by its own address), and have it switch with the others; or revoke at least %s after the emit (overlap.window), when what the last instance signed has expired too",
			emitter, plan.Text((e.Limits.Page((over - from).Duration()) + e.Limits.G2() + evidence.Margin).Round(time.Second)))
	}
	return told, true
}
