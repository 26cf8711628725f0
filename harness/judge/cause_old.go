package judge

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// explainOld explains refusals of the old credential: before the revoke some
// validator gave it up, after it something still used it.
func (e *evidence) explainOld(key history.CellKey, v plan.Validator, sum *history.Counts) explanation {
	if e.beforeRevoke(sum) {
		if told, there := e.lostKey(v, e.old, sum); there {
			return told
		}
		return explanation{cause: CauseUnknown,
			why: fmt.Sprintf("%s refused %s before it was revoked", v.Name, e.old),
			fix: fmt.Sprintf("look into the log of %s from %s on", v.Name, sum.FirstFailure)}
	}
	// From its beginning on: who switches because an authority refuses has not
	// switched in time.
	revoked, _ := e.begun(string(keyring.Revoke), e.old)
	emitter := e.emitterOf(key.Presenter)
	switched, ever := e.view.Switched[emitter][e.fresh]
	tail := e.page(sum.LastFailure - switched)
	switch {
	case !ever, switched > revoked && !e.flagDay():
		return e.tellNotSwitched(emitter, switched, ever)
	case e.flagDay():
		return explanation{cause: CauseFlagDay, consumer: key.Presenter,
			why: fmt.Sprintf("accept, emit and revoke fell together; what %s had been given with %s was refused until %s after the switch", key.Presenter, e.old, tail),
			fix: fmt.Sprintf("keep %s accepted for at least %s after the last emitter's switch (overlap.window)", e.old, plan.Text(e.limits.G2()))}
	}
	client, _ := e.limits.Client(key.Presenter)
	return explanation{cause: CauseOutlived, consumer: key.Presenter,
		why: fmt.Sprintf("what it had been given with %s outlived it: %s was revoked %s after %s switched, and was in use for %s", e.old, e.old, e.page(revoked-switched), emitter, tail),
		fix: fmt.Sprintf("revoke at least %s after the last emitter's switch (overlap.window)%s",
			plan.Text(max(e.limits.Outlives(client.Life), e.limits.Page((sum.LastFailure-switched).Duration()).Round(time.Second))), e.longerThanThePage(client.Life))}
}

// beforeRevoke reports whether refusals began before the old credential was
// revoked. An authority refuses before that step is done.
func (e *evidence) beforeRevoke(sum *history.Counts) bool {
	revoked, wasRevoked := e.begun(string(keyring.Revoke), e.old)
	return !wasRevoked || sum.FirstFailure < revoked-history.Offset(nearly)
}

// tellNotSwitched tells of an emitter that went on with the old credential
// after it was revoked: one that nobody told to switch, or one that was late.
func (e *evidence) tellNotSwitched(emitter string, switched history.Offset, ever bool) explanation {
	told := explanation{
		cause: CauseNotSwitched, consumer: emitter,
		why: fmt.Sprintf("%s%s went on with %s after it was revoked", emitter, e.offPage(emitter), e.old),
		fix: fmt.Sprintf("put %s on the page and make it read the new credential; revoke only when the use of %s is zero", emitter, e.old),
	}
	m, _ := e.limits.Emitter(emitter)
	if !m.OnPage {
		return told
	}
	emitted, was := e.done(string(keyring.Emit), e.fresh)
	if was && ever {
		told.why += fmt.Sprintf("; it switched %s after it was told to", e.page(switched-emitted))
	}
	mend, kept := e.mendWhatKept(emitter, "the new credential", emitted)
	switch {
	case kept:
		told.fix = mend
	case m.Refresh == 0:
		told.fix = fmt.Sprintf("start %s anew as a step of the rollout: it takes what it finds at its start", emitter)
	default:
		told.fix = fmt.Sprintf("make %s take what is published every %s as the page says", emitter, plan.Text(m.Refresh))
	}
	told.fix += fmt.Sprintf("; revoke only when the use of %s is zero", e.old)
	return told
}
