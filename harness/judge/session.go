package judge

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// replaced reports whether an authority that holds one credential at a time
// refused the old one as soon as the new one was accepted.
func (e *evidence) replaced(v plan.Validator, credential string, sum *history.Counts) bool {
	accepted, there := e.begun(string(keyring.Accept), e.fresh)
	return v.Authority && v.Keys == 1 && credential == e.old && there && sum.FirstFailure >= accepted-bucketWidth
}

func (e *evidence) tellReplaced(v plan.Validator) explanation {
	return explanation{
		cause: CauseOneSlot, consumer: v.Name, causedBy: string(keyring.Accept),
		why: fmt.Sprintf("%s has one password at a time, so that accepting %s made it refuse %s, which was still in use", v.Name, e.fresh, e.old),
		fix: fmt.Sprintf("give %s a second login beside the first (two roles under one owner, or a user with two passwords): with one, no lead and no window is long enough", v.Name),
	}
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
	f.Fix = fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window): until then a pool may still use what it made with %s", plan.Text(e.limits.G2()), e.old)
	return fmt.Sprintf("%s ended %d sessions of %s with the %s of %s, while they were in use (57P01)", authority, n, f.Consumer, f.CausedBy, e.old)
}

// tellKeptSessions turns a finding that a credential was taken after its revoke
// to what took it: nobody new is let in, and who is in stays in.
func (e *evidence) tellKeptSessions(f *Finding, v plan.Validator, after history.Offset) {
	f.Cause = CauseKeptSessions
	f.Message = fmt.Sprintf("%s lets nobody new in with %s, and still served a session made before, %s after the revoke", v.Name, e.old, e.page(after))
	f.Fix = fmt.Sprintf("end the sessions of %s with the revoke (pg_terminate_backend on those of its role): a session outlives its password, and its role too", e.old)
}
