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

// Lateness is how late an emitter switched to the new credential.
type Lateness struct {
	emitter  string
	took     history.Offset // from when it was told to
	allowed  history.Offset // by the page, and the precision of clocks and logs
	switched history.Offset
}

// SwitchedLate is how late a presenter's emitter switched, where that is later than the page allows.
func SwitchedLate(e *evidence.Evidence, presenter string) (l Lateness, late bool) {
	l.emitter = e.EmitterOf(presenter)
	emitted, told := e.Done(keyring.Emit, e.Fresh)
	switched, ever := e.View.Switched[l.emitter][e.Fresh]
	m, known := e.Limits.Emitter(l.emitter)
	if !told || !ever || !known {
		return l, false
	}
	l.switched, l.took = switched, switched-emitted
	l.allowed = history.Offset(e.Limits.Wall(m.Refresh+e.Limits.Propagation)) + evidence.Nearly
	return l, l.took > l.allowed
}

// LateSwitch matches where an emitter switched later than the page says, what it had made with the old
// credential was still in use at the revoke, and a switch in time would have made the window long
// enough.
func LateSwitch(c *cell.Cell) (cell.Explanation, bool) {
	l, late := SwitchedLate(c.Evidence, c.Presenter)
	revoked, _ := c.Begun(keyring.Revoke, c.Old)
	if !c.UsedAfter() || !late || l.switched > revoked || !windowEnough(c, l, revoked) {
		return cell.Explanation{}, false
	}
	return TellLate(c.Evidence, l, revoked, c.Last), true
}

// windowEnough reports whether the window would have been long enough, had the emitter switched when
// the page says.
func windowEnough(c *cell.Cell, l Lateness, revoked history.Offset) bool {
	client, _ := c.Limits.Client(c.Presenter)
	life := history.Offset(c.Limits.Wall(c.Limits.Outlives(client.Life)))
	return revoked-(l.switched-l.took)-l.allowed+evidence.Nearly >= min(life, c.Last-l.switched)
}

// TellLate tells of an emitter that switched late, in figures.
func TellLate(e *evidence.Evidence, l Lateness, revoked, last history.Offset) cell.Explanation {
	m, _ := e.Limits.Emitter(l.emitter)
	told := cell.Explanation{
		Cause: judge.CauseNotSwitched, Consumer: l.emitter,
		Why: fmt.Sprintf("%s%s switched only %s after the emit (the page says %s), so that what it made with %s until then was still in use when that was revoked %s later",
			l.emitter, e.OffPage(l.emitter), e.Page(l.took), plan.Text(m.Refresh+e.Limits.Propagation), e.Old, e.Page(revoked-l.switched)),
	}
	mend, kept := e.MendWhatKept(l.emitter, "the new credential", l.switched-l.took)
	if !kept {
		mend = fmt.Sprintf("make %s take what is published every %s as the page says", l.emitter, plan.Text(m.Refresh))
		if m.Refresh == 0 {
			mend = fmt.Sprintf("restart %s as a step of the rollout: it reads the credential only at its start", l.emitter)
		}
	}
	told.Fix = fmt.Sprintf("%s; else revoke at least %s after it is seen to use %s", mend, plan.Text(outlives(e, last-l.switched)), e.Fresh)
	return told
}

// outlives is how long after the last switch the old credential must stay, in page time: by the page
// and the clients' settings, or by what was in use for longer.
func outlives(e *evidence.Evidence, used history.Offset) time.Duration {
	var life time.Duration
	for _, c := range e.Limits.Clients {
		life = max(life, c.Life)
	}
	return max(e.Limits.Outlives(life), e.Limits.Page(used.Duration()).Round(time.Second))
}
