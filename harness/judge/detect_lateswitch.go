package judge

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// lateness is how late an emitter switched to the new credential.
type lateness struct {
	emitter  string
	took     history.Offset // from when it was told to
	allowed  history.Offset // by the page, and by what clocks and logs are off
	switched history.Offset
}

// switchedLate is how late the emitter of a presenter switched, where that was later than
// the page says that it may.
func (e *evidence) switchedLate(presenter string) (l lateness, late bool) {
	l.emitter = e.emitterOf(presenter)
	emitted, told := e.done(string(keyring.Emit), e.fresh)
	switched, ever := e.view.Switched[l.emitter][e.fresh]
	m, known := e.limits.Emitter(l.emitter)
	if !told || !ever || !known {
		return l, false
	}
	l.switched, l.took = switched, switched-emitted
	l.allowed = history.Offset(e.limits.Wall(m.Refresh+e.limits.Propagation)) + history.Offset(nearly)
	return l, l.took > l.allowed
}

// lateSwitch matches where what an emitter made with the old credential was still
// in use at the revoke since it switched later than the page says, and had it
// switched in time the window would have been enough.
func lateSwitch(c *cell) (explanation, bool) {
	l, late := c.switchedLate(c.presenter)
	revoked, _ := c.begun(string(keyring.Revoke), c.old)
	if !c.usedAfter() || !late || l.switched > revoked || !c.windowEnough(l, revoked) {
		return explanation{}, false
	}
	return c.tellLate(l, revoked, c.last), true
}

// windowEnough says that the window would have been enough for what is made with
// the old credential, had an emitter switched when the page says.
func (c *cell) windowEnough(l lateness, revoked history.Offset) bool {
	client, _ := c.limits.Client(c.presenter)
	life := history.Offset(c.limits.Wall(c.limits.Outlives(client.Life)))
	return revoked-(l.switched-l.took)-l.allowed+history.Offset(nearly) >= min(life, c.last-l.switched)
}

// tellLate tells of an emitter that switched late, in figures.
func (e *evidence) tellLate(l lateness, revoked, last history.Offset) explanation {
	m, _ := e.limits.Emitter(l.emitter)
	told := explanation{
		cause: CauseNotSwitched, consumer: l.emitter,
		why: fmt.Sprintf("%s%s switched only %s after it was told to (the page says %s), so that what it made with %s until then was still in use when that was revoked %s later",
			l.emitter, e.offPage(l.emitter), e.page(l.took), plan.Text(m.Refresh+e.limits.Propagation), e.old, e.page(revoked-l.switched)),
	}
	mend, kept := e.mendWhatKept(l.emitter, "the new credential", l.switched-l.took)
	if !kept {
		mend = fmt.Sprintf("make %s take what is published every %s as the page says", l.emitter, plan.Text(m.Refresh))
		if m.Refresh == 0 {
			mend = fmt.Sprintf("start %s anew as a step of the rollout: it takes what it finds at its start", l.emitter)
		}
	}
	told.fix = fmt.Sprintf("%s; else revoke at least %s after it is seen to use %s", mend, plan.Text(e.outlives(last-l.switched)), e.fresh)
	return told
}

// outlives is how long after the last switch the old credential must stay, in
// page time: what the page and the clients' settings say, or what was in use for longer.
func (e *evidence) outlives(used history.Offset) time.Duration {
	var life time.Duration
	for _, c := range e.limits.Clients {
		life = max(life, c.Life)
	}
	return max(e.limits.Outlives(life), e.limits.Page(used.Duration()).Round(time.Second))
}
