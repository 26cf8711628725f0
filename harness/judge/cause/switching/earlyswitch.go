package switching

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// EarlySwitch matches where the new credential was refused before any emitter was told to use it:
// validators need not have learned it yet.
func EarlySwitch(c *cell.Cell) (cell.Explanation, bool) {
	at, before, early := usedEarly(c.Evidence, c.Presenter)
	if !c.IsFresh() || !early || c.First >= at+before {
		return cell.Explanation{}, false
	}
	emitter := c.EmitterOf(c.Presenter)
	return cell.Explanation{
		Cause: judge.CauseEarlySwitch, Consumer: emitter,
		Why: fmt.Sprintf("%s used it from %s on, %s before the step emit: %s need not have learned it by then", emitter, c.Moment(at), c.Page(before), c.Validator.Name),
		Fix: earlyCure(emitter),
	}, true
}

func earlyCure(emitter string) string {
	return fmt.Sprintf("have %s use the credential that was emitted, not the newest that is published: before its emit, that one is only there for validators to learn", emitter)
}

// usedEarly is when a presenter first presented the new credential, and how long that was before the
// emit; false where it did not, or presents every accepted credential at once.
func usedEarly(e *evidence.Evidence, presenter string) (at, before history.Offset, early bool) {
	told, was := e.Begun(keyring.Emit, e.Fresh)
	tried, begun := e.View.Tried[string(keyring.Emit)][e.Fresh]
	switch {
	case e.Several(presenter) || e.Fresh == "", !was && !begun && e.Ended == history.EndedComplete:
		return 0, 0, false
	case !was && begun:
		told = tried
	case !was: // the rotation stopped or went back before the emit
		told = e.End
	}
	for _, key := range e.JudgedCells() {
		if key.Presenter != presenter || key.Credential != e.Fresh {
			continue
		}
		for _, b := range e.View.Buckets(key, e.Start, told) {
			if b.Answered() > 0 && (!early || b.At < at) {
				at, early = b.At, true
			}
		}
	}
	return at, told - at, early && told-at > evidence.Nearly
}

// Early is the finding about an emitter that used the new credential before the emit, where nobody was
// refused for that: what it does was seen, whatever came of it.
func Early(e *evidence.Evidence) (judge.Finding, bool) {
	for _, key := range e.JudgedCells() {
		at, before, early := usedEarly(e, key.Presenter)
		if !early || key.Credential != e.Fresh {
			continue
		}
		emitter := e.EmitterOf(key.Presenter)
		return judge.Finding{
			Level: judge.Error, Presenter: key.Presenter, Validator: key.Validator, Consumer: emitter, Credential: e.Fresh, CausedBy: string(keyring.Accept), Cause: judge.CauseEarlySwitch,
			FirstPhase: e.PhaseAt(at), FirstMS: at.Milliseconds(), LastMS: (at + before).Milliseconds(), Count: 1,
			Message: fmt.Sprintf("held by luck: %s used %s from %s on, %s before the step emit, so that no validator had the lead to learn it; nobody was refused this time", emitter, e.Fresh, e.Moment(at), e.Page(before)),
			Fix:     earlyCure(emitter),
		}, true
	}
	return judge.Finding{}, false
}
