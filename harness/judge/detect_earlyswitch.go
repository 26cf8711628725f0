package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// earlySwitch matches where the new credential was refused before any emitter was told
// to use it: whoever refused it need not have learned it yet.
func earlySwitch(c *cell) (explanation, bool) {
	at, before, early := c.usedEarly(c.presenter)
	if !c.isFresh() || !early || c.first >= at+before {
		return explanation{}, false
	}
	emitter := c.emitterOf(c.presenter)
	return explanation{
		cause: CauseEarlySwitch, consumer: emitter,
		why: fmt.Sprintf("%s used it from %s on, %s before it was told to: %s need not have learned it by then", emitter, at, c.page(before), c.validator.Name),
		fix: earlyCure(emitter),
	}, true
}

func earlyCure(emitter string) string {
	return fmt.Sprintf("have %s use what it is told to emit, and not the newest that it finds: until that is emitted it is there for validators to learn", emitter)
}

// usedEarly is when a presenter first presented the new credential, and how long that
// was before the rotation told anybody to use it; false: it did not, or presents every
// accepted one at once.
func (e *evidence) usedEarly(presenter string) (at, before history.Offset, early bool) {
	told, was := e.begun(string(keyring.Emit), e.fresh)
	tried, begun := e.view.Tried[string(keyring.Emit)][e.fresh]
	switch {
	case e.several(presenter) || e.fresh == "", !was && !begun && e.ended == history.EndedComplete:
		return 0, 0, false
	case !was && begun:
		told = tried
	case !was: // it was stopped, or went back, before
		told = e.end
	}
	for _, key := range e.hop() {
		if key.Presenter != presenter || key.Credential != e.fresh {
			continue
		}
		for _, b := range e.view.Buckets(key, e.start, told) {
			if b.Answered() > 0 && (!early || b.At < at) {
				at, early = b.At, true
			}
		}
	}
	return at, told - at, early && told-at > history.Offset(nearly)
}

// early is the finding of an emitter that used the new credential before it was told
// to, where nobody was refused for that.
func (e *evidence) early() (Finding, bool) {
	for _, key := range e.hop() {
		at, before, early := e.usedEarly(key.Presenter)
		if !early || key.Credential != e.fresh {
			continue
		}
		emitter := e.emitterOf(key.Presenter)
		return Finding{
			Level: Warning, Presenter: key.Presenter, Validator: key.Validator, Consumer: emitter, Credential: e.fresh, CausedBy: string(keyring.Accept), Cause: CauseEarlySwitch,
			FirstPhase: e.phaseAt(at), FirstMS: at.Milliseconds(), LastMS: (at + before).Milliseconds(), Count: 1,
			Message: fmt.Sprintf("held by luck: %s used %s from %s on, %s before it was told to, so that nobody had the lead to learn it; nobody was refused this time", emitter, e.fresh, at, e.page(before)),
			Fix:     earlyCure(emitter),
		}, true
	}
	return Finding{}, false
}
