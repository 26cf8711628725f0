package judge

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// replaced is the step with which an authority that has room for one credential
// took another in the place of this one, before this one was refused. That this
// one was given the place again counts where that was long enough before.
func (e *evidence) replaced(v plan.Validator, credential string, sum *history.Counts) (by history.Event, there bool) {
	if !v.Authority || v.Keys != 1 {
		return by, false
	}
	for _, event := range e.events {
		_, gives := givesPlace[keyring.Step(event.Step)]
		if event.Kind != history.KindStep || !gives || event.Detail != "" || began(event) > sum.FirstFailure+bucketWidth {
			continue
		}
		switch mine := event.Credential == credential; {
		case mine && event.At < sum.FirstFailure-history.Offset(nearly):
			there = false
		case !mine && !there:
			by, there = event, true
		}
	}
	return by, there
}

// givesPlace are the steps that give a credential the one place of an authority,
// each as something that somebody is at.
var givesPlace = map[keyring.Step]string{keyring.Accept: "accepting", keyring.Restore: "restoring", keyring.Emit: "going back to"}

func (e *evidence) tellReplaced(v plan.Validator, credential string, by history.Event) explanation {
	told := explanation{
		cause: CauseOneSlot, consumer: v.Name, causedBy: by.Step,
		why: fmt.Sprintf("%s has one password at a time, so that %s %s made it refuse %s, which was still in use", v.Name, givesPlace[keyring.Step(by.Step)], by.Credential, credential),
		fix: fmt.Sprintf("give %s a second login beside the first (two roles under one owner, or a user with two passwords): with one, no lead and no window is long enough", v.Name),
	}
	if took := by.At - began(by); took > history.Offset(nearly) {
		told.why += fmt.Sprintf("; %s could be read at the store only %s after %s had it, since the step was under way for that long", by.Credential, e.page(took), v.Name)
		told.fix += "; and be told of a step that is not done after a minute, so that another rotator takes up what the keyring has as begun"
	}
	return told
}

// cutOff is how many sessions of a consumer an authority ended in a stretch of
// time, and which.
func (e *evidence) cutOff(consumer string, from, to history.Offset) (authority string, n int64) {
	for _, event := range e.events {
		if event.Kind == history.KindEnded && event.Reader == consumer &&
			event.At >= from-history.Offset(nearly) && event.At <= to+history.Offset(nearly) {
			authority, n = event.Service, n+1
		}
	}
	return authority, n
}

// tellCutOff makes a finding of the end of sessions that were in use.
func (e *evidence) tellCutOff(f *Finding, authority string, n int64) (what string) {
	f.Cause, f.Credential = CauseCutOff, e.old
	m, _ := e.limits.Emitter(f.Consumer)
	f.Fix = fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s: until then a pool may still use what it made with %s",
		plan.Text(e.limits.Outlives(m.Life)), e.longerThanThePage(m.Life), e.old)
	return fmt.Sprintf("%s ended %s of %s with the %s of %s, and some were in use (57P01)", authority, plan.Counted(n, "session"), f.Consumer, f.CausedBy, e.old)
}

// longerThanThePage is what to write on the page where something lives longer than
// it says; "" where it does not.
func (e *evidence) longerThanThePage(life time.Duration) string {
	if life <= e.limits.LongestLife {
		return ""
	}
	return fmt.Sprintf(", and write longest_life: %s on the page, which says %s", plan.Text(life), plan.Text(e.limits.LongestLife))
}

// tellKeptSessions turns a finding that a credential was taken after its revoke
// to what took it: nobody new is let in, and who is in stays in.
func (e *evidence) tellKeptSessions(f *Finding, v plan.Validator, after history.Offset) {
	f.Cause = CauseKeptSessions
	f.Message = fmt.Sprintf("%s lets nobody new in with %s, and still served a session made before, %s after the revoke", v.Name, e.old, e.page(after))
	f.Fix = fmt.Sprintf("end the sessions of %s with the revoke (pg_terminate_backend on those of its role): a session outlives its password, and its role too", e.old)
}
